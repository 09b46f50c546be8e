"""What lies in the cache: whose it is, how large, how old, and what may be removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.cache_contents import (
    CacheEntry,
    cache_entries,
    foreign_names,
    parse_age,
    remove_entries,
    select_entries,
)
from headtohead.core.cache_home import cache_home
from headtohead.core.errors import UnknownNameError, UsageError

DIGEST = "0123456789abcdef"
NETWORK = "openvino-" + "0" * 24


def put(path: Path, n_bytes: int, *, days_old: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * n_bytes)
    when = time.time() - days_old * 86400
    os.utime(path, (when, when))
    return path


def entry(name: str, kind: str = "features", age: float = 0.0) -> CacheEntry:
    return CacheEntry(kind, name, Path(name), 1, age)


def test_entries_are_whole_folders_largest_first(tmp_path: Path) -> None:
    folder = tmp_path / "features" / f"lite0-{DIGEST}"
    put(folder / "rows.npy", 10, days_old=3)
    put(folder / "deep" / "more.npy", 5, days_old=1)
    put(tmp_path / "networks" / NETWORK / "model.bin", 7)
    put(tmp_path / "summaries" / "images.sqlite", 40, days_old=2)
    found = cache_entries(tmp_path)
    assert [(one.kind, one.name, one.n_bytes) for one in found] == [
        ("summaries", "images.sqlite", 40),
        ("features", f"lite0-{DIGEST}", 15),
        ("networks", NETWORK, 7),
    ]
    assert found[1].age == pytest.approx(86400, abs=60), "the newest file of a folder tells its age"


def test_equal_sizes_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "c.json"):
        put(tmp_path / "hub" / name, 3)
    put(tmp_path / "graphs" / "z.onnx", 3)
    assert [one.name for one in cache_entries(tmp_path)] == ["z.onnx", "a.json", "b.json", "c.json"]


def test_an_empty_folder_and_a_clock_set_back_have_no_negative_age(tmp_path: Path) -> None:
    (tmp_path / "features" / f"empty-{DIGEST}").mkdir(parents=True)
    put(tmp_path / "hub" / "later.json", 1, days_old=-2)
    assert {one.name: one.n_bytes for one in cache_entries(tmp_path)} == {
        f"empty-{DIGEST}": 0,
        "later.json": 1,
    }
    assert all(one.age >= 0 for one in cache_entries(tmp_path))


def test_what_headtohead_did_not_name_is_foreign(tmp_path: Path) -> None:
    put(tmp_path / "features" / "lite0-0123456789abcde" / "rows.npy", 1)  # one digit short
    put(tmp_path / "features" / f"lite0-{DIGEST.upper()}" / "rows.npy", 1)
    put(tmp_path / "weights" / "net.safetensors", 1)
    put(tmp_path / "weights" / "net.pth", 1)
    put(tmp_path / "notes.txt", 1)
    put(tmp_path / "summaries", 1)  # a file in the place of a folder
    assert [one.name for one in cache_entries(tmp_path)] == ["net.safetensors"]
    assert (
        foreign_names(tmp_path)
        == [
            f"features/lite0-{DIGEST.upper()}",
            "features/lite0-0123456789abcde",
            "notes.txt",
            "summaries",
            "weights/net.pth",
        ]
        or os.name == "nt"
    )  # fnmatch ignores case there
    assert cache_entries(tmp_path / "none") == [] and foreign_names(tmp_path / "none") == []


def test_the_default_place_is_the_cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "hub" / "a.json", 1)
    put(tmp_path / "alien", 1)
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path))
    assert [one.name for one in cache_entries()] == ["a.json"] and foreign_names() == ["alien"]


def test_entries_are_selected_by_age_and_kind() -> None:
    entries = [entry("a", age=10.0), entry("b", "hub", age=20.0), entry("c", "hub", age=5.0)]
    assert select_entries(entries) == entries
    assert [one.name for one in select_entries(entries, older_than=10.0)] == ["a", "b"]
    assert [one.name for one in select_entries(entries, kinds=["hub"])] == ["b", "c"]
    assert [one.name for one in select_entries(entries, older_than=6, kinds=["hub", "features"])] == [
        "a",
        "b",
    ]
    with pytest.raises(UnknownNameError, match="Unknown kind of cache entry 'hubs'; did you mean 'hub'"):
        select_entries(entries, kinds=["hub", "hubs"])


def test_removing_tells_what_was_busy(tmp_path: Path) -> None:
    busy = tmp_path / "features" / f"busy-{DIGEST}"
    put(busy / "rows.npy", 1)
    put(tmp_path / "features" / f"free-{DIGEST}" / "rows.npy", 1)
    put(tmp_path / "hub" / "a.json", 1)
    with FileLock(busy / ".lock"):
        removed, kept = remove_entries(cache_entries(tmp_path))
    assert {one.name for one in removed} == {f"free-{DIGEST}", "a.json"}
    assert [one.name for one in kept] == [f"busy-{DIGEST}"]
    assert [one.name for one in cache_entries(tmp_path)] == [f"busy-{DIGEST}"]


def test_a_file_that_is_gone_already_counts_as_removed(tmp_path: Path) -> None:
    gone = CacheEntry("hub", "gone.json", tmp_path / "gone.json", 1, 0.0)
    assert remove_entries([gone]) == ([gone], [])


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1e6).map(lambda n: round(n, 3)), st.sampled_from("mhdw"))
def test_ages_scale_with_their_unit(number: float, unit: str) -> None:
    seconds = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}[unit]
    assert parse_age(f" {number:.3f} {unit} ") == pytest.approx(number * seconds)


@pytest.mark.parametrize("text", ["", "d", "1dd", "1.d", ".5d", "1,5d", "1e3d", "inf", "30 days", "- 1d"])
def test_other_ages_are_refused_by_their_text(text: str) -> None:
    with pytest.raises(UsageError, match="expected a number with m, h, d or w") as caught:
        parse_age(text)
    assert repr(text) in str(caught.value)


def test_the_cache_home_is_stated_or_below_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("HEADTOHEAD_HOME", "~/own")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/xdg")
    assert cache_home() == tmp_path / "own"
    monkeypatch.setenv("HEADTOHEAD_HOME", "")  # stated empty is not stated
    assert cache_home() == tmp_path / "xdg" / "headtohead"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_home() == tmp_path / ".cache" / "headtohead"
