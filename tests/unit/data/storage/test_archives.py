"""Zip and tar in place: the same samples as the folder; hostile members refused by name."""

from __future__ import annotations

import gc
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtohead.core.errors import DataError
from headtohead.data.load import load, source_digest
from headtohead.data.storage.archive.members import ArchiveLimits
from headtohead.data.storage.archives import TarStore, ZipStore

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


@pytest.fixture
def files(image: Image) -> dict[str, bytes]:
    return {
        f"set/{name}/{i} x.JPG": image(i + 10 * (name == "yes")) for name in ("yes", "no") for i in range(3)
    }


def zipped(path: Path, files: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.mkdir("set")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def archive_of(kind: str, folder: Path, files: dict[str, bytes]) -> Path:
    if kind.startswith("zip"):
        return zipped(
            folder / "a.bin", files, {"zip": zipfile.ZIP_DEFLATED, "zip-stored": zipfile.ZIP_STORED}[kind]
        )
    return tarred(folder / "a.bin", {f"./{name}": content for name, content in files.items()}, kind)


@pytest.mark.parametrize("kind", ["zip", "zip-stored", "w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_is_the_folder(kind: str, files: dict[str, bytes], tree: Tree, tmp_path: Path) -> None:
    folder, archive = load(str(tree(files))), archive_of(kind, tmp_path, files)
    before = sorted(tmp_path.rglob("*"))
    data = load(str(archive))
    assert data.samples == folder.samples and data.digest() == folder.digest() == source_digest(str(archive))
    assert (data.read(data.samples[0]).pixels == folder.read(folder.samples[0]).pixels).all()
    assert sorted(tmp_path.rglob("*")) == before  # nothing was unpacked


def test_a_doubled_zip_is_counted_once(files: dict[str, bytes], tmp_path: Path) -> None:
    once = {name.removeprefix("set/"): content for name, content in files.items()}
    data = load(
        str(zipped(tmp_path / "a.zip", once | {f"brain_tumor_dataset/{n}": b for n, b in once.items()}))
    )
    assert sorted(s.id for s in data.samples) == sorted(once)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../evil.png", "leads out of the archive"),
        ("set/../../evil.png", "leads out of the archive"),
        ("/etc/evil.png", "has an absolute path"),
        ("C:/evil.png", "has an absolute path"),
        ("set\\..\\evil.png", "has a backslash"),
        ("set//yes/0 x.JPG", "is in the archive 2 times"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "w"])
def test_hostile_names_are_refused_by_name(
    kind: str, name: str, fault: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    maker = zipped if kind == "zip" else tarred
    path = maker(tmp_path / "a.bin", files | {name: files["set/no/0 x.JPG"]})
    with pytest.raises(DataError, match="refused as unsafe") as caught:
        load(str(path))
    assert fault in str(caught.value) and "evil" in str(caught.value).replace("set/yes/0 x.JPG", "evil")


def test_links_and_encryption_in_a_zip(files: dict[str, bytes], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("set/yes/link.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match=r"set/yes/link\.png is a link"):
        load(str(tmp_path / "a.zip"))
    content = bytearray(zipped(tmp_path / "b.zip", files).read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1  # the flag of the last member in the directory
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"2 x\.JPG is encrypted"):
        load(str(tmp_path / "b.zip"))


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.FIFOTYPE, "is not a plain file"),
        (tarfile.CHRTYPE, "is not a plain file"),
    ],
)
def test_links_and_devices_in_a_tar(kind: bytes, fault: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("yes/odd.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match=rf"yes/odd\.png {fault}"):
        load(str(tmp_path / "a.tar"))


def test_a_member_without_a_name_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    """Python 3.11's zipfile raises IndexError when asked whether such a member is a folder."""
    content = zipped(tmp_path / "a.zip", files).read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"set/yes/0 x.JPG", b"\0et/yes/0 x.JPG"))
    with pytest.raises(DataError, match=r"refused as unsafe|not a readable zip"):
        load(str(tmp_path / "a.zip"))


def test_bombs_are_refused_before_they_unfold(tmp_path: Path) -> None:
    limits = ArchiveLimits(member_bytes=1 << 20, ratio=50, ratio_floor=1 << 16)
    big = zipped(tmp_path / "big.zip", {"yes/big.png": bytes(2 << 20)})
    with pytest.raises(DataError, match=r"yes/big\.png unpacks to 2,097,152 bytes"):
        ZipStore(big, limits)
    dense = zipped(tmp_path / "dense.zip", {"yes/dense.png": bytes(1 << 19)})
    with pytest.raises(DataError, match=r"yes/dense\.png unpacks from \d+ to 524,288 bytes"):
        ZipStore(dense, limits)
    many = zipped(tmp_path / "many.zip", {f"yes/{i}.png": bytes(1 << 15) for i in range(64)})
    with pytest.raises(DataError, match="claim to unpack to 2,097,152"):
        ZipStore(many, limits)
    with pytest.raises(DataError, match=r"it has more than 9 members"):
        ZipStore(many, ArchiveLimits(entries=9))
    with pytest.raises(DataError, match="unpack to more than"):
        TarStore(tarred(tmp_path / "a.tgz", {"yes/big.png": bytes(1 << 19)}, "w:gz"), limits)


def test_a_tar_header_that_claims_gigabytes(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 300 << 20
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf())
    os.truncate(path, 400 << 20)  # sparse on disk
    with pytest.raises(DataError, match=r"a header claims 314,572,800 bytes"):
        load(str(path))


def test_damaged_members_are_problems_and_damaged_archives_errors(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    path = zipped(tmp_path / "a.zip", files, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    start = content.find(files["set/yes/1 x.JPG"])
    content[start + 30] ^= 255
    path.write_bytes(content)
    data = load(str(path))
    assert len(data) == 5 and [p.path for p in data.problems] == ["set/yes/1 x.JPG"]
    assert "damaged" in data.problems[0].reason
    whole = tarred(tmp_path / "b.tgz", files, "w:gz").read_bytes()
    (tmp_path / "b.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"not a readable tar|not understood"):
        load(str(tmp_path / "b.tgz"))
    (tmp_path / "c.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="is a damaged zip archive"):
        load(str(tmp_path / "c.zip"))


def test_a_changed_archive_is_opened_anew(files: dict[str, bytes], image: Image, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", files)
    first = load(str(path))
    zipped(path, files | {"set/no/new.png": image(50)})
    assert len(load(str(path))) == len(first) + 1
    gc.collect()  # a store that was not closed would warn, and warnings are errors here


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["zip", "zip-stored", "w", "w:gz", "w:xz"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.floats(0.3, 1),
)
def test_mutated_archives_are_read_or_refused(
    kind: str, edits: list[tuple[float, int]], cut: float, files: dict[str, bytes], tmp_path: Path
) -> None:
    content = bytearray(archive_of(kind, tmp_path, files).read_bytes())
    for place, value in edits:
        content[int(place * (len(content) - 1))] = value
    path = tmp_path / "mutated"
    path.write_bytes(content[: max(1, int(cut * len(content)))])
    try:
        data = load(str(path))
    except DataError:
        return
    assert data.samples and source_digest(str(path)) == data.digest()
