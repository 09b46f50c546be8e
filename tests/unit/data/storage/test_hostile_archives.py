"""Small archives that once took gigabytes, minutes or for ever: refused within a second, in bounded memory."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.planting.bounds import peak_of

from headtohead.core.errors import DataError, HeadToHeadError, UnreadableError
from headtohead.core.safety.limits import ENVIRONMENT
from headtohead.data.listing.discover import discover_images
from headtohead.data.listing.folder_layout import drop_repeated_folders
from headtohead.data.options import LoadOptions
from headtohead.data.storage.archives import TarStore, ZipStore
from headtohead.data.storage.npz import NpzStore

MIB = 1 << 20


def _zip(path: Path, names: list[str], content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def _tar_of(path: Path, *headers: bytes) -> Path:
    path.write_bytes(b"".join(headers) + bytes(1024))
    return path


def _header(name: str, size: bytes, kind: bytes = b"0") -> bytes:
    block = bytearray(512)
    block[: len(name)] = name.encode()
    block[100:108], block[124:136], block[156:157] = b"0000644\0", size.ljust(12, b"\0"), kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _negative(value: int) -> bytes:
    """Return a size in base 256, as GNU tar writes what octal digits cannot hold; here below zero."""
    return (value % (1 << 96)).to_bytes(12, "big")


class TestPaths:
    @pytest.mark.parametrize("depth", [100, 32_000])
    def test_a_deep_path_in_a_zip(self, tmp_path: Path, depth: int) -> None:
        archive = _zip(tmp_path / "d.zip", ["yes/" + "a/" * depth + "x.png", "no/y.png"])
        began = time.process_time()
        with pytest.raises(
            DataError, match=r"folders; the limit is 64 \(--limit path-parts=NUMBER raises it"
        ):
            ZipStore(archive)
        assert time.process_time() - began < 2

    def test_a_deep_path_in_a_tar(self, tmp_path: Path) -> None:
        path = tmp_path / "d.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(tarfile.TarInfo("yes/" + "a/" * 200_000 + "x.png"))
        with pytest.raises(DataError, match="folders; the limit is 64"):
            TarStore(path)

    def test_a_long_name(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="longer than file systems take"):
            ZipStore(_zip(tmp_path / "n.zip", ["yes/" + "1_" * 5000 + ".png"]))

    def test_the_limit_can_be_raised_by_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        archive = _zip(tmp_path / "d.zip", ["a/" * 80 + "x.png"])
        monkeypatch.setenv(ENVIRONMENT, "path-parts=90")
        assert len(list(ZipStore(archive).files())) == 1

    def test_many_deep_folders_take_memory_as_their_names_do(self) -> None:
        paths = ["/".join(f"{i}_{depth}_{'n' * 40}" for depth in range(60)) + "/x.png" for i in range(300)]
        peak = peak_of(lambda: drop_repeated_folders(paths, lambda a, b: False))
        assert peak < 60 * MIB

    def test_many_folders_that_seem_to_repeat_take_linear_time(self) -> None:
        names = [f"n{i}" for i in range(4000)]
        paths = [f"{name}/{names[0]}/x.png" for name in names]
        began = time.process_time()
        drop_repeated_folders(paths, lambda a, b: False)
        assert time.process_time() - began < 3


class TestTar:
    @pytest.mark.parametrize("size", [-512, -1024, -(1 << 40)])
    def test_a_negative_size_does_not_loop(self, tmp_path: Path, size: int) -> None:
        """CVE-2025-8194: the header leads back to itself."""
        path = _tar_of(tmp_path / "loop.tar", _header("yes/a.png", _negative(size)))
        with pytest.raises(DataError, match=r"loop\.tar"):
            TarStore(path)

    def test_a_negative_size_in_a_pax_header(self, tmp_path: Path) -> None:
        record = b"13 size=-512\n"
        pax = _header("pax", b"%011o" % len(record), b"x") + record.ljust(512, b"\0")
        path = _tar_of(tmp_path / "pax.tar", pax, _header("yes/a.png", b"%011o" % 0))
        with pytest.raises(DataError, match=r"pax\.tar"):
            TarStore(path)

    @pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K", b"S"])
    def test_a_negative_size_of_every_kind_of_header(self, tmp_path: Path, kind: bytes) -> None:
        path = _tar_of(tmp_path / "kind.tar", _header("a", _negative(-512), kind))
        with pytest.raises(DataError):
            TarStore(path)

    def test_a_global_header_of_many_keys(self, tmp_path: Path) -> None:
        keys = {f"k{i}": "v" for i in range(2000)}
        path = tmp_path / "g.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers=keys) as archive:
            archive.addfile(tarfile.TarInfo("yes/x.png"))
        with pytest.raises(DataError, match="header number 1"):
            TarStore(path)

    def test_members_are_counted_while_they_are_listed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "many.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for number in range(400):
                archive.addfile(tarfile.TarInfo(f"yes/{number}.png"))
        assert len(list(TarStore(path).files())) == 400
        seen: list[tarfile.TarFile] = []
        whole = tarfile.TarFile.next

        def counted(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
            seen.append(archive)
            return whole(archive)

        monkeypatch.setattr(tarfile.TarFile, "next", counted)
        monkeypatch.setenv(ENVIRONMENT, "archive-members=50")
        from headtohead.data.storage.archive.members import ArchiveLimits

        with pytest.raises(DataError, match="more than 50 members"):
            TarStore(path, ArchiveLimits())
        assert len(seen) <= 52

    @pytest.mark.parametrize("n_streams", [1, 2])
    def test_xz_is_read_whole(self, tmp_path: Path, n_streams: int) -> None:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as archive:
            info = tarfile.TarInfo("yes/x.png")
            info.size = 200_000
            archive.addfile(info, io.BytesIO(np.random.default_rng(0).bytes(200_000)))
        content, cut = plain.getvalue(), len(plain.getvalue()) // n_streams
        parts = [content[:cut], content[cut:]]
        path = tmp_path / "a.tar.xz"
        path.write_bytes(b"".join(lzma.compress(part) + bytes(4) for part in parts if part))
        assert len(TarStore(path).read("yes/x.png")) == 200_000

    def test_an_xz_dictionary_is_bounded(self, tmp_path: Path) -> None:
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
        packed = bytearray(lzma.compress(bytes(100_000), filters=filters, check=lzma.CHECK_NONE))
        path = tmp_path / "d.tar.xz"
        path.write_bytes(packed)
        with pytest.raises(HeadToHeadError):
            TarStore(path)


class TestZip:
    def test_members_are_counted_before_they_are_objects(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive = _zip(tmp_path / "many.zip", [f"yes/{number}.png" for number in range(300)])
        monkeypatch.setenv(ENVIRONMENT, "archive-members=200")
        monkeypatch.setattr(zipfile, "ZipFile", lambda path: pytest.fail("the members were listed"))
        from headtohead.data.storage.archive.members import ArchiveLimits

        with pytest.raises(DataError, match="more than 200 members"):
            ZipStore(archive, ArchiveLimits())

    def test_a_dictionary_of_4_gib_is_not_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "l.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("yes/x.png", b"x" * 1000)
        content = bytearray(path.read_bytes())
        at = 30 + len("yes/x.png") + 4
        struct.pack_into("<L", content, at + 1, 0xFFFFFFFF)
        path.write_bytes(content)
        with pytest.raises(UnreadableError, match="dictionary claims"):
            ZipStore(path).read("yes/x.png")

    def test_a_name_that_looks_like_a_zip64_record_changes_nothing(self, tmp_path: Path) -> None:
        names = ["yes/PK\x06\x06" + "x" * 60 + ".png", *(f"no/{number}.png" for number in range(5))]
        archive = _zip(tmp_path / "odd.zip", names)
        assert len(list(ZipStore(archive).files())) == 6

    def test_a_sound_lzma_member_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "l.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("yes/x.png", b"x" * 1000)
        assert ZipStore(path).read("yes/x.png") == b"x" * 1000

    def test_many_empty_tables_take_linear_time(self, tmp_path: Path) -> None:
        names = [f"t/{number}.csv" for number in range(1500)]
        archive = _zip(tmp_path / "t.zip", [*names, "yes/a.png", "no/b.png"], b"")
        began = time.process_time()
        discover_images(str(archive), LoadOptions())
        assert time.process_time() - began < 6


class TestNpz:
    def test_a_header_that_claims_gigabytes(self, tmp_path: Path) -> None:
        body = b"\x93NUMPY\x02\x00" + struct.pack("<L", 300 * MIB) + b" " * (301 * MIB)
        path = tmp_path / "h.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("images.npy", body)
            archive.writestr("labels.npy", body[:4096])
        del body

        def opened() -> None:
            with pytest.raises(DataError, match="its header claims 314,572,800 bytes"):
                NpzStore(path)

        assert peak_of(opened) < 40 * MIB
