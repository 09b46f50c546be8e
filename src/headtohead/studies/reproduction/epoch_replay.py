"""Training with predictions after every epoch, as the published study did, so that its flaw can be measured.

Nothing in a comparison uses this: choosing an epoch by the predictions of scored images is the very
mistake that `headtohead reproduce` measures. Taking the last epoch is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.training.checkpoint import fingerprint
from headtohead.training.data_loader import ImageSource, Pixels, get_augmenter
from headtohead.training.records import Floats, Ints
from headtohead.training.settings import FinetuneSettings

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord

__all__ = ["augmented_rows", "train_head_per_epoch", "train_network_per_epoch"]

FROZEN = FinetuneSettings(head_start="random", augment="none")
PRESET = "study"  # the augmentation of the published study: rotation and sharpness
BATCH = 16  # and its batch


def augmented_rows(
    record: BackboneRecord,
    source: ImageSource,
    indices: Ints,
    copies: int,
    seed: int,
    reporter: Reporter = QUIET,
) -> npt.NDArray[np.float32]:
    """Return frozen features (1 + copies, n, D): of the images, and of augmented copies of them.

    Args:
        record: the network.
        source: the images.
        indices: (n,) which of them.
        copies: how many augmented copies.
        seed: of the augmentation.
        reporter: hears how far the extraction is.
    """
    from headtohead.training.setup import TrainingSetup, loader
    from headtohead.training.trainer import Subset

    part = Subset(indices, np.zeros(len(indices), dtype=np.int64))
    augmenter = get_augmenter(PRESET)
    setup = TrainingSetup(loader(record), source, augmenter, FROZEN)
    training = setup.start(part, seed=seed, k=2, reporter=reporter)
    rows = [training.features(indices)]
    for copy in range(1, copies + 1):

        def augment(position: int, pixels: Pixels, copy: int = copy) -> Pixels:
            number = source.number(int(indices[position]))
            return augmenter.run(np.random.default_rng([seed, copy, number]), pixels)

        rows.append(training.features(indices, augment))
    return np.stack(rows)


def train_head_per_epoch(
    rows: npt.NDArray[Any], labels: Ints, query: npt.NDArray[Any], k: int, *, epochs: int, seed: int
) -> Floats:
    """Train a softmax layer on frozen features; return (epochs, n, k) probabilities after each epoch.

    Adam at 1e-3, batches of 16, dropout 0.5 before the layer: the usual head on a frozen network.

    Args:
        rows: (n_train, D), augmented copies included.
        labels: (n_train,) class indices.
        query: (n, D) features to predict after each epoch.
        k: number of classes.
        epochs: passes over the training rows.
        seed: of initial weights, dropout and order.
    """
    import torch
    from torch import nn

    # From the training rows alone: nothing but the epoch may be chosen on the scored images.
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1.0)
    inputs = torch.from_numpy(((rows - mean) / scale).astype(np.float32))
    query_inputs = torch.from_numpy(((query - mean) / scale).astype(np.float32))
    targets = torch.from_numpy(labels)
    by_epoch = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Dropout(0.5), nn.Linear(rows.shape[1], k))
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(epochs):
            net.train()
            for batch in torch.split(torch.randperm(len(inputs)), BATCH):
                optimizer.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(net(inputs[batch]), targets[batch]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            net.eval()
            with torch.inference_mode():
                by_epoch.append(torch.softmax(net(query_inputs).double(), dim=1).numpy())
    return np.stack(by_epoch)


def train_network_per_epoch(
    record: BackboneRecord,
    source: ImageSource,
    settings: FinetuneSettings,
    train: tuple[Ints, Ints],
    watched: tuple[Ints, Ints],
    *,
    k: int,
    seed: int,
    workdir: Path,
    reporter: Reporter = QUIET,
) -> Floats:
    """Fine-tune a network; return (epochs, n, k) probabilities on the watched images after each epoch.

    Args:
        record: the network.
        source: the images.
        settings: of the training.
        train, watched: (indices, labels).
        k: number of classes.
        seed: of the training.
        workdir: for checkpoints; a killed call goes on there.
        reporter: hears how far the training is.
    """
    from headtohead.training.setup import TrainingSetup, loader
    from headtohead.training.trainer import Subset

    part, scored = Subset(*train), Subset(*watched)
    setup = TrainingSetup(loader(record), source, get_augmenter(PRESET), settings)
    training = setup.start(part, seed=seed, k=k, reporter=reporter)
    facts = {
        "record": record.name,
        "mean": record.mean,
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
    }
    parts = {"train": train[0].tolist(), "watched": watched[0].tolist(), "bf16": training.bf16}
    training.run(settings.epochs, scored, workdir / "network.pt", fingerprint({**facts, **parts}), reporter)
    (workdir / "network.pt").unlink(missing_ok=True)
    return np.stack(training.held_rows)
