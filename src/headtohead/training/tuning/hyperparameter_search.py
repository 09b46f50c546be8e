"""What is tried inside a training part, and how one of it is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.optional import require
from headtohead.training.records import EpochRecord
from headtohead.training.settings import FinetuneSettings

__all__ = ["Trial", "best_trial", "frozen_trial", "next_settings", "rate_choice", "suppress_optuna_logs"]

# What is tuned: lowest, highest, whether on a logarithmic scale.
RANGES = {
    "rate_factor": (0.2, 5.0, True),
    "layer_decay": (0.6, 1.0, False),
    "weight_decay": (0.01, 0.2, True),
}

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
    lines: tuple[EpochRecord, ...] = ()

    @classmethod
    def of(
        cls,
        settings: FinetuneSettings,
        lines: Sequence[EpochRecord],
        held_rows: Sequence[Floats],
        held: Ints,
        n: int,
        *,
        last: bool = False,
    ) -> Trial:
        """Return the trial at its last epoch, or that of least inner log loss (the first, where several tie)."""
        losses = [np.inf if line.inner_loss is None else line.inner_loss for line in lines]
        best = len(losses) - 1 if last else int(np.argmin(losses))
        rows = np.full((n, held_rows[best].shape[1]), np.nan)
        rows[held] = held_rows[best]
        return cls(settings, best + 1, held, rows, tuple(lines))

    @property
    def loss(self) -> float:
        """Inner log loss at the chosen epoch, in nats."""
        loss = self.lines[self.epoch - 1].inner_loss
        return float("inf") if loss is None else loss

    def record(self) -> dict[str, Any]:
        """Return what was tried and what came out, JSON-able."""
        return {
            "learning_rate": self.settings.learning_rate,
            "layer_decay": self.settings.layer_decay,
            "weight_decay": self.settings.weight_decay,
            "epoch": self.epoch,
            "epochs_run": len(self.lines),
            "inner_loss": self.loss,
        }


def next_settings(settings: FinetuneSettings, done: Sequence[Trial], seed: int) -> FinetuneSettings | None:
    """Return what is to be tried next, or None when all trials are done.

    The stated settings come first, once for each of the stated learning rates. Then learning rate (a
    factor of 1/5 to 5), layer decay (0.6 to 1) and weight decay (0.01 to 0.2) are proposed until there
    are `settings.trials` in all: the same number for every contender. A proposal follows from the
    seed and the finished trials alone, so a killed search goes on to the same ones.
    """
    rates = settings.learning_rates or (settings.learning_rate,)
    if len(done) < len(rates):
        return settings.model_copy(update={"learning_rate": rates[len(done)]})
    if len(done) >= settings.trials or settings.policy == "rate":
        return None
    proposed = _by_optuna(settings, done, seed) if settings.tuner == "optuna" else _drawn(seed, len(done))
    factor, layer_decay, weight_decay = (proposed[name] for name in RANGES)
    changes = {
        "learning_rate": settings.learning_rate * factor,
        "layer_decay": layer_decay,
        "weight_decay": weight_decay,
    }
    return settings.model_copy(update=changes)


def _drawn(seed: int, number: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, 5, number])
    found = {}
    for name, (low, high, is_log) in RANGES.items():
        share = rng.uniform()
        found[name] = float(low * (high / low) ** share if is_log else low + (high - low) * share)
    return found


def _by_optuna(settings: FinetuneSettings, done: Sequence[Trial], seed: int) -> dict[str, float]:
    """Ask a sampler that is rebuilt from the finished trials."""
    optuna = require("optuna", "tune", "propose trials by optuna")
    with suppress_optuna_logs(optuna):
        # Rebuilt each time, so each proposal has a seed of its own (of 32 bits, as numpy wants it). With optuna's
        # default of ten random trials a budget of eight would never reach TPE.
        sampler = optuna.samplers.TPESampler(seed=(seed + len(done)) % 2**32, n_startup_trials=4)
        study = optuna.create_study(sampler=sampler)
        for trial in done:
            study.add_trial(frozen_trial(optuna, trial, settings))
        return {name: float(value) for name, value in study.ask(_space(optuna)).params.items()}


def frozen_trial(optuna: Any, trial: Trial, stated: FinetuneSettings) -> Any:
    """Return a finished trial as optuna keeps it; the curve of inner log losses goes with it."""
    s = trial.settings
    values = (s.learning_rate / stated.learning_rate, s.layer_decay, s.weight_decay)
    known = {
        name: float(np.clip(value, low, high))  # stated rates may lie outside, which optuna refuses
        for value, (name, (low, high, _)) in zip(values, RANGES.items(), strict=True)
    }
    curve = {line.epoch: line.inner_loss for line in trial.lines}
    return optuna.trial.create_trial(
        params=known, distributions=_space(optuna), value=trial.loss, intermediate_values=curve
    )


def _space(optuna: Any) -> dict[str, Any]:
    return {
        name: optuna.distributions.FloatDistribution(low, high, log=log)
        for name, (low, high, log) in RANGES.items()
    }


@contextmanager
def suppress_optuna_logs(optuna: Any) -> Iterator[None]:
    """Keep optuna from talking for a while."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the trial of least inner log loss; the first where several tie."""
    return min(trials, key=lambda trial: trial.loss)


def rate_choice(best: Trial, stated: FinetuneSettings) -> dict[str, Any]:
    """Return which of the stated rates was chosen and whether it lies at the edge; nothing where there was one."""
    rates = sorted(stated.learning_rates)
    chosen = best.settings.learning_rate
    if len(rates) < 2:
        return {}
    return {"learning_rate": chosen, "rates": rates, "at_edge": not rates[0] < chosen < rates[-1]}
