"""The whole command on small made-up images and tiny random networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headtohead.core.config import ReproductionConfig
from headtohead.core.errors import ChangedConfigError
from headtohead.studies.reproduction.reproduce import reproduce_study


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
    cnn, vit = "scratch:test_resnet", "scratch:test_vit"
    config = ReproductionConfig(
        data=str(tmp_path / "data"),
        cnn=cnn,
        vit=vit,
        splits=1,
        many_splits=2,
        head_epochs=2,
        epochs=1,
        n_boot=200,
    )
    out = tmp_path / "out"
    content = reproduce_study(config, out).json("reproduce.json")
    assert content["networks"] == {"cnn": cnn, "vit": vit, "stand_in": True}
    assert "standing in for" in content["title"]
    assert content["steps"][-1]["cnn"]["n_samples"] == content["images"] == 40
    assert (out / "waterfall.svg").read_text().startswith("<svg")
    assert content["title"] in (out / "reproduce.html").read_text()
    contract = (
        "study.toml", "provenance.json", "samples.parquet", "audit.json", "folds.parquet", "leak_proof.json",
        "predictions.parquet", "scores.json", "comparisons.json", "verdict.json",
    )  # fmt: skip
    assert all((out / name).is_file() for name in contract)
    before = (out / "reproduce.json").read_bytes()
    reproduce_study(config, out)
    assert (out / "reproduce.json").read_bytes() == before
    with pytest.raises(ChangedConfigError, match="splits"):
        reproduce_study(config.model_copy(update={"splits": 2}), out)
