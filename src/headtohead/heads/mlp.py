"""One hidden layer with dropout on frozen features: between the linear probe and fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.reporter import QUIET, Reporter
from headtohead.heads.base import Cell, CellData, CellResult, EpochLine, quality

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
    """

    def __init__(self, features: Callable[[], npt.NDArray[Any]], settings: MlpSettings | None = None) -> None:
        self._features, self.settings = features, settings or MlpSettings()
        self._rows: npt.NDArray[Any] | None = None

    def fit_predict(
        self, cell: Cell, data: CellData, workdir: Path, reporter: Reporter = QUIET
    ) -> CellResult:
        """Choose the weight decay inside the training part, fit on all of it, predict the test part."""
        del workdir
        from headtohead.data.folds import inner_folds

        if self._rows is None:
            self._rows = self._features()
        s, k = self.settings, len(data.classes)
        rows, labels = self._rows[cell.train], data.labels[cell.train]
        parts = inner_folds(labels, data.groups[cell.train], s.inner_folds, cell.seed)
        tried = {}
        for decay in reporter.track(s.decays, "mlp: weight decay", len(s.decays)):
            out = np.full((len(labels), k), np.nan)
            for fit, held in parts:
                (out[held],), _ = fit_mlp(rows[fit], labels[fit], [rows[held]], k, decay, s, cell.seed)
            tried[decay] = out
        losses = {decay: quality(labels, out).loss or np.inf for decay, out in tried.items()}
        best = min(s.decays, key=lambda decay: losses[decay])
        asked = [rows, self._rows[cell.test]]
        (train, test), lines = fit_mlp(rows, labels, asked, k, best, s, cell.seed)
        chosen = {"weight_decay": best, "grid": list(s.decays), "inner_loss": [losses[d] for d in s.decays]}
        inner = quality(labels, tried[best])
        return CellResult(test, tried[best], quality(labels, train), inner, chosen, tuple(lines))


def fit_mlp(
    rows: npt.NDArray[Any],
    labels: Ints,
    asked: list[npt.NDArray[Any]],
    k: int,
    decay: float,
    settings: MlpSettings,
    seed: int,
) -> tuple[list[Floats], list[EpochLine]]:
    """Fit the nets on rows (n, D) and return their mean probabilities for each matrix that is asked about."""
    import torch
    from torch import nn

    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1.0)

    def tensor(given: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(((given - mean) / scale).astype(np.float32))

    inputs, targets, questions = tensor(rows), torch.from_numpy(labels), [tensor(given) for given in asked]
    answers = [np.zeros((len(given), k)) for given in asked]
    lines: list[EpochLine] = []
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


def _train(net: Any, inputs: Any, targets: Any, decay: float, settings: MlpSettings) -> list[EpochLine]:
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
        lines.append(EpochLine(epoch + 1, plain, hits, None, None, rate))
    return lines
