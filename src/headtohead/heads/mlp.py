"""The MLP head: one hidden layer with dropout on frozen features, between the linear probe and fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import FoldJob, FoldResult, RefitJob, SampleLabels
from headtohead.training.records import EpochRecord, Floats, Ints, fit_metrics, loss_order
from headtohead.training.tuning.trial_budget import TrialBudget

__all__ = ["FittedMlp", "MlpHead", "MlpSettings"]


@dataclass(frozen=True, slots=True)
class MlpSettings:
    """Settings of the MLP; full batches, AdamW, one cosine schedule.

    Attributes:
        hidden: units; dropout: on features (half of it) and on units.
        decays: weight decays, one of which is chosen by log loss on inner grouped folds.
        balance: "loss" weighs classes by inverse frequency; probabilities stay at those of the training part.
        members: networks from different seeds whose probabilities are averaged.
        inner_folds: inner grouped folds on which the weight decay is chosen.
    """

    hidden: int = 128
    dropout: float = 0.5
    epochs: int = 60
    learning_rate: float = 3e-3
    decays: tuple[float, ...] = (0.01, 0.1, 1.0)
    label_smoothing: float = 0.05
    balance: Literal["none", "loss"] = "none"
    members: int = 3
    inner_folds: int = 5


class MlpHead:
    """Fit an MLP on frozen features in each cell.

    Args:
        features: returns the (n, D) matrix of all samples; called once, when first needed.
        settings: fixed before any scored image is looked at.
        trial_budget: from a cell's work folder to its budget of trials; by default the whole grid.
    """

    def __init__(
        self,
        features: Callable[[], npt.NDArray[Any]],
        settings: MlpSettings | None = None,
        *,
        trial_budget: Callable[[Path], TrialBudget] | None = None,
    ) -> None:
        self._features, self.settings = features, settings or MlpSettings()
        self._trial_budget = trial_budget
        self._rows: npt.NDArray[Any] | None = None

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Choose the weight decay inside the training part, fit on all of it, predict the test part."""
        settings, k = self.settings, len(data.classes)
        rows, labels = self.rows()[job.train], data.labels[job.train]
        tried = self._try_decays(job, data, workdir, reporter)
        losses = {decay: fit_metrics(labels, out).loss for decay, out in tried.items()}
        best = min(tried, key=lambda decay: loss_order(losses[decay]))
        queries = [rows, self.rows()[job.test]]
        (train, test), curve = fit_mlp(rows, labels, queries, k, best, settings, job.seed)
        chosen = {"weight_decay": best, "grid": list(tried), "inner_loss": [losses[d] for d in tried]}
        inner = fit_metrics(labels, tried[best])
        return FoldResult(test, tried[best], fit_metrics(labels, train), inner, chosen, tuple(curve))

    def _try_decays(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter
    ) -> dict[float, Floats]:
        """Return weight decay -> (n_train, k) inner probabilities, as far as the budget goes."""
        decays, k = self.settings.decays, len(data.classes)
        rows, labels = self.rows()[job.train], data.labels[job.train]
        folds = self.inner_folds(job, data)
        budget = None if self._trial_budget is None else self._trial_budget(workdir)
        tried: dict[float, Floats] = {}
        for number, decay in enumerate(reporter.progress(decays, "mlp: weight decay", len(decays))):
            started = time.perf_counter()
            if budget is not None and not budget.can_start(number):
                break
            tried[decay] = np.full((len(labels), k), np.nan)
            for fit, validation in folds:
                (tried[decay][validation],), _ = fit_mlp(
                    rows[fit], labels[fit], [rows[validation]], k, decay, self.settings, job.seed
                )
            if budget is not None:
                budget.record_spent(number, started)
        return tried

    def rows(self) -> npt.NDArray[Any]:
        """Return the feature matrix (n, D) of all samples."""
        if self._rows is None:
            self._rows = self._features()
        return self._rows

    def inner_folds(self, job: FoldJob, data: SampleLabels) -> list[tuple[Ints, Ints]]:
        """Return the (fit, validation) places in the training part from which inner probabilities come."""
        from headtohead.data.splits.folds import inner_folds

        labels, groups = data.labels[job.train], data.groups[job.train]
        return inner_folds(labels, groups, self.settings.inner_folds, job.seed)

    def refit(self, job: RefitJob, queries: Sequence[Ints], data: SampleLabels, **_: Any) -> list[Floats]:
        """Fit at the chosen weight decay; return (n, k) probabilities for each array of samples."""
        networks = self.fitted(job.fit, data, job.chosen, job.seed)
        return [networks.predict_proba(self.rows()[indices]) for indices in queries]

    def fitted(self, fit: Ints, data: SampleLabels, chosen: Mapping[str, Any], seed: int) -> FittedMlp:
        """Return the networks that are fitted on the samples `fit` at the chosen weight decay."""
        rows, k = self.rows()[fit], len(data.classes)
        return fit_networks(rows, data.labels[fit], k, chosen["weight_decay"], self.settings, seed)


@dataclass(frozen=True)
class FittedMlp:
    """Networks of one hidden layer whose probabilities are averaged.

    Attributes:
        mean, scale: (D,) of the training rows.
        networks: in evaluation mode: dropout, linear, GELU, dropout, linear.
        curve: learning curve of the first network.
    """

    mean: npt.NDArray[Any]
    scale: npt.NDArray[Any]
    networks: tuple[Any, ...]
    curve: tuple[EpochRecord, ...]

    def predict_proba(self, rows: npt.NDArray[Any]) -> Floats:
        """Return (n, k) mean probabilities for feature rows (n, D)."""
        import torch

        inputs = torch.from_numpy(((rows - self.mean) / self.scale).astype(np.float32))
        answer: Floats | None = None
        with torch.inference_mode():
            for net in self.networks:
                part = torch.softmax(net(inputs).double(), dim=1).numpy() / len(self.networks)
                answer = part if answer is None else answer + part
        return np.asarray(answer, dtype=np.float64)


def fit_mlp(
    rows: npt.NDArray[Any],
    labels: Ints,
    queries: list[npt.NDArray[Any]],
    k: int,
    decay: float,
    settings: MlpSettings,
    seed: int,
) -> tuple[list[Floats], list[EpochRecord]]:
    """Fit the networks and average their probabilities.

    Args:
        queries: (m, D) matrices to predict; the others as for `fit_networks`.

    Returns:
        (m, k) mean probabilities for each matrix in `queries`, and the learning curve of the first network.
    """
    fitted = fit_networks(rows, labels, k, decay, settings, seed)
    return [fitted.predict_proba(query) for query in queries], list(fitted.curve)


def fit_networks(
    rows: npt.NDArray[Any], labels: Ints, k: int, decay: float, settings: MlpSettings, seed: int
) -> FittedMlp:
    """Fit the networks of an MLP head.

    Args:
        rows: (n, D) features; labels: (n,) class indices.
        k: number of classes.
        decay: weight decay.
        settings: of the training.
        seed: decides initial weights and dropout.
    """
    import torch
    from torch import nn

    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1.0)
    inputs = torch.from_numpy(((rows - mean) / scale).astype(np.float32))
    targets = torch.from_numpy(labels)
    curve: list[EpochRecord] = []
    networks = []
    with torch.random.fork_rng(devices=[]):
        for member in range(settings.members):
            # Streams 1 to 5 are those of fine-tuning, 7 that of replicates.
            torch.manual_seed(int(np.random.SeedSequence([seed, 6, member]).generate_state(1)[0]))
            net = nn.Sequential(
                nn.Dropout(settings.dropout / 2),
                nn.Linear(rows.shape[1], settings.hidden),
                nn.GELU(),
                nn.Dropout(settings.dropout),
                nn.Linear(settings.hidden, k),
            )
            epochs = _train(net, inputs, targets, decay, settings)
            curve = curve or epochs
            networks.append(net.eval())
    return FittedMlp(mean, scale, tuple(networks), tuple(curve))


def _train(net: Any, inputs: Any, targets: Any, decay: float, settings: MlpSettings) -> list[EpochRecord]:
    import torch
    from torch.nn import functional

    from headtohead.training.class_balance import ClassificationLoss

    last, smoothing = net[-1], settings.label_smoothing
    objective = ClassificationLoss.from_labels(
        targets.numpy(), last.out_features, settings.balance, smoothing, inputs.device
    )
    with torch.no_grad():
        last.bias.copy_(objective.start)  # at the class frequencies, from which the weights then learn
    # Decay of the last intercept would pull the mean probabilities towards equal classes.
    decayed = [parameter for parameter in net.parameters() if parameter is not last.bias]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": [last.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    net.train()
    epochs = []
    for epoch in range(settings.epochs):
        rate = float(optimizer.param_groups[0]["lr"])
        scores = net(inputs)
        loss = objective(scores, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        # The curve shows the log loss itself, without weights or smoothing.
        plain = float(functional.cross_entropy(scores.detach(), targets))
        hits = float((scores.argmax(dim=1) == targets).float().mean())
        epochs.append(EpochRecord(epoch + 1, plain, hits, None, None, rate))
    net.eval()
    with torch.no_grad():
        last.bias += objective.settle(net(inputs))
    return epochs
