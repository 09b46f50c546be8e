"""Zip and tar read in place: no member is ever written to disk, and hostile members are refused by name.

Hand-written in place of fsspec's zip and tar filesystems, which check neither links, absolute paths, ways out of
the archive and repeated names, nor how much a member or the whole may unpack to.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.storage.archive.members import (
    ARCHIVE_LIMITS,
    ArchiveLimits,
    ArchiveMember,
    check_zip_directory,
    clean_name,
    refuse_hostile,
    too_many,
)
from headtohead.data.storage.archive.xz import MAX_DICTIONARY, XzStream
from headtohead.data.storage.store import HEAD, FileEntry, Store

__all__ = ["BROKEN", "TarStore", "ZipStore", "is_tar"]

BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError, OSError, ValueError,
    LookupError, ArithmeticError, MemoryError,
)  # fmt: skip
"""Errors of the archive modules on damaged, encrypted or oddly packed members."""

MAX_PAX_KEYS = 64
"""Keys of a tar archive's global header, which tarfile copies to every member; honest archives have a handful."""


class ZipStore(Store):
    """A zip archive; reads are safe in threads (zipfile locks its file)."""

    def __init__(self, path: Path, limits: ArchiveLimits = ARCHIVE_LIMITS) -> None:
        self.root = str(path)
        try:
            check_zip_directory(path, limits)
            self._zip = zipfile.ZipFile(path)
        except BROKEN as error:
            raise DataError(f"{path} is not a readable zip archive: {error}.") from error
        weakref.finalize(self, self._zip.close)
        # not `is_dir`, which fails on a member without a name
        infos = [info for info in self._zip.infolist() if not info.filename.endswith("/")]
        # `filename` is cut at a NUL by zipfile, which would hide the fault
        members = [ArchiveMember(i.orig_filename, i.file_size, i.compress_size, _zip_fault(i)) for i in infos]
        refuse_hostile(path, members, limits)
        self._infos = {clean_name(info.filename): info for info in infos}

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
            if info.compress_type == zipfile.ZIP_LZMA:
                self._check_dictionary(info)
            with self._zip.open(info) as file:
                return file.read(info.file_size if n_bytes is None else n_bytes)  # no more than claimed
        except BROKEN as error:
            raise UnreadableError(f"the archive's member is damaged or encrypted ({error})") from error

    def _check_dictionary(self, info: zipfile.ZipInfo) -> None:
        """Refuse an LZMA member whose header claims a large dictionary: zipfile asks for it whole, up to 4 GiB."""
        with Path(self.root).open("rb") as file:
            file.seek(info.header_offset)
            # local header (APPNOTE.TXT 4.3.7); the lengths of name and extra field stand at 26 and 28
            head = file.read(30)
            n_name, n_extra = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
            file.seek(info.header_offset + 30 + n_name + n_extra)
            # version (2 bytes), length of what follows (2), lc/lp/pb (1), size of the dictionary (4) (5.8.8)
            properties = file.read(9)
        claimed = int.from_bytes(properties[5:9], "little")
        if claimed > MAX_DICTIONARY:
            raise ValueError(
                f"its LZMA dictionary claims {claimed:,} bytes; expected at most {MAX_DICTIONARY:,}"
            )


def _zip_fault(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)  # Unix mode; 0 where none was written
    if kind not in (0, stat.S_IFREG):
        return "is a link" if kind == stat.S_IFLNK else "is not a plain file"
    return "is encrypted" if info.flag_bits & 1 else ""  # bit 0 (APPNOTE.TXT 4.4.4)


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
            members, places = _tar_members(path, plain, limits)
        except (tarfile.TarError, *BROKEN) as error:
            raise DataError(f"{path} is not a readable tar archive: {error}.") from error
        refuse_hostile(path, members, limits)
        self._file, self._lock = plain, threading.Lock()
        self._places = places

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
        with self._lock:  # seek and read share one position
            self._file.seek(start)
            content = self._file.read(length)
        if len(content) < length:
            raise UnreadableError(f"the archive ends after {len(content)} of its {size} bytes")
        return content


def _tar_members(
    path: Path, plain: IO[bytes], limits: ArchiveLimits
) -> tuple[list[ArchiveMember], dict[str, tuple[int, int]]]:
    """Return the members of a tar archive but its folders, and name -> (first byte, bytes).

    Raises:
        DataError: more members than the limit; a header of negative size, which would lead back to an earlier one
            (CVE-2025-8194, open in Python before 3.11.14, 3.12.12 and 3.13.6).
    """
    members: list[ArchiveMember] = []
    places: dict[str, tuple[int, int]] = {}
    last, count = -1, 0
    archive: Any  # its list of members has no place in the stubs
    with tarfile.TarFile(fileobj=_BoundedReader(plain), mode="r") as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # else every header would be kept twice
            count += 1
            if info.size < 0 or info.offset <= last or len(archive.pax_headers) > MAX_PAX_KEYS:
                raise DataError(
                    f"{path.name} is refused as unsafe: its header number {count:,} leads back or is no header that "
                    "an honest archive has. Pack the files again."
                )
            if count > limits.entries:
                raise too_many(path, limits)
            last = info.offset
            if not info.isdir():
                # tar packs no member by itself, so the ratio is bounded for the whole stream alone
                members.append(ArchiveMember(info.name, info.size, info.size, _tar_fault(info)))
                places[clean_name(info.name)] = (info.offset_data, info.size)
    return members, places


class _BoundedReader(io.RawIOBase):
    """A file whose single reads are bounded: a tar header may claim to be gigabytes long."""

    MAX_BYTES = 1 << 20  # no header of an honest archive is longer

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
            # a header block carries a checksum, which other files hardly meet by chance
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
    return io.BufferedReader(XzStream(file)) if head.startswith(b"\xfd7zXZ") else None
