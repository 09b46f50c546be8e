"""The whole command on small made-up images and tiny random networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headtohead.studies.reproduction.reproduce import ReproductionPlan, reproduce

torch = pytest.importorskip("torch")


def make_images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("no", "yes"):
        (folder / label).mkdir(parents=True)
        for number in range(20):
            rows, columns = np.mgrid[:72, :64]
            head = ((rows - 36) / 30) ** 2 + ((columns - 32) / 24) ** 2 < 1
            image = np.where(head, 90 + 30 * rng.random((72, 64)), 2.0)
            for _ in range(12):
                top, left = rng.integers(12, 52), rng.integers(14, 44)
                image[top : top + 5, left : left + 5] += rng.uniform(-40, 40)
            if label == "yes":
                image[24:36, 26:38] = 230
            suffix = "JPG" if number % 4 == 0 else "png"
            Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(
                folder / label / f"{number}.{suffix}", format="PNG"
            )


@pytest.mark.slow
def test_every_state_is_run_and_a_second_call_repeats_it(tmp_path: Path) -> None:
    make_images(tmp_path / "data")
    plan = ReproductionPlan(splits=1, many_splits=2, head_epochs=2, epochs=1, n_boot=200)
    cnn, vit = "scratch:test_resnet", "scratch:test_vit"
    out = tmp_path / "out"
    told = reproduce(str(tmp_path / "data"), out, plan=plan, cnn=cnn, vit=vit)
    assert json.loads((out / "reproduce.json").read_text()) == told
    assert (
        told["networks"] == {"cnn": cnn, "vit": vit, "stand_in": True} and "standing in for" in told["title"]
    )
    assert told["steps"][-1]["cnn"]["n_samples"] == told["images"] == 40
    assert (out / "waterfall.svg").read_text().startswith("<svg xmlns=")
    assert told["title"] in (out / "reproduce.html").read_text()
    before = (out / "reproduce.json").read_bytes()
    reproduce(str(tmp_path / "data"), out, plan=plan, cnn=cnn, vit=vit)
    assert (out / "reproduce.json").read_bytes() == before
