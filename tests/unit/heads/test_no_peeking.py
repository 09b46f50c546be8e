"""Whatever is chosen, it is not chosen on what is scored: labels that mean nothing get chance, from every head.

Each kind of choice is also made on the scored part on purpose; the same gate must catch it then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from headtohead.backbones.record import BackboneRecord
from headtohead.core.progress import QUIET
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.ensemble import COMBINATION_RULES, combine
from headtohead.heads.fine_tuning import FineTuningHead
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.mlp import MlpHead, MlpSettings
from headtohead.heads.network_training import NetworkTraining, TrainingJob
from headtohead.heads.replicates import FoldEnsembleHead, SeedEnsembleHead
from headtohead.training.records import Subset, fit_metrics
from headtohead.training.settings import FinetuneSettings
from headtohead.training.tuning.hyperparameter_search import Trial, best_trial

Ints = npt.NDArray[np.int64]
Fit = Callable[[FoldJob, SampleLabels, Path], FoldResult]
MLP = MlpSettings(hidden=8, epochs=8, members=1, decays=(0.01, 1.0))
MEMBERS = 12


def too_good(fit: Fit, folder: Path, *, n: int, n_train: int, rounds: int) -> float:
    """Return by how many standard deviations the scored part comes out too well, on labels drawn by coin.

    The log loss on the scored part is compared with that on other permutations of its labels, which
    nobody saw. Whoever did not look at the true ones does as well on any: the result is standard normal.
    """
    found = []
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(n) % 2).astype(np.int64)
        groups = np.asarray([f"g{i // 2}" for i in range(n)], dtype=object)
        cell = FoldJob(0, 0, np.arange(n_train), np.arange(n_train, n), seed)
        rows = fit(cell, SampleLabels(labels, groups, ("no", "yes")), folder / str(seed)).probabilities
        scored = labels[n_train:]
        others = [fit_metrics(rng.permutation(scored), rows).loss or 0.0 for _ in range(200)]
        found.append((np.mean(others) - (fit_metrics(scored, rows).loss or 0.0)) / np.std(others))
    return float(np.sum(found) / np.sqrt(rounds))


LIMIT = 3.0  # standard deviations; honest heads pass it once in 740 tests


def rows_of(number: int, n: int = 100) -> Any:
    return np.random.default_rng([99, number]).normal(size=(n, 12)).astype(np.float32)


def probe(cell: FoldJob, data: SampleLabels, folder: Path) -> FoldResult:
    return ProbeHead(lambda: rows_of(0), (1e-3, 1e-2, 1.0)).fit_predict(cell, data, folder, QUIET)


def members_of(cell: FoldJob, data: SampleLabels, folder: Path) -> list[FoldResult]:
    heads = [ProbeHead(lambda i=i: rows_of(i), (1e-2,)) for i in range(MEMBERS)]  # type: ignore[misc]
    return [head.fit_predict(cell, data, folder, QUIET) for head in heads]


def joined(how: Any) -> Fit:
    def fit(cell: FoldJob, data: SampleLabels, folder: Path) -> FoldResult:
        train = cell.train
        return combine(
            members_of(cell, data, folder), how, data.labels[train], data.groups[train], seed=cell.seed
        )

    return fit


def repeated(kind: Any, head: Any) -> Fit:
    def fit(cell: FoldJob, data: SampleLabels, folder: Path) -> FoldResult:
        first = head.fit_predict(cell, data, folder, QUIET)
        result: FoldResult = kind("a", head, lambda name, where: first, 3).fit_predict(cell, data, folder)
        return result

    return fit


HONEST: dict[str, Fit] = {
    "probe": probe,
    "mlp": lambda cell, data, folder: MlpHead(lambda: rows_of(0), MLP).fit_predict(cell, data, folder),
    "seeds": repeated(SeedEnsembleHead, MlpHead(lambda: rows_of(0), MLP)),
    "folds": repeated(FoldEnsembleHead, ProbeHead(lambda: rows_of(0), (1e-2, 1.0))),
    **{how: joined(how) for how in COMBINATION_RULES},
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.slow
def test_permuted_labels_get_chance(name: str, tmp_path: Path) -> None:
    assert too_good(HONEST[name], tmp_path, n=100, n_train=60, rounds=8) < LIMIT


def peeking_probe(cell: FoldJob, data: SampleLabels, folder: Path) -> FoldResult:
    """Takes the features on which the scored part comes out best."""
    scored = data.labels[cell.test]
    return min(
        members_of(cell, data, folder), key=lambda one: fit_metrics(scored, one.probabilities).loss or 0.0
    )


def peeking_ensemble(how: Any) -> Fit:
    def fit(cell: FoldJob, data: SampleLabels, folder: Path) -> FoldResult:
        """Finds the weights on the scored part."""
        members = [replace(m, inner_probabilities=m.probabilities) for m in members_of(cell, data, folder)]
        return combine(members, how, data.labels[cell.test], data.groups[cell.test], seed=cell.seed)

    return fit


@pytest.mark.parametrize("how", ["probe", "weighted", "stacked", "greedy"])
def test_the_gate_catches_a_choice_on_the_scored_part(how: str, tmp_path: Path) -> None:
    fit = peeking_probe if how == "probe" else peeking_ensemble(how)
    assert too_good(fit, tmp_path, n=100, n_train=60, rounds=8) > LIMIT


class Noise:
    """Images that say nothing."""

    array = np.random.default_rng(5).uniform(0, 1, (120, 8, 8)).astype(np.float32)

    def pixels(self, index: int) -> npt.NDArray[np.float32]:
        picked: npt.NDArray[np.float32] = self.array[index]
        return picked

    def normalise(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.repeat((pixels[None] - 0.5) / 0.3, 3, axis=0)

    def number(self, index: int) -> int:
        return index


class Flat(nn.Module):
    """The smallest backbone there is."""

    def __init__(self, seed: int, drop_path: float = 0.0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layer = nn.Linear(3 * 64, 16)
        self.n_features = 16

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.tanh(self.layer(x.flatten(1)))
        return out

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        return [("layer", list(self.layer.parameters()))]


RECORD = BackboneRecord.model_validate(
    {
        "name": "flat", "family": "cnn", "source": "timm-hub", "model_id": "flat", "architecture": "flat",
        "input_size": 8, "mean": (0.5,) * 3, "std": (0.5,) * 3, "pretraining": "none", "licence": "none",
        "paper": "none",
    }
)  # fmt: skip


class Peeking(FineTuningHead):
    """Reports the best epoch of the best trial, by the scored part: what a leader board of check points does."""

    def fit_predict(
        self, cell: FoldJob, data: SampleLabels, workdir: Path, reporter: Any = QUIET
    ) -> FoldResult:
        part = Subset(cell.test, data.labels[cell.test])
        places, trials = np.arange(len(cell.test)), []
        for number in range(self.settings.trials):
            job = TrainingJob(f"trial{number}", cell.train, self.settings, number, self.settings.epochs)
            workdir.mkdir(parents=True, exist_ok=True)
            done = self.networks.train(job, data, part, workdir, reporter)
            trials.append(Trial.of(self.settings, done.lines, done.held_rows, places, len(places)))
        best = best_trial(trials).rows
        assert best is not None
        nothing = fit_metrics(data.labels, np.full((1, 2), np.nan))
        return FoldResult(best, np.full((len(cell.train), 2), np.nan), nothing, nothing)


def tuned(kind: type[FineTuningHead], tuner: Any, trials: int, epochs: int) -> Fit:
    settings = FinetuneSettings(
        epochs=epochs, learning_rate=0.003, batch=16, workers=0, policy="inner", trials=trials, tuner=tuner,
        augment="none", head_start="random", label_smoothing=0.0, weight_decay=0.0,
    )  # fmt: skip
    networks = NetworkTraining(RECORD, Noise(), device="cpu", precision="fp32", build=Flat)
    head = kind(networks, settings)
    return lambda cell, data, folder: head.fit_predict(cell, data, folder, QUIET)


@pytest.mark.parametrize("tuner", ["random", "optuna"])
@pytest.mark.slow
def test_tuning_on_permuted_labels_gets_chance(tuner: str, tmp_path: Path) -> None:
    if tuner == "optuna":
        pytest.importorskip("optuna")
    assert too_good(tuned(FineTuningHead, tuner, 6, 2), tmp_path, n=120, n_train=60, rounds=6) < LIMIT


@pytest.mark.slow
def test_the_gate_catches_tuning_on_the_scored_part(tmp_path: Path) -> None:
    assert too_good(tuned(Peeking, "random", 24, 1), tmp_path, n=120, n_train=60, rounds=12) > LIMIT
