"""Which images an export compares answers on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from headtohead.api.export import export
from headtohead.core.errors import UsageError


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the jobs that were asked for; nothing is exported."""
    import importlib

    given: list[Any] = []
    write = importlib.import_module("headtohead.deploy.export.write")
    load = importlib.import_module("headtohead.deploy.load")
    monkeypatch.setattr(load, "load_model", lambda path: f"model {path}")
    monkeypatch.setattr(
        write, "export_model", lambda job, to, out, reporter: given.append((job, to, out)) or "parity"  # type: ignore[func-returns-value]
    )  # fmt: skip
    return given


def folder(path: Path, n: int) -> Path:
    (path / "deep").mkdir(parents=True)
    for i in range(n):
        Pillow.fromarray(np.full((4, 4), i, np.uint8)).save(
            path / ("deep" if i % 2 else ".") / f"{i:02d}.png"
        )
    (path / "notes.txt").write_text("no image")
    return path


def names(job: Any) -> list[str]:
    return [Path(name).name for name, _ in job.images]


def test_folders_are_searched_for_images_and_files_are_taken_as_they_are(
    jobs: list[Any], tmp_path: Path
) -> None:
    images = folder(tmp_path / "in", 4)
    assert export("m", tmp_path / "m.onnx", to="onnx", images=images, quiet=True) == "parity"  # type: ignore[comparison-overlap]
    job, to, out = jobs[0]
    assert names(job) == ["00.png", "02.png", "01.png", "03.png"] and (to, out) == (
        "onnx",
        tmp_path / "m.onnx",
    )
    assert job.images[0][1] == (images / "00.png").read_bytes() and job.model == "model m"
    export("m", "o", to="torch", images=[images / "notes.txt", str(images / "deep")], quiet=True, int8=True)
    assert names(jobs[1][0]) == ["notes.txt", "01.png", "03.png"] and jobs[1][0].int8 is True


def test_of_many_images_as_many_as_asked_are_taken_over_all(jobs: list[Any], tmp_path: Path) -> None:
    images = folder(tmp_path / "in", 11)
    export("m", "o", to="onnx", images=images / "deep", most_images=3, quiet=True)
    assert names(jobs[0][0]) == ["01.png", "05.png", "09.png"]
    export("m", "o", to="onnx", images=images / "deep", most_images=4, quiet=True)
    assert names(jobs[1][0]) == ["01.png", "05.png", "09.png"], "every second: never more than asked for"
    export("m", "o", to="onnx", images=images / "deep", quiet=True)
    assert len(names(jobs[2][0])) == 5


@given(st.integers(1, 300), st.integers(1, 60))
def test_never_more_images_than_asked(n: int, most: int) -> None:
    assert len(range(n)[:: max(1, -(-n // most))]) <= most


def test_a_path_that_does_not_exist_is_told(jobs: list[Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        export("m", "o", to="onnx", images=tmp_path / "nowhere", quiet=True)
    assert str(told.value) == (
        f"Got {tmp_path / 'nowhere'}, which does not exist; expected an image or a folder of images."
    )
    assert jobs == []
