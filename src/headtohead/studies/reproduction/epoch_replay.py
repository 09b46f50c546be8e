"""Training watched epoch by epoch on chosen images: what a published study did, so that it can be shown.

Nothing in a comparison uses this: choosing an epoch by what `watch_*` returns for scored images is
the very mistake that `headtohead reproduce` measures. Taking the last epoch is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.training.checkpoint import fingerprint
from headtohead.training.data_loader import ImageSource, Pixels, get_augmenter
from headtohead.training.settings import FinetuneSettings

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord

__all__ = ["STUDY", "augmented_rows", "train_head_per_epoch", "train_network_per_epoch"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
FROZEN = FinetuneSettings(head_start="random", augment="none")


STUDY = "study"  # the preset of rotation and sharpness


def augmented_rows(
    record: BackboneRecord,
    source: ImageSource,
    indices: Ints,
    copies: int,
    seed: int,
    reporter: Reporter = QUIET,
) -> npt.NDArray[np.float32]:
    """Return frozen features (1 + copies, n, D): of the images, and of changed copies of them."""
    from headtohead.training.setup import loader, start_training
    from headtohead.training.trainer import Subset

    part = Subset(indices, np.zeros(len(indices), dtype=np.int64))
    augmenter = get_augmenter(STUDY)
    training = start_training(
        loader(record), source, augmenter, part, FROZEN, seed=seed, k=2, precision="auto", reporter=reporter
    )
    rows = [training.features(indices)]
    for copy in range(1, copies + 1):

        def change(place: int, pixels: Pixels, copy: int = copy) -> Pixels:
            number = source.number(int(indices[place]))
            return augmenter.run(np.random.default_rng([seed, copy, number]), pixels)

        rows.append(training.features(indices, change))
    return np.stack(rows)


def train_head_per_epoch(
    rows: npt.NDArray[Any], labels: Ints, asked: npt.NDArray[Any], k: int, *, epochs: int, seed: int
) -> Floats:
    """Train a softmax layer on frozen features; return (epochs, n, k) probabilities after each epoch.

    Adam at 1e-3, batches of 16, dropout 0.5 before the layer: the usual head on a frozen network.

    Args:
        rows: (n_train, D), changed copies included; labels: (n_train,); asked: (n, D).
    """
    import torch
    from torch import nn

    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1.0)
    inputs = torch.from_numpy(((rows - mean) / scale).astype(np.float32))
    question = torch.from_numpy(((asked - mean) / scale).astype(np.float32))
    targets = torch.from_numpy(labels)
    told = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Dropout(0.5), nn.Linear(rows.shape[1], k))
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(epochs):
            net.train()
            for places in torch.split(torch.randperm(len(inputs)), 16):
                optimizer.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(net(inputs[places]), targets[places]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            net.eval()
            with torch.inference_mode():
                told.append(torch.softmax(net(question).double(), dim=1).numpy())
    return np.stack(told)


def train_network_per_epoch(
    record: BackboneRecord,
    source: ImageSource,
    train: tuple[Ints, Ints],
    watched: tuple[Ints, Ints],
    settings: FinetuneSettings,
    *,
    k: int,
    seed: int,
    workdir: Path,
    reporter: Reporter = QUIET,
) -> Floats:
    """Fine-tune a network; return (epochs, n, k) probabilities on the watched images after each epoch.

    Args:
        train, watched: (indices, labels).
        workdir: for checkpoints; a killed call goes on there.
    """
    from headtohead.training.setup import loader, start_training
    from headtohead.training.trainer import Subset

    part, held = Subset(*train), Subset(*watched)
    training = start_training(
        loader(record),
        source,
        get_augmenter(STUDY),
        part,
        settings,
        seed=seed,
        k=k,
        precision="auto",
        reporter=reporter,
    )
    facts = {
        "record": record.name,
        "mean": record.mean,
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
    }
    parts = {"train": train[0].tolist(), "watched": watched[0].tolist(), "bf16": training.bf16}
    training.run(settings.epochs, held, workdir / "network.pt", fingerprint({**facts, **parts}), reporter)
    (workdir / "network.pt").unlink(missing_ok=True)
    return np.stack(training.held_rows)
