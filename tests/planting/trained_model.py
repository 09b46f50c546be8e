"""Tiny data on disk, a finished run on it, and models trained from that run."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from headtohead.core.config import StudyConfig
from headtohead.deploy.training.train import TrainRequest, train_bundle
from headtohead.studies.comparison import compare_study

PROBE = "scratch:test_efficientnet"
TUNED = f"{PROBE}@finetune"
FOLDS = f"folds({PROBE},2)"
CONTENDERS = (PROBE, FOLDS)
N = 48


@functools.cache
def data_folder(seed: int = 5, n: int = N) -> Path:
    """Return a folder of n images of two classes that differ in a bright disc."""
    root = Path(tempfile.mkdtemp(prefix="h2h-data-"))
    rng = np.random.default_rng(seed)
    for i in range(n):
        label = ("no", "yes")[i % 2]
        pixels = rng.normal(20, 6, (72, 64))
        rows, columns = np.mgrid[:72, :64]
        head = ((rows - 36) / 27) ** 2 + ((columns - 32) / 22) ** 2 < 1
        pixels[head] += 60 + rng.normal(0, 12, int(head.sum()))
        if label == "yes":
            at = 26 + rng.integers(0, 20, 2)
            pixels[(rows - at[0]) ** 2 + (columns - at[1]) ** 2 < 40] += 90
        (root / label).mkdir(exist_ok=True)
        Pillow.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(root / label / f"{i:02d}.bmp")
    return root


@functools.cache
def finished_run(*contenders: str) -> Path:
    """Return the folder of a finished run."""
    out = Path(tempfile.mkdtemp(prefix="h2h-run-")) / "run"
    config = StudyConfig.from_settings(
        {
            "data": str(data_folder()), "contenders": contenders or CONTENDERS, "folds": 2, "repeats": 1,
            "n_boot": 100, "recipe": "foreground", "precision": "fp32",
            "train": {"epochs": 1} if "@finetune" in str(contenders) else {},
        }
    )  # fmt: skip
    compare_study(config, out, cache=out.parent / "features")
    return out


@functools.cache
def trained(contender: str = PROBE, *contenders: str) -> Path:
    """Return the folder of a model trained from the finished run."""
    out = Path(tempfile.mkdtemp(prefix="h2h-model-")) / "model"
    train_bundle(TrainRequest(finished_run(*contenders), out, contender, cache=out.parent / "features"))
    return out
