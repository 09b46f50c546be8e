"""fastai's Learner on its ImageDataLoaders, with its defaults; its mixed precision is for GPUs."""

from __future__ import annotations

import fastai
import timm
import torch
from common import BATCH, RATE, SIDES, Clock, arguments, emit
from fastai.callback import progress as _progress  # gives a Learner its `no_bar`  # noqa: F401
from fastai.callback.core import Callback
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.vision.augment import Resize
from fastai.vision.data import ImageDataLoaders


class Steps(Callback):
    """Notes the end of each batch."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def after_batch(self) -> None:
        """Note the end of a batch of training."""
        if self.training:
            self.clock.tick()


def main() -> None:
    """Train one epoch and print images/s."""
    given, clock = arguments(), Clock()
    # a sixteenth is the smallest validation set that holds an image; it is no part of what is timed
    data = ImageDataLoaders.from_folder(
        given.data, valid_pct=1 / 16, seed=0, item_tfms=Resize(SIDES[given.network]), bs=BATCH
    )
    network = timm.create_model(given.network, num_classes=2)
    learner = Learner(data, network, loss_func=CrossEntropyLossFlat(), cbs=[Steps(clock)])
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, RATE)
    emit(clock.speed(), torch=torch.__version__, fastai=fastai.__version__)


if __name__ == "__main__":
    main()
