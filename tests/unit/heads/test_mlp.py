"""The hidden layer: bends where a line cannot, repeats itself, and looks at no test row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from headtohead.core.progress import QUIET
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.mlp import MlpHead, MlpSettings
from headtohead.training.records import fit_metrics

N, N_TRAIN = 240, 180
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(N, 6)).astype(np.float32)
LABELS = (ROWS[:, 0] * ROWS[:, 1] > 0).astype(np.int64)
GROUPS = np.asarray([f"g{i // 2}" for i in range(N)], dtype=object)
CELL = FoldJob(0, 0, np.arange(N_TRAIN), np.arange(N_TRAIN, N), 1)
QUICK = MlpSettings(
    hidden=64, epochs=120, dropout=0.1, learning_rate=0.02, decays=(0.01, 1.0), members=2, inner_folds=3
)


def run(rows: np.ndarray, labels: np.ndarray, folder: Path) -> FoldResult:
    return MlpHead(lambda: rows, QUICK).fit_predict(CELL, SampleLabels(labels, GROUPS, ("no", "yes")), folder)


def test_learns_what_a_line_cannot(tmp_path: Path) -> None:
    data = SampleLabels(LABELS, GROUPS, ("no", "yes"))
    bent = fit_metrics(LABELS[N_TRAIN:], run(ROWS, LABELS, tmp_path).probabilities).accuracy
    straight = ProbeHead(lambda: ROWS).fit_predict(CELL, data, tmp_path, QUIET).probabilities
    line = fit_metrics(LABELS[N_TRAIN:], straight).accuracy
    assert bent is not None and line is not None and bent > 0.85 and bent > line + 0.2


@pytest.mark.slow
def test_repeats_itself_and_ignores_what_is_scored(tmp_path: Path) -> None:
    torch.manual_seed(5)
    first = run(ROWS, LABELS, tmp_path)
    rows, labels = ROWS.copy(), LABELS.copy()
    rows[N_TRAIN:] += 3.0
    labels[N_TRAIN:] = 1 - labels[N_TRAIN:]
    torch.manual_seed(6)
    second = run(rows, labels, tmp_path)
    assert np.array_equal(first.inner_probabilities, second.inner_probabilities)
    assert first.train == second.train and dict(first.chosen) == dict(second.chosen)
    assert not np.array_equal(first.probabilities, second.probabilities)
    assert np.array_equal(first.probabilities, run(ROWS, LABELS, tmp_path).probabilities)
