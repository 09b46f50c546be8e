"""A disk that takes no more: one line that names the file, nothing torn, and the same command goes on afterwards.

The kernel's limit on the size of a file stands for the full disk: a write past it fails at the same places.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from headtohead.cli import app
from headtohead.core.atomic_io import write_atomic, write_table
from headtohead.training.checkpoint import save_checkpoint

resource = pytest.importorskip("resource", reason="limits on the size of files need POSIX")


@contextmanager
def full_disk(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_old_checkpoint_stays_whole(tmp_path: Path) -> None:
    """Torch tells a full disk as a file of another length than it should have."""
    path = tmp_path / "main.pt"
    save_checkpoint(path, "key", {"step": torch.ones(10)})
    before = path.read_bytes()
    with full_disk(100_000), pytest.raises(OSError, match="too large") as caught:
        save_checkpoint(path, "key", {"step": torch.ones(1_000_000)})
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_whole(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    write_table(table, pd.DataFrame({"a": [1, 2]}))
    before = table.read_bytes()
    with full_disk(4_000):
        with pytest.raises(OSError, match="too large") as caught:
            write_table(table, pd.DataFrame({"a": np.random.default_rng(0).random(5000)}))
        with pytest.raises(OSError, match="too large"):
            write_atomic(tmp_path / "new.json", "x" * 9_000)
    assert caught.value.filename == str(table), "the user's name of the file, not that of the temporary one"
    assert table.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["t.parquet"]


@pytest.mark.slow
def test_an_audit_says_which_file_and_goes_on_to_the_same_digits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(1)
    for label in ("no", "yes"):
        (tmp_path / "d" / label).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 255, (24, 24), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "d" / label / f"{number}.png")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert app.main(["audit", str(tmp_path / "d"), "--out", str(whole)]) == 0
    capsys.readouterr()
    with full_disk(3_000):
        status = app.main(["audit", str(tmp_path / "d"), "--out", str(cut)])
    said = capsys.readouterr().err
    assert status == 1
    line = said.strip().splitlines()[-1]
    assert line.startswith(f"headtohead: Cannot use {cut}") and "not foreseen" not in said
    assert not [path for path in cut.rglob(".*") if path.is_file() and path.name != ".lock"]
    assert app.main(["audit", str(tmp_path / "d"), "--out", str(cut)]) == 0
    for name in ("audit.json", "groups.csv"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes()
