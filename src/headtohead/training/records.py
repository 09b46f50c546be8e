"""Records of a training: a subset of samples, the fit on it, one epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FITTING", "EpochRecord", "FitMetrics", "Subset", "fit_metrics", "loss_order", "out_of_patience"]

# Raised whenever the same settings give other digits, so that cells and checkpoints of before are not mixed in.
# 2: no class weights; labels are smoothed towards the class frequencies.
# 3: probes by L-BFGS to a smaller gradient; probabilities move by up to about 1e-5.
# 4: no weight decay on class tokens and positions; a fine-tuned hybrid gets the images of its larger input.
# 5: probes by Newton's method, or with a Hessian on the way; probabilities move by up to about 1e-6.
FITTING = 5

Ints = npt.NDArray[np.int64]


Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Subset:
    """Some samples: their indices (n,) and labels (n,)."""

    indices: Ints
    labels: Ints


@dataclass(frozen=True, slots=True)
class FitMetrics:
    """Accuracy and mean log loss (nats) on a named part of the data; None where there is none."""

    accuracy: float | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch of training: losses in nats, accuracies in [0, 1], both as seen in that epoch."""

    epoch: int
    train_loss: float
    train_accuracy: float
    inner_loss: float | None
    inner_accuracy: float | None
    learning_rate: float


def fit_metrics(labels: Ints, probabilities: Floats) -> FitMetrics:
    """Return accuracy and mean log loss of `probabilities` (n, k) against class indices (n,).

    Rows of NaN are left out; with no row left both are None. Probabilities are clipped at 1e-15 before the
    logarithm, so that one that is 0 does not make the mean infinite.
    """
    known = ~np.isnan(probabilities).any(axis=1)
    if not known.any():
        return FitMetrics(None, None)
    truth, rows = labels[known], probabilities[known]
    picked = np.clip(rows[np.arange(len(truth)), truth], 1e-15, 1.0)
    return FitMetrics(float((rows.argmax(axis=1) == truth).mean()), float(-np.log(picked).mean()))


def out_of_patience(lines: Sequence[EpochRecord], patience: int | None) -> bool:
    """Return whether so many epochs have passed since the least inner log loss; never without a patience."""
    losses = [line.inner_loss for line in lines if line.inner_loss is not None]
    return bool(patience and losses and len(losses) - 1 - int(np.argmin(losses)) >= patience)


def loss_order(loss: float | None) -> float:
    """Return a loss as it is compared: one that is not defined is worse than any other, and 0 is the best.

    >>> min([0.0, 0.3, None], key=loss_order)
    0.0
    """
    return float("inf") if loss is None else loss
