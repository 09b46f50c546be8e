"""headtohead's own training of the same network on the same files, in the arithmetic that it chooses by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from common import BATCH, Clock, arguments, emit

from headtohead import __version__
from headtohead.backbones.catalog import resolve
from headtohead.core.progress import QUIET
from headtohead.data.load import load
from headtohead.preprocess.recipe import get_recipe
from headtohead.training.data_loader import DatasetImages, get_augmenter
from headtohead.training.records import Subset
from headtohead.training.settings import FinetuneSettings
from headtohead.training.setup import TrainingSetup, loader


class Steps:
    """A reporter that notes when the next batch is asked for, which is when the one before has ended."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.said = clock, ""

    def info(self, message: str) -> None:
        """Keep what is said last."""
        self.said = message

    warning = info

    def progress(self, items: Any, label: str, total: int | None = None) -> Any:
        """Note the end of each batch."""
        del label, total
        for item in items:
            yield item
            self.clock.tick()


def main() -> None:
    """Train one epoch and print images/s."""
    given, clock = arguments(), Clock()
    # with the statistics that `whole.py` gives it: born with others, its features are nearly the same for any image,
    # bf16 would lose what is left, and rightly be refused, which no pretrained network needs
    record = resolve(
        f"path:{given.weights}?arch={given.network}" if given.weights else f"scratch:{given.network}"
    )
    dataset = load(given.data)
    images = DatasetImages(dataset, record, get_recipe("none"))
    n = len(dataset.samples) // BATCH * BATCH
    # AdamW on all weights at one rate, statistics of batches and a new head, as the others do
    settings = FinetuneSettings(
        head_start="random", batch=BATCH, epochs=2, batch_norm="train", layer_decay=1.0
    )
    part = Subset(np.arange(n), np.asarray(dataset.labels())[:n])
    training = TrainingSetup(loader(record), images, get_augmenter("light"), settings).start(
        part, seed=0, k=2, reporter=QUIET
    )
    training._epoch(0, "", Steps(clock))
    emit(clock.speed(), headtohead=__version__, arithmetic="bf16" if training.bf16 else "fp32")


if __name__ == "__main__":
    main()
