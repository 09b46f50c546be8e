"""What an archive may hold: each bound at its last good value and one beyond, and the names that lead out."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.core.errors import DataError
from headtohead.data.storage.archive.members import (
    ArchiveLimits,
    ArchiveMember,
    clean_name,
    refuse_hostile,
    shown_name,
)

LIMITS = ArchiveLimits(entries=5, member_bytes=1000, total_bytes=2000, ratio=10.0, ratio_floor=100)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of 100 bytes."""
    (tmp_path / "a.zip").write_bytes(bytes(100))
    return tmp_path / "a.zip"


def member(name: str = "a.png", n_bytes: int = 50, packed: int = 50, fault: str = "") -> ArchiveMember:
    return ArchiveMember(name, n_bytes, packed, fault)


@pytest.mark.parametrize(
    "members",
    [
        [member(f"{i}.png") for i in range(5)],
        [member(n_bytes=1000, packed=100)],  # the size of one, and the ratio, as large as they may be
        [member(n_bytes=100, packed=1)],  # what is small may unpack to any multiple
        [member("a.png", 1000, 100), member("b.png", 1000, 100)],
        [member("a/..b.png"), member("...png"), member("./c.png"), member("d//e.png"), member("ä/ö.png")],
    ],
)
def test_the_last_good_value_is_read(archive: Path, members: list[ArchiveMember]) -> None:
    big = archive.with_name("big.zip")
    big.write_bytes(bytes(2000))  # large enough that the ratio over all members says nothing
    refuse_hostile(big, members, LIMITS)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([member(f"{i}.png") for i in range(6)], "it has more than 5 members"),
        ([member(n_bytes=1001, packed=1001)], r"a.png unpacks to 1,001 bytes \(limit 1,000\)"),
        ([member(n_bytes=101, packed=10)], "a.png unpacks from 10 to 101 bytes"),
        ([member(n_bytes=101, packed=0)], "unpacks from 0 to 101 bytes"),
        ([member("a.png", 600, 600), member("b.png", 600, 600)], "100 bytes claim to unpack to 1,200"),
        ([member("a.png"), member("./a.png")], "a.png is in the archive 2 times"),
        ([member(fault="is a link")], "a.png is a link"),
        ([member("../a.png")], "leads out of the archive"),
        ([member("a/../../b.png")], "leads out of the archive"),
        ([member("/etc/a.png")], "has an absolute path"),
        ([member("C:/a.png")], "has an absolute path"),
        ([member("c:a.png")], "has an absolute path"),
        ([member("a\\b.png")], "has a backslash or NUL"),
        ([member("a\0b.png")], "has a backslash or NUL"),
        ([member("./")], "has no name"),
        ([member("ä" * 128)], "longer than file systems take"),
        ([member("/".join(["a" * 200] * 21))], "longer than file systems take"),
    ],
)  # fmt: skip
def test_one_beyond_is_refused_by_name(archive: Path, members: list[ArchiveMember], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        refuse_hostile(archive, members, LIMITS)


def test_all_members_together_are_bounded(archive: Path) -> None:
    archive.write_bytes(bytes(2000))
    two = [member("a.png", 1000, 1000), member("b.png", 1000, 1000)]
    refuse_hostile(archive, two, LIMITS)
    with pytest.raises(DataError, match="2,000 bytes claim to unpack to 2,001"):
        refuse_hostile(archive, [*two, member("c.png", 1, 1)], LIMITS)


def test_a_name_as_long_as_file_systems_take_is_read(archive: Path) -> None:
    refuse_hostile(archive, [member("ä" * 127 + "a"), member("b" * 255)], LIMITS)


def test_names_as_messages_show_them() -> None:
    assert shown_name("ä\n\x1b[31m.png") == r"\xe4\n\x1b[31m.png"
    assert shown_name("a" * 120) == "a" * 120
    assert shown_name("a" * 1300) == "a" * 120 + "… (1,300 characters)"
    assert [clean_name(n) for n in ("./yes//a.png", "a/./b", ".", "")] == ["yes/a.png", "a/b", "", ""]
