"""A received folder of links, pipes and devices: nothing outside is read unasked, and no walk goes on for ever."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from headtohead.core.errors import DataError, ManifestError, UnreadableError
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.storage.folder import FolderStore
from headtohead.data.storage.open import open_store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes")


def _image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.random.default_rng(seed).integers(0, 255, (16, 16), dtype=np.uint8)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for seed, name in enumerate(("yes/0.png", "yes/1.png", "no/0.png", "no/1.png")):
        _image(tmp_path / "data" / name, seed)
    for seed in range(3):
        _image(tmp_path / "elsewhere" / f"{seed}.png", 10 + seed)
    return tmp_path / "data"


def test_links_out_of_the_folder_are_problems(root: Path) -> None:
    (root / "yes" / "extra").symlink_to(root.parent / "elsewhere", target_is_directory=True)
    (root / "no" / "one.png").symlink_to(root.parent / "elsewhere" / "0.png")
    data = load(str(root))
    assert len(data) == 4
    assert {problem.path for problem in data.problems} == {"yes/extra", "no/one.png"}
    assert all("leads out of the folder" in problem.reason for problem in data.problems)
    assert len(load(str(root), LoadOptions(follow_links=True))) == 8


def test_links_inside_the_folder_are_followed(root: Path) -> None:
    (root / "yes" / "again.png").symlink_to(root / "no" / "0.png")
    assert len(load(str(root))) == 5


def test_the_data_itself_may_be_a_link(root: Path) -> None:
    (root.parent / "short").symlink_to(root, target_is_directory=True)
    assert len(load(str(root.parent / "short"))) == 4


def test_folders_that_link_to_each_other_are_not_walked_in_all_orders(root: Path) -> None:
    names = [f"f{i}" for i in range(10)]
    for name in names:
        _image(root / "yes" / name / "x.png", 0)
    for one, other in itertools.permutations(names, 2):
        (root / "yes" / one / other).symlink_to(root / "yes" / other, target_is_directory=True)
    began = time.process_time()
    found = list(FolderStore(root).files())
    assert time.process_time() - began < 3
    assert len(found) == 4 + 10 + 90


def test_a_pipe_as_data_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("pipe.csv", "pipe.csv/x"):
        with pytest.raises(DataError):
            load(str(tmp_path / name))


@pytest.mark.parametrize("place", ["/proc", "/proc/self", "/dev", "/dev/zero", "/sys"])
def test_the_system_s_own_folders_are_refused(place: str) -> None:
    if not Path(place).exists():
        pytest.skip(f"no {place} here")
    with pytest.raises(DataError, match="belongs to the operating system"):
        open_store(place)


def test_what_is_no_regular_file_is_not_opened(root: Path) -> None:
    os.mkfifo(root / "yes" / "pipe.png")
    (root / "yes" / "zero.png").symlink_to("/dev/zero")
    (root / "yes" / "round.png").symlink_to("round.png")
    store = FolderStore(root, follow_links=True)
    assert {file.path for file in store.files()} == {
        "yes/0.png", "yes/1.png", "no/0.png", "no/1.png", "yes/round.png"
    }  # fmt: skip
    for name in ("yes/pipe.png", "yes/zero.png", "yes/round.png", "yes/none.png"):
        with pytest.raises(UnreadableError):
            store.read(name)


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="no /proc here")
def test_a_file_of_proc_is_never_read(root: Path) -> None:
    """It says that it is empty, and a read of it never ends."""
    (root / "yes" / "k.png").symlink_to("/proc/kmsg")
    store = FolderStore(root, follow_links=True)
    assert store.read("yes/k.png") == b""
    assert store.read_prefix("yes/k.png") == b""


def test_a_file_that_grows_is_read_no_further_than_it_said(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = root / "yes" / "log.png"
    path.write_bytes(b"x" * 10_000)
    facts = path.stat()
    path.write_bytes(b"x" * 5_000_000)
    monkeypatch.setattr(Path, "stat", lambda self, **_: facts)
    assert len(FolderStore(root).read("yes/log.png")) <= 10_001


def test_a_table_that_points_elsewhere_says_so(root: Path) -> None:
    rows = "path,label\nyes/0.png,yes\nyes/1.png,yes\nno/0.png,no\n../elsewhere/0.png,no\n"
    (root / "t.csv").write_text(rows)
    assert any("1 of 4 files lie outside its folder" in note for note in load(str(root / "t.csv")).notes)


def test_a_table_of_links_that_lead_out_is_refused(root: Path) -> None:
    (root / "no" / "one.png").symlink_to(root.parent / "elsewhere" / "0.png")
    (root / "t.csv").write_text("path,label\nyes/0.png,yes\nyes/1.png,yes\nno/0.png,no\nno/one.png,no\n")
    with pytest.raises(ManifestError, match="links that lead out of its folder"):
        load(str(root / "t.csv"))
    assert len(load(str(root / "t.csv"), LoadOptions(follow_links=True))) == 4


def test_a_link_up_from_behind_another_link_is_not_walked(tmp_path: Path) -> None:
    (tmp_path / "set" / "yes").mkdir(parents=True)
    (tmp_path / "set" / "yes" / "0.png").write_bytes(b"x")
    (tmp_path / "set" / "yes" / "loop").symlink_to(tmp_path / "set")
    (tmp_path / "set2").mkdir()
    (tmp_path / "set2" / "yes").symlink_to(tmp_path / "set" / "yes")
    store = FolderStore(tmp_path / "set2", follow_links=True)
    assert [entry.path for entry in store.files()] == ["yes/0.png"]
