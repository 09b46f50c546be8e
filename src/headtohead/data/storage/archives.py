"""Zip and tar read in place: no member is ever written to disk, and hostile members are refused by name.

Hand-written in place of fsspec's zip and tar filesystems, which check neither links, absolute paths, ways out of
the archive and repeated names, nor how much a member or the whole may unpack to.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import stat
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.file_problems import truncate_list
from headtohead.data.storage.store import HEAD, FileEntry, Store

__all__ = [
    "ARCHIVE_LIMITS",
    "ArchiveLimits",
    "ArchiveMember",
    "TarStore",
    "ZipStore",
    "is_tar",
    "refuse_hostile",
]

GIB = 1 << 30
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, ValueError)
"""Errors of the archive modules on damaged, encrypted or oddly packed members."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        entries: members.
        member_bytes: of one unpacked member.
        total_bytes: of all unpacked members.
        ratio: unpacked to packed size, looked at where more than `ratio_floor` bytes are unpacked.
    """

    entries: int = 2_000_000
    member_bytes: int = GIB
    total_bytes: int = 512 * GIB
    ratio: float = 400.0
    ratio_floor: int = 96 << 20


ARCHIVE_LIMITS = ArchiveLimits()


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One member as its archive describes it; `fault` says why it may not be read at all."""

    name: str
    n_bytes: int
    packed: int
    fault: str = ""


def refuse_hostile(archive: Path, members: Iterable[ArchiveMember], limits: ArchiveLimits) -> None:
    """Raise DataError naming the members that no honest archive of images has.

    Links, absolute paths, ways out of the archive, members that unpack to far more than they hold,
    two members of one name: an archive with any of them is not read at all.
    """
    all_members = list(members)
    faults = [(m.name, m.fault or _name_fault(m.name) or _size_fault(m, limits)) for m in all_members]
    counts = Counter(_clean(m.name) for m in all_members)
    faults += [(name, f"is in the archive {count} times") for name, count in counts.items() if count > 1]
    reasons = [f"{ascii(name)[1:-1]} {fault}" for name, fault in faults if fault]
    total, packed = sum(m.n_bytes for m in all_members), archive.stat().st_size
    if len(all_members) > limits.entries:
        reasons.append(f"{len(all_members):,} members (limit {limits.entries:,})")
    if total > limits.total_bytes or (total > 10 * limits.ratio_floor and total > limits.ratio * packed):
        reasons.append(f"{packed:,} bytes claim to unpack to {total:,}")
    if reasons:
        raise DataError(
            f"{archive.name} is refused as unsafe: {truncate_list(reasons)}. Expected plain files below the "
            "archive's own top. If you trust it, unpack it yourself and point at the folder."
        )


def _name_fault(name: str) -> str:
    if not _clean(name):
        return "has no name"
    if "\x00" in name or "\\" in name:
        return "has a backslash or NUL in its name"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    return "leads out of the archive" if ".." in name.split("/") else ""


def _size_fault(member: ArchiveMember, limits: ArchiveLimits) -> str:
    if member.n_bytes > limits.member_bytes:
        return f"unpacks to {member.n_bytes:,} bytes (limit {limits.member_bytes:,})"
    if member.n_bytes > limits.ratio_floor and member.n_bytes > limits.ratio * max(1, member.packed):
        return f"unpacks from {member.packed:,} to {member.n_bytes:,} bytes"
    return ""


def _clean(name: str) -> str:
    """Return a member's name as a relative path: "./yes//a.png" is "yes/a.png"."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


class ZipStore(Store):
    """A zip archive; reads are safe in threads (zipfile locks its file)."""

    def __init__(self, path: Path, limits: ArchiveLimits = ARCHIVE_LIMITS) -> None:
        self.root = str(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN as error:
            raise DataError(f"{path} is not a readable zip archive: {error}.") from error
        weakref.finalize(self, self._zip.close)
        # not `is_dir`, which fails on a member without a name
        infos = [info for info in self._zip.infolist() if not info.filename.endswith("/")]
        members = [ArchiveMember(i.orig_filename, i.file_size, i.compress_size, _zip_fault(i)) for i in infos]
        refuse_hostile(path, members, limits)
        self._infos = {_clean(info.filename): info for info in infos}

    def files(self) -> Iterator[FileEntry]:
        """Yield all members but folders."""
        return (FileEntry(name, info.file_size) for name, info in self._infos.items())

    def read(self, path: str) -> bytes:
        """Return one member's bytes."""
        return self._read_member(path, None)

    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one member."""
        return self._read_member(path, HEAD)

    def stream(self, path: str) -> IO[bytes]:
        """Open one member for reading in order."""
        return self._zip.open(self._infos[path])

    def _read_member(self, path: str, n_bytes: int | None) -> bytes:
        info = self._infos.get(path)
        if info is None:
            raise UnreadableError(f"there is no such member in {self.root}")
        try:
            with self._zip.open(info) as file:
                return file.read(info.file_size if n_bytes is None else n_bytes)
        except BROKEN as error:
            raise UnreadableError(f"the archive's member is damaged or encrypted ({error})") from error


def _zip_fault(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link" if kind == stat.S_IFLNK else "is not a plain file"
    return "is encrypted" if info.flag_bits & 1 else ""


class TarStore(Store):
    """A tar archive, compressed or not.

    Members are read straight from their place. A compressed archive has no places to jump to, so
    its plain stream is kept, bounded, in a nameless temporary file that goes when the store goes.
    """

    def __init__(self, path: Path, limits: ArchiveLimits = ARCHIVE_LIMITS) -> None:
        self.root = str(path)
        file = path.open("rb")
        weakref.finalize(self, file.close)
        try:
            plain = _plain_stream(file, path, limits)
            weakref.finalize(self, plain.close)
            with tarfile.TarFile(fileobj=_BoundedReader(plain), mode="r") as archive:
                infos = [info for info in archive if not info.isdir()]
        except (tarfile.TarError, *BROKEN) as error:
            raise DataError(f"{path} is not a readable tar archive: {error}.") from error
        refuse_hostile(path, (ArchiveMember(i.name, i.size, i.size, _tar_fault(i)) for i in infos), limits)
        self._file, self._lock = plain, threading.Lock()
        self._places = {_clean(info.name): (info.offset_data, info.size) for info in infos}

    def files(self) -> Iterator[FileEntry]:
        """Yield all members but folders."""
        return (FileEntry(name, size) for name, (_, size) in self._places.items())

    def read(self, path: str) -> bytes:
        """Return one member's bytes."""
        return self._read_member(path, None)

    def read_prefix(self, path: str) -> bytes:
        """Return the first bytes of one member."""
        return self._read_member(path, HEAD)

    def _read_member(self, path: str, n_bytes: int | None) -> bytes:
        if path not in self._places:
            raise UnreadableError(f"there is no such member in {self.root}")
        start, size = self._places[path]
        length = size if n_bytes is None else min(size, n_bytes)
        with self._lock:
            self._file.seek(start)
            content = self._file.read(length)
        if len(content) < length:
            raise UnreadableError(f"the archive ends after {len(content)} of its {size} bytes")
        return content


class _BoundedReader(io.RawIOBase):
    """A file whose single reads are bounded: a tar header may claim to be gigabytes long."""

    MAX_BYTES = 64 << 20  # no header of an honest archive is longer

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.MAX_BYTES:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _tar_fault(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link"
    if info.issparse():
        return "is a sparse file"
    return "" if info.isreg() else "is not a plain file"


def is_tar(path: Path) -> bool:
    """Tell whether a file is a tar archive, compressed or not, from its first block alone."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            file.seek(0)
            stream = _unpacker(file, head) or file
            tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except (tarfile.TarError, *BROKEN):
        return False
    return True


def _plain_stream(file: IO[bytes], path: Path, limits: ArchiveLimits) -> IO[bytes]:
    """Return the uncompressed archive as a real file: itself, or a nameless bounded copy."""
    head = file.read(8)
    file.seek(0)
    stream = _unpacker(file, head)
    if stream is None:
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the store
    try:
        _copy_bounded(stream, copy, path, limits)
    except BaseException:
        copy.close()
        raise
    return copy


def _copy_bounded(stream: io.BufferedIOBase, copy: IO[bytes], path: Path, limits: ArchiveLimits) -> None:
    packed, unpacked = path.stat().st_size, 0
    with stream:
        while block := stream.read(1 << 20):
            unpacked += len(block)
            if unpacked > limits.total_bytes or (
                unpacked > limits.ratio_floor and unpacked > limits.ratio * packed
            ):
                raise DataError(
                    f"{path.name} is refused as unsafe: {packed:,} bytes unpack to more than {unpacked:,}. If "
                    "you trust it, unpack it yourself and point at the folder."
                )
            copy.write(block)
    copy.flush()
    copy.seek(0)


def _unpacker(file: IO[bytes], head: bytes) -> io.BufferedIOBase | None:
    """Return what unpacks a file that starts so, or None for a plain one."""
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if head.startswith(b"\xfd7zXZ") else None
