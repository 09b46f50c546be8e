"""One hidden layer with dropout on frozen features: between the linear probe and fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import FoldJob, FoldResult, TrainingData
from headtohead.training.records import EpochRecord, fit_metrics
from headtohead.training.tuning.trial_budget import TrialBudget

__all__ = ["MlpHead", "MlpSettings"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MlpSettings:
    """How the layer is trained; full batches, AdamW, one cosine.

    Attributes:
        hidden: units; dropout: on features (half of it) and on units.
        decays: weight decays, one of which is chosen by log loss on inner grouped folds.
        members: nets from different seeds whose probabilities are averaged.
    """

    hidden: int = 128
    dropout: float = 0.5
    epochs: int = 60
    learning_rate: float = 3e-3
    decays: tuple[float, ...] = (0.01, 0.1, 1.0)
    label_smoothing: float = 0.05
    members: int = 3
    inner_folds: int = 5


class MlpHead:
    """The layer as a head.

    Args:
        features: returns the (n, D) matrix of all samples; called once, when first needed.
        purse: from a cell's work folder to what it may spend on trials; by default the whole grid.
    """

    def __init__(
        self,
        features: Callable[[], npt.NDArray[Any]],
        settings: MlpSettings | None = None,
        *,
        purse: Callable[[Path], TrialBudget] | None = None,
    ) -> None:
        self._features, self.settings, self._purse = features, settings or MlpSettings(), purse
        self._rows: npt.NDArray[Any] | None = None

    def fit_predict(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Choose the weight decay inside the training part, fit on all of it, predict the test part."""
        s, k, all_rows = self.settings, len(data.classes), self.rows()
        rows, labels = all_rows[cell.train], data.labels[cell.train]
        parts = self.inner_parts(cell, data)
        purse = None if self._purse is None else self._purse(workdir)
        tried: dict[float, Floats] = {}
        for number, decay in enumerate(reporter.progress(s.decays, "mlp: weight decay", len(s.decays))):
            started = time.perf_counter()
            if purse is not None and not purse.can_start(number):
                break
            tried[decay] = np.full((len(labels), k), np.nan)
            for fit, held in parts:
                (tried[decay][held],), _ = fit_mlp(
                    rows[fit], labels[fit], [rows[held]], k, decay, s, cell.seed
                )
            if purse is not None:
                purse.record_spent(number, started)
        losses = {decay: fit_metrics(labels, out).loss or np.inf for decay, out in tried.items()}
        best = min(tried, key=lambda decay: losses[decay])
        asked = [rows, all_rows[cell.test]]
        (train, test), lines = fit_mlp(rows, labels, asked, k, best, s, cell.seed)
        chosen = {"weight_decay": best, "grid": list(tried), "inner_loss": [losses[d] for d in tried]}
        inner = fit_metrics(labels, tried[best])
        return FoldResult(test, tried[best], fit_metrics(labels, train), inner, chosen, tuple(lines))

    def rows(self) -> npt.NDArray[Any]:
        """Return the feature matrix (n, D) of all samples."""
        if self._rows is None:
            self._rows = self._features()
        return self._rows

    def inner_parts(self, cell: FoldJob, data: TrainingData) -> list[tuple[Ints, Ints]]:
        """Return the (fit, held) places in the training part from which inner probabilities come."""
        from headtohead.data.splits.folds import inner_folds

        labels, groups = data.labels[cell.train], data.groups[cell.train]
        return inner_folds(labels, groups, self.settings.inner_folds, cell.seed)

    def refit(
        self,
        fit: Ints,
        asked: Sequence[Ints],
        data: TrainingData,
        chosen: Mapping[str, Any],
        *,
        seed: int,
        **_: Any,
    ) -> list[Floats]:
        """Fit on samples `fit` from another seed at the chosen weight decay; return what it says of what is asked."""
        rows, k = self.rows(), len(data.classes)
        decay = chosen["weight_decay"]
        questions = [rows[indices] for indices in asked]
        return fit_mlp(rows[fit], data.labels[fit], questions, k, decay, self.settings, seed)[0]


def fit_mlp(
    rows: npt.NDArray[Any],
    labels: Ints,
    asked: list[npt.NDArray[Any]],
    k: int,
    decay: float,
    settings: MlpSettings,
    seed: int,
) -> tuple[list[Floats], list[EpochRecord]]:
    """Fit the nets on rows (n, D) and return their mean probabilities for each matrix that is asked about."""
    import torch
    from torch import nn

    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1.0)

    def tensor(given: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(((given - mean) / scale).astype(np.float32))

    inputs, targets, questions = tensor(rows), torch.from_numpy(labels), [tensor(given) for given in asked]
    answers = [np.zeros((len(given), k)) for given in asked]
    lines: list[EpochRecord] = []
    with torch.random.fork_rng(devices=[]):
        for member in range(settings.members):
            torch.manual_seed(int(np.random.SeedSequence([seed, 6, member]).generate_state(1)[0]))
            net = nn.Sequential(
                nn.Dropout(settings.dropout / 2),
                nn.Linear(rows.shape[1], settings.hidden),
                nn.GELU(),
                nn.Dropout(settings.dropout),
                nn.Linear(settings.hidden, k),
            )
            curve = _train(net, inputs, targets, decay, settings)
            lines = lines or curve
            net.eval()
            with torch.inference_mode():
                for answer, question in zip(answers, questions, strict=True):
                    answer += torch.softmax(net(question).double(), dim=1).numpy() / settings.members
    return answers, lines


def _train(net: Any, inputs: Any, targets: Any, decay: float, settings: MlpSettings) -> list[EpochRecord]:
    import torch
    from torch.nn import functional

    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    net.train()
    lines = []
    for epoch in range(settings.epochs):
        rate = float(optimizer.param_groups[0]["lr"])
        scores = net(inputs)
        loss = functional.cross_entropy(scores, targets, label_smoothing=settings.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        plain = float(functional.cross_entropy(scores.detach(), targets))
        hits = float((scores.argmax(dim=1) == targets).float().mean())
        lines.append(EpochRecord(epoch + 1, plain, hits, None, None, rate))
    return lines
