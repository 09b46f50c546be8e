"""What is at the path of a model decides how it is opened, and what is not there is said."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from headtohead.core.errors import BundleError, UsageError
from headtohead.deploy.export.exported_files import PROGRAM_DOCUMENT, is_exported, open_exported
from headtohead.deploy.export.sealed import SealError
from headtohead.deploy.load import load_model


def test_nothing_or_another_thing_at_the_path_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(
        BundleError, match=r"There is no model at .*none; expected a folder that `headtohead train`"
    ):
        load_model(tmp_path / "none")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BundleError, match="There is no model at"):
        load_model(tmp_path / "notes.txt")
    with pytest.raises(BundleError, match="is not a model: it has no SHA256SUMS"):
        load_model(str(tmp_path))
    with pytest.raises(UsageError, match=r"which is not a file; expected one of \.onnx, \.xml, \.pt2"):
        load_model(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("name", "exported"),
    [("m.onnx", True), ("m.xml", True), ("m.pt2", True), ("m.onnx.d", False), ("m", False), ("m.bin", False)],
)
def test_exports_are_known_by_their_ending(name: str, exported: bool) -> None:
    assert is_exported(Path("folder") / name) is exported


def test_another_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"Got m\.bin; exported models end in"):
        open_exported(tmp_path / "m.bin")


def program(tmp_path: Path, *names: str, change: tuple[int, int] | None = None) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "{}" * 20)
    content = bytearray(packed.getvalue())
    if change is not None:
        content[change[0]] ^= change[1]
    (tmp_path / "m.pt2").write_bytes(content)
    return tmp_path / "m.pt2"


@pytest.mark.parametrize(
    "names", [(), ("m/model.json",), (f"a/extra/{PROGRAM_DOCUMENT}", f"b/extra/{PROGRAM_DOCUMENT}")]
)
def test_a_program_without_one_description_is_not_ours(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(SealError, match=r"m\.pt2 is damaged, or no torch program by headtohead"):
        open_exported(program(tmp_path, *names))


def test_a_program_in_another_runtime_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(b"")
    with pytest.raises(UsageError, match=r"m\.pt2 runs in torch; got --runtime openvino"):
        open_exported(tmp_path / "m.pt2", runtime="openvino")


def test_every_changed_byte_of_an_archive_is_an_explained_error(tmp_path: Path) -> None:
    """Flags of encryption, methods of compression and sizes among them."""
    name = f"a/extra/{PROGRAM_DOCUMENT}"
    size = len(program(tmp_path, name).read_bytes())
    for place in range(size):
        for bit in (0x01, 0x08, 0x40):
            with pytest.raises((SealError, BundleError)):
                open_exported(program(tmp_path, name, change=(place, bit)))
