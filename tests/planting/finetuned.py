"""Images and a network small enough to fine-tune in a test, and a process that dies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from headtohead.backbones.record import BackboneRecord
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.fine_tuning import FineTuningHead
from headtohead.heads.network_training import NetworkTraining
from headtohead.training.data_loader import ImageSource
from headtohead.training.settings import FinetuneSettings

SIDE = 24


class Blobs:
    """Noise with a bright spot at the top for class 1, at the bottom for class 0."""

    def __init__(self, n: int, seed: int = 0, strength: float = 0.9) -> None:
        rng = np.random.default_rng(seed)
        self.labels = np.arange(n) % 2
        self.array = rng.uniform(0, 0.3, (n, SIDE, SIDE)).astype(np.float32)
        for row, label in enumerate(self.labels):
            top = 4 if label else SIDE - 9
            left = rng.integers(2, SIDE - 8)
            self.array[row, top : top + 5, left : left + 5] += strength * 0.7
        self.array = np.clip(self.array, 0, 1)
        self.asked: set[int] = set()

    def pixels(self, index: int) -> npt.NDArray[np.float32]:
        self.asked.add(index)
        picked: npt.NDArray[np.float32] = self.array[index]
        return picked

    def normalise(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.repeat((pixels[None] - 0.5) / 0.5, 3, axis=0)

    def number(self, index: int) -> int:
        return index * 7919 + 13


class Tiny(nn.Module):
    """Two convolutions with batch norm: a backbone in the shape that heads expect."""

    def __init__(self, seed: int, drop_path: float = 0.0) -> None:
        super().__init__()
        del drop_path
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU())
            self.top = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU())
        self.n_features = 32

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(self.top(self.stem(x)), (2, 1)).flatten(1)

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        return [("stem", list(self.stem.parameters())), ("top", list(self.top.parameters()))]


def record(source: str = "timm-hub") -> BackboneRecord:
    return BackboneRecord.model_validate(
        {
            "name": "tiny", "family": "cnn", "source": source, "model_id": "tiny", "architecture": "tiny",
            "input_size": SIDE, "mean": (0.5,) * 3, "std": (0.5,) * 3, "pretraining": "none",
            "licence": "none", "paper": "none",
        }
    )  # fmt: skip


def cell_of(n: int, n_train: int, seed: int = 3) -> tuple[FoldJob, SampleLabels]:
    labels = np.arange(n, dtype=np.int64) % 2
    groups = np.asarray([f"g{i // 2}" for i in range(n)], dtype=object)
    return FoldJob(0, 0, np.arange(n_train), np.arange(n_train, n), seed), SampleLabels(
        labels, groups, ("no", "yes")
    )


def run(
    folder: Path,
    settings: FinetuneSettings,
    images: Any = None,
    build: Callable[[int, float], nn.Module] = Tiny,
    source: str = "timm-hub",
    precision: str = "fp32",
) -> FoldResult:
    images = images or Blobs(60)
    cell, data = cell_of(60, 44)
    networks = NetworkTraining(record(source), images, device="cpu", precision=precision, build=build)
    head = FineTuningHead(networks, settings)
    return head.fit_predict(cell, data, folder)


def short(**changes: Any) -> FinetuneSettings:
    return FinetuneSettings(**{"epochs": 3, "learning_rate": 3e-3, "batch": 8, "workers": 0, **changes})


def head_of(settings: FinetuneSettings, **more: Any) -> FineTuningHead:
    return FineTuningHead(tiny_network(Blobs(60)), settings, **more)


def tiny_network(images: ImageSource, precision: str = "fp32") -> NetworkTraining:
    """Return the smallest network that can be trained on the images."""
    return NetworkTraining(record(), images, device="cpu", precision=precision, build=Tiny)


class Killed(BaseException):
    pass


class DiesAt(Blobs):
    """Stops the process after so many images, as a kill would."""

    def __init__(self, n: int, after: int) -> None:
        super().__init__(n)
        self.left = after

    def pixels(self, index: int) -> npt.NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return super().pixels(index)
