"""Paths in a run folder lead to the same place again and tell neither user nor machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headtohead.core.config.places import kept, restored, without_home

pytestmark = pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")


def test_a_path_below_the_home_begins_with_a_tilde(home: Path) -> None:
    run = home / "runs" / "a"
    assert kept(str(home / "scans" / "x"), run) == "~/scans/x"
    assert kept("~/scans", run) == "~/scans"
    assert kept(str(home), run) == "~"
    assert restored("~/scans", run) == str(home / "scans")


def test_a_neighbour_whose_name_begins_like_the_home_is_not_below_it(home: Path) -> None:
    other = home.parent / "anna" / "scans"
    assert kept(str(other), home.parent / "anna" / "run") == "{run}/../scans"


def test_any_other_path_is_seen_from_the_run(tmp_path: Path, home: Path) -> None:
    assert home.is_dir()
    run = tmp_path / "work" / "run"
    text = kept(str(tmp_path / "data" / "scans"), run)
    assert text == "{run}/../../data/scans"
    assert restored(text, run) == str(tmp_path / "data" / "scans")
    moved = tmp_path / "elsewhere" / "work" / "run"
    assert restored(text, moved) == str(tmp_path / "elsewhere" / "data" / "scans"), "both moved together"


def test_a_path_through_the_parent_is_found_from_another_folder(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    text = kept("../scans", Path("run"))
    assert text == "{run}/../../scans"
    monkeypatch.chdir(home)
    assert restored(text, tmp_path / "work" / "run") == str(tmp_path / "scans")


@pytest.mark.parametrize(
    "path", ["scans", "scans/a b", "kaggle:navoneel/brain", "s3://bucket/x", "hf:a/b", "."]
)
def test_relative_paths_and_names_on_a_hub_stay_as_they_were_given(home: Path, path: str) -> None:
    assert kept(path, home / "run") == path
    assert restored(path, home / "run") == path


def test_a_folder_that_is_named_like_the_mark_is_not_taken_for_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    text = kept("{run}/scans", home.parent / "out")
    assert text == "{run}/../{run}/scans"
    assert restored(text, home.parent / "out") == str(home.parent / "{run}" / "scans")


def test_a_home_that_is_a_link_is_known_by_both_of_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    for name in ("link", "real"):
        assert kept(str(tmp_path / name / "scans"), tmp_path / "run") == "~/scans"


def test_a_home_that_is_the_root_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert kept(str(tmp_path / "scans"), tmp_path / "run") == "{run}/../scans"
    assert without_home(f"path:{tmp_path}/net.pth") == f"path:{tmp_path}/net.pth"


def test_the_home_of_nobody_known_is_a_name_like_any_other(home: Path) -> None:
    """A `study.toml` that was written by hand, or comes from another machine."""
    assert restored("~no-such-user-here/scans", home / "run") == "~no-such-user-here/scans"


def test_only_the_paths_of_a_contenders_weights_lose_the_home(home: Path) -> None:
    expression = f"ensemble(path:{home}/a.pth?arch=resnet18,path:/opt/b.pth@finetune,timm:x,path:c.pth)"
    assert without_home(expression) == (
        "ensemble(path:~/a.pth?arch=resnet18,path:/opt/b.pth@finetune,timm:x,path:c.pth)"
    )
    assert without_home(f"path:{home}nabel/a.pth") == f"path:{home}nabel/a.pth"
