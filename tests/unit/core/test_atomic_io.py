"""Files that are whole or absent, and places that are looked at before long work."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.atomic_io import check_writable, write_atomic, write_json, write_streamed, write_table
from headtohead.core.errors import RunFolderError


def test_a_place_that_can_be_written_is_returned_and_nothing_is_made(tmp_path: Path) -> None:
    for target in (tmp_path / "new.json", tmp_path / "a" / "b" / "c.json"):
        assert check_writable(target) == target
    assert check_writable(tmp_path / "a" / "run", folder=True) == tmp_path / "a" / "run"
    assert check_writable(tmp_path, folder=True) == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    assert check_writable(tmp_path / "old.json") == tmp_path / "old.json"


@pytest.mark.parametrize(
    ("name", "folder", "said"),
    [
        ("folder", False, "it is a folder, and a file is expected"),
        ("file", True, "it is a file, and a folder is expected"),
        ("file/below", False, "file is a file, not a folder"),
        ("file/below/deep", True, "file is a file, not a folder"),
    ],
)
def test_what_stands_in_the_way_is_named(tmp_path: Path, name: str, folder: bool, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunFolderError, match=said) as caught:
        check_writable(tmp_path / name, folder=folder)
    assert str(tmp_path / name) in str(caught.value)
    assert str(caught.value).endswith("Choose another --out.")


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so the system's answer is planted."""
    asked: list[tuple[Path, int]] = []

    def access(path: Path, mode: int) -> bool:
        asked.append((path, mode))
        return False

    monkeypatch.setattr(os, "access", access)
    with pytest.raises(RunFolderError, match="is read-only, or not yours"):
        check_writable(tmp_path / "a" / "b.json")
    assert asked == [(tmp_path, os.W_OK)], "the nearest folder that exists is the one to ask about"


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "deep" / "er" / "bytes.bin"
    write_atomic(path, content)
    assert path.read_bytes() == content


def test_text_is_utf8(tmp_path: Path) -> None:
    write_atomic(tmp_path / "t.txt", "größer 脳\n")
    assert (tmp_path / "t.txt").read_bytes() == "größer 脳\n".encode()


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "same.json"
    write_atomic(path, "same")
    os.utime(path, (1, 1))
    write_atomic(path, b"same")
    assert path.stat().st_mtime == 1
    write_atomic(path, b"sAme")  # of equal length
    assert path.read_text() == "sAme" and path.stat().st_mtime > 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_atomic(tmp_path / "shared.json", "{}")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "shared.json").stat().st_mode) == 0o640


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    write_atomic(tmp_path / "link", "new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "link").read_text() == "new" and not (tmp_path / "link").is_symlink()


def test_an_interrupted_stream_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(stream: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_streamed(tmp_path / "x.bin", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_system_names_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(OSError, match="target") as caught:
        write_atomic(tmp_path / "target", "text")
    assert caught.value.filename == str(tmp_path / "target")
    assert [item.name for item in tmp_path.iterdir()] == ["target"]


def test_json_is_readable_ordered_and_exact(tmp_path: Path) -> None:
    value = {"z": 0.1 + 0.2, "a": ["größer", 1e-320], "none": None}
    write_json(tmp_path / "v.json", value)
    text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert list(json.loads(text)) == ["z", "a", "none"], "the order is the writer's"
    assert text.endswith("}\n") and "größer" in text and text.count("\n") == 8


def test_a_table_comes_back_without_its_index(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["ä", None], "n": [1, 2]}, index=[5, 9])
    write_table(tmp_path / "t.parquet", table)
    found = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(found, table.reset_index(drop=True))
