"""Tar archives named by one pattern: every member is found under the name that it is listed by."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.storage.shards import ShardStore


def pack(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("pattern", ["*.tar", "*/*.tar", "**/*.tar"])
def test_each_member_is_read_under_its_listed_name(tmp_path: Path, pattern: str) -> None:
    folder = tmp_path if pattern == "*.tar" else tmp_path / "train"
    # the same member name in both, and a folder inside that is called like an archive
    pack(folder / "a.tar", {"no/x.png": b"first", "a.tar/x.png": b"inner"})
    pack(folder / "b.tar", {"no/x.png": b"second"})
    store = ShardStore(str(tmp_path / pattern))
    listed = {entry.path: entry.n_bytes for entry in store.files()}
    contents = {path: store.read(path) for path in listed}
    assert sorted(contents.values()) == [b"first", b"inner", b"second"]
    assert listed == {path: len(content) for path, content in contents.items()}
    assert {path: store.read_prefix(path) for path in listed} == contents


def test_a_member_of_no_archive_is_told(tmp_path: Path) -> None:
    pack(tmp_path / "a.tar", {"x.png": b"one"})
    store = ShardStore(str(tmp_path / "*.tar"))
    for path in ("c.tar/x.png", "a.tar", "x.png", ""):
        with pytest.raises(UnreadableError, match="there is no such member"):
            store.read(path)
    with pytest.raises(UnreadableError):
        store.read("a.tar/other.png")


def test_files_that_only_end_like_archives_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"plain text, no archive" * 40)
    with pytest.raises(DataError, match="No tar archive"):
        ShardStore(str(tmp_path / "*.tar"))


def test_hidden_files_and_caches_are_left_out(tmp_path: Path) -> None:
    for name in (".hidden.tar", "cache-1.tar", "a.tar"):
        pack(tmp_path / name, {"x.png": name.encode()})
    assert [entry.path for entry in ShardStore(str(tmp_path / "*.tar")).files()] == ["a.tar/x.png"]
