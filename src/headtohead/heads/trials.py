"""What is tried inside a training part, and how one of it is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.heads.base import EpochLine
from headtohead.heads.settings import FinetuneSettings

__all__ = ["Trial", "best_trial", "trial_settings"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """Settings that were tried.

    Attributes:
        epoch: the best one, counted from 1.
        held: places of the inner held-out samples in the training part, or None if nothing was held.
        rows: (n_train, k) inner probabilities at that epoch, NaN outside `held`.
        lines: the curve, one line per epoch.
    """

    settings: FinetuneSettings
    epoch: int
    held: Ints | None
    rows: Floats | None
    lines: tuple[EpochLine, ...] = ()

    @classmethod
    def of(
        cls,
        settings: FinetuneSettings,
        lines: Sequence[EpochLine],
        held_rows: Sequence[Floats],
        held: Ints,
        n: int,
    ) -> Trial:
        """Return the trial at its epoch of least inner log loss (the first, where several tie)."""
        best = int(np.argmin([np.inf if line.inner_loss is None else line.inner_loss for line in lines]))
        rows = np.full((n, held_rows[best].shape[1]), np.nan)
        rows[held] = held_rows[best]
        return cls(settings, best + 1, held, rows, tuple(lines))

    @property
    def loss(self) -> float:
        """Inner log loss at the chosen epoch, in nats."""
        loss = self.lines[self.epoch - 1].inner_loss
        return float("inf") if loss is None else loss

    def told(self) -> dict[str, Any]:
        """Return what was tried and what came out, JSON-able."""
        return {
            "learning_rate": self.settings.learning_rate,
            "layer_decay": self.settings.layer_decay,
            "weight_decay": self.settings.weight_decay,
            "epoch": self.epoch,
            "epochs_run": len(self.lines),
            "inner_loss": self.loss,
        }


def trial_settings(settings: FinetuneSettings, seed: int) -> list[FinetuneSettings]:
    """Return what is tried: the stated settings for each stated learning rate, then random ones.

    Learning rate (a factor of 1/5 to 5), layer decay (0.6 to 1) and weight decay (0.01 to 0.2) are
    drawn until there are `settings.trials` in all. The same number for every contender.
    """
    rates = settings.learning_rates or (settings.learning_rate,)
    found = [settings.model_copy(update={"learning_rate": rate}) for rate in rates]
    rng = np.random.default_rng([seed, 5])
    while len(found) < settings.trials:
        drawn = {
            "learning_rate": float(settings.learning_rate * 5 ** rng.uniform(-1, 1)),
            "layer_decay": float(rng.uniform(0.6, 1.0)),
            "weight_decay": float(0.01 * 20 ** rng.uniform(0, 1)),
        }
        found.append(settings.model_copy(update=drawn))
    return found


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the trial of least inner log loss; the first where several tie."""
    return min(trials, key=lambda trial: trial.loss)
