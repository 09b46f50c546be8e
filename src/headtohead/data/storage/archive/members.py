"""What an archive of images may hold: refused by name before any member is read."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from headtohead.core.errors import DataError
from headtohead.core.safety.limits import limit, raise_hint
from headtohead.data.file_problems import truncate_list

__all__ = [
    "ARCHIVE_LIMITS",
    "GIB",
    "ArchiveLimits",
    "ArchiveMember",
    "check_zip_directory",
    "clean_name",
    "refuse_hostile",
    "shown_name",
    "too_many",
]

LONGEST_NAME = 255  # bytes of one part of a path, as common file systems take them
LONGEST_PATH = 4096  # PATH_MAX of Linux
LONGEST_SHOWN = 120
NAME_BYTES = 256 << 20  # of all names together; 128 MiB are a million names of usual length
END_REACH = (1 << 16) + 22 + 20 + 56  # the longest comment, and the three records at a zip archive's end

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        entries: members.
        member_bytes: of one unpacked member.
        total_bytes: of all unpacked members.
        ratio: unpacked to packed size, looked at where more than `ratio_floor` bytes are unpacked.
    """

    entries: int = field(default_factory=lambda: limit("archive-members"))
    member_bytes: int = field(default_factory=lambda: limit("member-bytes"))
    total_bytes: int = field(default_factory=lambda: limit("archive-bytes"))
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
    counts = Counter(clean_name(m.name) for m in all_members)  # "./a" and "a" are one file
    faults += [(name, f"is in the archive {count} times") for name, count in counts.items() if count > 1]
    reasons = [f"{shown_name(name)} {fault}" for name, fault in faults if fault]
    total, packed = sum(m.n_bytes for m in all_members), archive.stat().st_size
    if len(all_members) > limits.entries:
        raise too_many(archive, limits)
    if (letters := sum(len(m.name) for m in all_members)) > NAME_BYTES:
        reasons.append(f"names of {letters:,} characters (limit {NAME_BYTES:,})")
    if total > limits.total_bytes or (total > 10 * limits.ratio_floor and total > limits.ratio * packed):
        reasons.append(f"{packed:,} bytes claim to unpack to {total:,}")
    if reasons:
        raise DataError(
            f"{archive.name} is refused as unsafe: {truncate_list(reasons)}. Expected plain files below the "
            "archive's own top. If you trust it, unpack it yourself and point at the folder."
        )


def _name_fault(name: str) -> str:
    if not clean_name(name):
        return "has no name"
    if "\x00" in name or "\\" in name:  # "\" separates folders on Windows
        return "has a backslash or NUL in its name"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):  # C: is a drive
        return "has an absolute path"
    parts = name.split("/")
    if len(parts) > limit("path-parts"):
        return f"lies in {len(parts) - 1:,} folders; {raise_hint('path-parts')}"
    if len(name) > LONGEST_PATH or any(
        len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME for part in parts
    ):
        return (
            f"has a name longer than file systems take ({LONGEST_NAME} bytes a part, {LONGEST_PATH:,} in all)"
        )
    return "leads out of the archive" if ".." in parts else ""


def _size_fault(member: ArchiveMember, limits: ArchiveLimits) -> str:
    if member.n_bytes > limits.member_bytes:
        return f"unpacks to {member.n_bytes:,} bytes (limit {limits.member_bytes:,})"
    if member.n_bytes > limits.ratio_floor and member.n_bytes > limits.ratio * max(1, member.packed):
        return f"unpacks from {member.packed:,} to {member.n_bytes:,} bytes"
    return ""


def shown_name(name: str) -> str:
    """Return a member's name as a message shows it: ASCII, and not longer than a line."""
    text = ascii(name)[1:-1]
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… ({len(name):,} characters)"


def too_many(archive: Path, limits: ArchiveLimits) -> DataError:
    """Return the error for an archive with more members than the limit."""
    return DataError(
        f"{archive.name} is refused: it has more than {limits.entries:,} members. Unpack it yourself and point at "
        "the folder, or raise the limit with --limit archive-members=NUMBER."
    )


def check_zip_directory(archive: Path, limits: ArchiveLimits) -> None:
    """Refuse a zip archive with too many members before `zipfile` makes an object of each.

    The entries of the central directory are counted by their signature, so what the archive's own counter says
    does not matter (APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16).

    Raises:
        DataError: more members than the limit, or a directory larger than so many may need.
    """
    n_file = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, n_file - END_REACH))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < 22:
            return  # no zip archive: zipfile says so
        # the size of the central directory, which ends where this record begins (4.3.16)
        n_directory, end = struct.unpack_from("<L", tail, at + 12)[0], n_file - len(tail) + at
        # ZIP64 where its locator stands in front of the end record (4.3.15): a member's name may hold its signature
        record = (
            tail.rfind(b"PK\x06\x06", 0, at) if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07") else -1
        )
        if record >= 0 and at - record >= 76:  # 56 bytes of the record, 20 of the locator
            n_directory, end = struct.unpack_from("<Q", tail, record + 40)[0], n_file - len(tail) + record
        # an entry has 46 bytes and its name (4.3.12)
        if n_directory > min(end, limits.entries * (46 + LONGEST_PATH)):
            raise too_many(archive, limits)
        file.seek(end - n_directory)
        count, carried = 0, b""
        while n_directory > 0 and (block := file.read(min(n_directory, 1 << 20))):
            n_directory -= len(block)
            block = carried + block
            # the last three bytes may begin a signature that ends in the next block
            count, carried = count + block.count(b"PK\x01\x02"), block[-3:]
            if count > limits.entries:
                raise too_many(archive, limits)


def clean_name(name: str) -> str:
    """Return a member's name as a relative path: "./yes//a.png" is "yes/a.png"."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))
