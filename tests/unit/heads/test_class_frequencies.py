"""Every mode predicts, on the whole, as many positives as there are (here 8 %): calibration-in-the-large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tests.planting.finetuned import Blobs, short, tiny_network

from headtohead.audit.descriptors.shortcut_probes import make_classifier
from headtohead.core.progress import QUIET
from headtohead.heads.base import FoldJob, Head, SampleLabels
from headtohead.heads.baselines import FileFactsHead
from headtohead.heads.fine_tuning import FineTuningHead
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.mlp import MlpHead, MlpSettings
from headtohead.training.class_balance import ClassificationLoss

PREVALENCE, TRAIN, TEST = 0.08, 500, 2000
Rows = npt.NDArray[np.float64]


def imbalanced(seed: int = 0, d: int = 10) -> tuple[Rows, FoldJob, SampleLabels]:
    """Return features whose first two tell the classes apart a little; 8 % are positive on both sides."""
    rng = np.random.default_rng(seed)
    n = TRAIN + TEST
    labels = np.zeros(n, dtype=np.int64)
    labels[: int(PREVALENCE * TRAIN)] = 1
    labels[TRAIN : TRAIN + int(PREVALENCE * TEST)] = 1
    rows = rng.normal(size=(n, d))
    rows[:, :2] += labels[:, None]
    groups = np.asarray([f"g{i}" for i in range(n)], dtype=object)
    return (
        rows,
        FoldJob(0, 0, np.arange(TRAIN), np.arange(TRAIN, n), 3),
        SampleLabels(labels, groups, ("no", "yes")),
    )


FROZEN: dict[str, Callable[[Rows, bool], Head]] = {
    "probe": lambda rows, balanced: ProbeHead(lambda: rows, balanced=balanced),
    "mlp": lambda rows, balanced: MlpHead(
        lambda: rows.astype(np.float32),
        MlpSettings(decays=(0.1,), members=1, inner_folds=2, balance="loss" if balanced else "none"),
    ),
}


def excess(probability: Rows, labels: npt.NDArray[np.int64]) -> float:
    """Return expected less observed positives over the standard deviation of the observed ones."""
    p = probability[:, 1]
    return float((p - labels).sum() / np.sqrt((p * (1 - p)).sum()))


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("mode", FROZEN)
def test_frozen_modes(mode: str, balanced: bool, tmp_path: Path) -> None:
    rows, job, data = imbalanced()
    result = FROZEN[mode](rows, balanced).fit_predict(job, data, tmp_path, QUIET)
    assert abs(excess(result.probabilities, data.labels[job.test])) < 2.5
    inner, labels = result.inner_probabilities, data.labels[job.train]
    assert abs(excess(inner, labels)) < 2.5
    assert result.probabilities[:, 1].mean() == pytest.approx(PREVALENCE, abs=0.015)


def test_file_facts(tmp_path: Path) -> None:
    rows, job, data = imbalanced()
    result = FileFactsHead(rows, make_classifier).fit_predict(job, data, tmp_path, QUIET)
    assert result.probabilities[:, 1].mean() == pytest.approx(PREVALENCE, abs=0.015)
    assert abs(excess(result.probabilities, data.labels[job.test])) < 2.5


def test_class_weights_that_are_not_undone_would_be_seen() -> None:
    """The planted defect: what the probe was before."""
    from sklearn.linear_model import LogisticRegression

    rows, job, data = imbalanced()
    model = LogisticRegression(C=0.01, class_weight="balanced").fit(rows[job.train], data.labels[job.train])
    probability = model.predict_proba(rows[job.test])
    assert probability[:, 1].mean() > 0.3
    assert excess(probability, data.labels[job.test]) > 10


def mean_prediction(folder: Path, **more: Any) -> float:
    """Return the mean probability of 8 % positives, half of which look like the others, over three trainings."""
    train, test, found = 150, 200, []
    labels = np.zeros(train + test, dtype=np.int64)
    for start, n in ((0, train), (train, test)):
        labels[start : start + int(PREVALENCE * n)] = 1
    groups = np.asarray([f"g{i}" for i in range(train + test)], dtype=object)
    data = SampleLabels(labels, groups, ("no", "yes"))
    for seed in range(3):
        images, source = Blobs(train + test), Blobs(2 * (train + test), seed, strength=0.25)
        images.array = np.stack([source.array[2 * i + (y and i % 2)] for i, y in enumerate(labels)])
        settings = short(**{"epochs": 6, "learning_rate": 1e-3, "augment": "none", **more})
        head = FineTuningHead(tiny_network(images, "auto"), settings)
        job = FoldJob(0, 0, np.arange(train), np.arange(train, train + test), seed)
        found.append(head.fit_predict(job, data, folder / str(seed)).probabilities[:, 1].mean())
    return float(np.mean(found))


@pytest.mark.parametrize(
    "more", [{}, {"balance": "loss"}, {"balance": "sampler"}, {"head_start": "random"}], ids=str
)
@pytest.mark.slow
def test_fine_tuning(more: dict[str, Any], tmp_path: Path) -> None:
    assert mean_prediction(tmp_path, **more) == pytest.approx(PREVALENCE, abs=0.02)


@pytest.mark.slow
def test_an_intercept_that_is_not_settled_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClassificationLoss, "settle", lambda self, _: torch.zeros(2))
    assert mean_prediction(tmp_path) < 0.04
