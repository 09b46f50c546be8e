"""`headtohead cache`: lists what is kept, and removes nothing that is not headtohead's own."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from headtohead.cli.app import main
from headtohead.core.cache_contents import parse_age
from headtohead.core.errors import UsageError

OLD, NEW = "lite0-0123456789abcdef", "vit-fedcba9876543210"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with entries old and new, files of the user's own, and links that lead out of it."""
    home, outside = tmp_path / "cache", tmp_path / "outside"
    for path, size in (
        (home / "features" / OLD / "rows-1.npy", 3000),
        (home / "features" / NEW / "rows-2.npy", 100),
        (home / "weights" / "lite0-1-c1.safetensors", 5000),
        (home / "weights" / "my-thesis.docx", 10),
        (home / "photos" / "one.png", 10),
        (outside / "precious-0123456789abcdef" / "rows-1.npy", 10),
        (outside / "single.json", 10),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (home / "features" / "linked-0123456789abcdef").symlink_to(outside / "precious-0123456789abcdef")
    (home / "features" / OLD / "inside").symlink_to(outside / "precious-0123456789abcdef")
    (home / "hub").symlink_to(outside)
    (home / "weights" / "linked.json").symlink_to(outside / "single.json")
    before = time.time() - 40 * 86400
    for folder, _, names in os.walk(home / "features" / OLD):
        for name in names:
            os.utime(Path(folder) / name, (before, before), follow_symlinks=False)
    os.utime(home / "features" / OLD / "inside", (before, before), follow_symlinks=False)
    monkeypatch.setenv("HEADTOHEAD_HOME", str(home))
    return home


def untouched(home: Path) -> None:
    """Assert that nothing but the cache's own entries is gone."""
    outside = home.parent / "outside"
    assert (outside / "precious-0123456789abcdef" / "rows-1.npy").is_file()
    assert (outside / "single.json").is_file()
    assert (home / "photos" / "one.png").is_file()
    assert (home / "weights" / "my-thesis.docx").is_file()
    assert (home / "features" / "linked-0123456789abcdef").is_symlink()
    assert (home / "hub").is_symlink()
    assert (home / "weights" / "linked.json").is_symlink()


def test_list_tells_sizes_ages_and_what_is_not_ours(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["home"] == str(home)
    found = {entry["name"]: entry for entry in told["entries"]}
    assert set(found) == {OLD, NEW, "lite0-1-c1.safetensors"}
    assert found[OLD]["age_days"] == pytest.approx(40, abs=0.1)
    assert found[NEW]["age_days"] == pytest.approx(0, abs=0.1)
    assert found["lite0-1-c1.safetensors"]["bytes"] == 5000
    assert set(told["others"]) == {
        "hub", "photos", "features/linked-0123456789abcdef", "weights/linked.json", "weights/my-thesis.docx",
    }  # fmt: skip
    assert main(["cache", "list", "--kind", "weights"]) == 0
    said = capsys.readouterr().out
    assert "5.0 kB (1 of weights)" in said
    assert OLD not in said


def test_prune_removes_what_is_old_and_nothing_else(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "prune", "--older-than", "30d", "--dry-run"]) == 0
    assert "Would remove" in capsys.readouterr().out
    assert (home / "features" / OLD).is_dir()
    assert main(["cache", "prune", "--older-than", "30d"]) == 0
    assert OLD in capsys.readouterr().out
    assert not (home / "features" / OLD).exists()
    assert (home / "features" / NEW / "rows-2.npy").is_file()
    untouched(home)


def test_clear_wants_a_yes_and_stays_inside(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear"]) == 2
    assert "Add --yes" in capsys.readouterr().err
    assert (home / "features" / NEW).is_dir()
    assert main(["cache", "clear", "--yes", "--json"]) == 0
    removed = {entry["name"] for entry in json.loads(capsys.readouterr().out)["removed"]}
    assert removed == {OLD, NEW, "lite0-1-c1.safetensors"}
    assert not (home / "features" / OLD).exists()
    untouched(home)
    assert main(["cache", "clear"]) == 0, "nothing is left to remove"


def test_what_is_being_written_is_kept(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FileLock(home / "features" / NEW / ".lock"):
        assert main(["cache", "clear", "--yes", "--kind", "features"]) == 0
    assert f"kept: {NEW}" in capsys.readouterr().out
    assert (home / "features" / NEW / "rows-2.npy").is_file()
    assert not (home / "features" / OLD).exists()


def test_an_unknown_kind_or_age_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "list", "--kind", "feature"]) == 2
    assert "did you mean 'features'" in capsys.readouterr().err
    for text in ("soon", "-3d", "3y"):
        with pytest.raises(UsageError, match="expected a number"):
            parse_age(text)


def test_an_empty_cache_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "none"))
    assert main(["cache", "list"]) == 0
    assert "nothing" in capsys.readouterr().out
