"""A bundle's files: written whole, checked byte for byte, and refused by name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from headtohead.core.errors import BundleError
from headtohead.deploy.bundle.files import (
    CHECKSUMS,
    DOCUMENTS,
    NEEDED,
    WEIGHTS,
    BundleFiles,
    check_bundle,
    check_free,
    digest_of,
    write_bundle,
)
from headtohead.deploy.bundle.records import BundleCalibration

FILES = {name: f'{{"format": 1, "name": "{name}"}}'.encode() for name in NEEDED}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "model", FILES)
    return tmp_path / "model"


def relist(folder: Path, lines: str) -> None:
    (folder / CHECKSUMS).write_text(lines, encoding="utf-8")


def test_what_was_written_is_checked_and_given_back(folder: Path) -> None:
    found = check_bundle(folder)
    assert found.documents == {name: FILES[name] for name in DOCUMENTS}
    assert {name: found.checksums[name] for name in FILES} == {
        name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()
    }
    lines = (folder / CHECKSUMS).read_text()
    assert found.digest == digest_of(lines) == hashlib.sha256(lines.encode()).hexdigest()
    found.check_weights()


def test_the_list_has_the_form_of_sha256sum(folder: Path) -> None:
    lines = (folder / CHECKSUMS).read_text().splitlines()
    assert lines == [f"{hashlib.sha256(FILES[name]).hexdigest()}  {name}" for name in sorted(FILES)]


def test_the_digest_is_returned_and_stays_for_equal_files(tmp_path: Path, folder: Path) -> None:
    assert write_bundle(tmp_path / "again", dict(reversed(FILES.items()))) == check_bundle(folder).digest
    changed = write_bundle(tmp_path / "other", FILES | {"README.md": b"other"})
    assert changed != check_bundle(folder).digest


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_changed_byte_of_any_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(FILES[name][:-1] + b" ")
    with pytest.raises(
        BundleError, match=f"^{name} in .* was changed: its sha256 is not the one in {CHECKSUMS}"
    ):
        check_bundle(folder)


def test_a_missing_file_is_named_also_where_the_list_lacks_it(folder: Path) -> None:
    (folder / "reference.json").unlink()
    with pytest.raises(BundleError, match=r"lacks reference\.json\. Copy the whole folder"):
        check_bundle(folder)
    lines = (folder / CHECKSUMS).read_text().splitlines(keepends=True)
    relist(folder, "".join(line for line in lines if "reference.json" not in line))
    with pytest.raises(BundleError, match=r"lacks reference\.json"):
        check_bundle(folder)


def test_a_file_that_is_not_listed_is_refused(folder: Path) -> None:
    (folder / "note.txt").write_text("x")
    with pytest.raises(BundleError, match=f"holds note.txt, which its {CHECKSUMS} does not list"):
        check_bundle(folder)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "a\\b", "sub/file"])
def test_a_list_that_leads_elsewhere_is_refused_before_anything_is_read(folder: Path, name: str) -> None:
    (folder.parent / "outside.txt").write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    relist(folder, (folder / CHECKSUMS).read_text() + f"{digest}  {name}\n")
    with pytest.raises(BundleError, match="lists files outside its folder"):
        check_bundle(folder)


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_a_name_that_is_no_file_is_missing(folder: Path, name: str) -> None:
    relist(folder, (folder / CHECKSUMS).read_text() + f"{'0' * 64}  {name}\n")
    with pytest.raises(BundleError, match="lacks"):
        check_bundle(folder)


def test_other_folders_and_lists_are_no_model(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=f"is not a model: it has no {CHECKSUMS}"):
        check_bundle(tmp_path / "empty")
    (folder / CHECKSUMS).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BundleError, match="is no list of checksums"):
        check_bundle(folder)
    relist(folder, "")
    with pytest.raises(BundleError, match=r"lacks README.md, calibration.json"):
        check_bundle(folder)


def test_weights_that_change_after_the_check_are_refused(folder: Path) -> None:
    found = check_bundle(folder)
    (folder / WEIGHTS).write_bytes(b"other")
    with pytest.raises(BundleError, match=rf"{WEIGHTS} in .* was changed"):
        found.check_weights()


def test_what_was_checked_is_what_is_used(folder: Path) -> None:
    found = check_bundle(folder)
    (folder / "calibration.json").write_text("{}")
    with pytest.raises(BundleError, match="is not understood"):  # the content of before, which lacks fields
        found.record("calibration.json", BundleCalibration)


def test_a_bundle_half_written_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.deploy.bundle import files

    def failing(path: Path, content: bytes) -> None:
        if path.name == WEIGHTS:
            raise OSError("full")
        path.write_bytes(content)

    monkeypatch.setattr(files, "write_atomic", failing)
    with pytest.raises(OSError, match="full"):
        write_bundle(folder, FILES)
    with pytest.raises(BundleError, match=f"it has no {CHECKSUMS}"):
        check_bundle(folder)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, folder: Path) -> None:
    for name in ("d", "c", "b", "a"):
        (tmp_path / "thesis").mkdir(exist_ok=True)
        (tmp_path / "thesis" / name).write_text("mine")
    with pytest.raises(BundleError, match=r"holds other files \(a, b, c\)\. Choose an empty"):
        write_bundle(tmp_path / "thesis", FILES)
    assert sorted(path.name for path in (tmp_path / "thesis").iterdir()) == ["a", "b", "c", "d"]
    check_free(folder)
    check_free(tmp_path / "new")


GOOD = {"format": 1, "learnt_from": "folds", "n_lines": 9, "n_groups": 5}


def files(content: object) -> BundleFiles:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return BundleFiles(Path("model"), {}, {"calibration.json": raw})


def test_a_record_comes_with_its_defaults() -> None:
    found = files(GOOD).record("calibration.json", BundleCalibration)
    assert found == BundleCalibration(learnt_from="folds", n_lines=9, n_groups=5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read (JSONDecodeError)"),
        (b"\xff{}", "cannot be read (UnicodeDecodeError)"),
        (b"[" * 200_000, "cannot be read (RecursionError)"),
        ([1], "has format None; this version reads 1. Update headtohead."),
        ({**GOOD, "format": 2}, "has format 2; this version reads 1"),
        ({**GOOD, "format": None}, "has format None"),
        ({**GOOD, "temperature": 0}, "is not understood: 1 validation error"),
        ({**GOOD, "later": 1}, "is not understood: 1 validation error"),
    ],
)
def test_records_that_cannot_be_read_are_named(content: object, said: str) -> None:
    with pytest.raises(BundleError) as caught:
        files(content).record("calibration.json", BundleCalibration)
    assert str(caught.value).startswith("calibration.json in model ") and said in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
