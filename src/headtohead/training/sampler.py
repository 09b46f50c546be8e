"""In which order images are seen, and what is drawn for each: functions of seeds, not of state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from headtohead.training.data_loader import Augmenter, ImageSource, Pixels

__all__ = ["epoch_augmentation", "epoch_order", "plain_order", "step_seed"]

Ints = npt.NDArray[np.int64]
ORDER, CHANGE, STEP = 1, 2, 3


def epoch_order(labels: Ints, batch: int, seed: int, epoch: int, *, balanced: bool) -> list[Ints]:
    """Return the places of each batch of one epoch.

    Args:
        labels: (n,) class indices of the training part.
        balanced: draw as many places of each class, with replacement, n in all.

    A last batch of one image joins the batch before it, since batch statistics need two.
    """
    rng = np.random.default_rng([seed, ORDER, epoch])
    n = len(labels)
    if balanced:
        weights = 1.0 / np.bincount(labels)[labels]
        places = rng.choice(n, n, p=weights / weights.sum())
    else:
        places = rng.permutation(n)
    cuts = [places[start : start + batch] for start in range(0, n, batch)]
    if len(cuts) > 1 and len(cuts[-1]) == 1:
        cuts[-2:] = [np.concatenate(cuts[-2:])]
    return cuts


def plain_order(n: int, batch: int) -> list[Ints]:
    """Return the places 0..n-1 in batches, in order."""
    return [np.arange(start, min(n, start + batch), dtype=np.int64) for start in range(0, n, batch)]


def epoch_augmentation(
    source: ImageSource, indices: Ints, augmenter: Augmenter, seed: int, epoch: int
) -> Callable[[int, Pixels], Pixels]:
    """Return the augmentation of one epoch: drawn from (seed, epoch, sample), however often it is asked."""

    def change(place: int, pixels: Pixels) -> Pixels:
        number = source.number(int(indices[place]))
        return augmenter.run(np.random.default_rng([seed, CHANGE, epoch, number]), pixels)

    return change


def step_seed(seed: int, epoch: int, step: int) -> int:
    """Return the seed of what is random inside the network (dropout, stochastic depth, mixing) at a step."""
    return int(np.random.SeedSequence([seed, STEP, epoch, step]).generate_state(1, np.uint32)[0])
