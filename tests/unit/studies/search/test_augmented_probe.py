"""A probe with augmented copies: made once for all folds, and an image with its copies counts as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.heads.base import FoldJob, SampleLabels
from headtohead.heads.linear_probe import C_GRID
from headtohead.studies.search.augmented_probe import AugmentedProbeHead
from headtohead.training.logistic import fit_probe

N = 60
LABELS = np.arange(N) % 2
RNG = np.random.default_rng(0)
ROWS = (RNG.normal(size=(N, 5)) + LABELS[:, None]).astype(np.float32)
COPIES = [(ROWS + RNG.normal(size=ROWS.shape)).astype(np.float32) for _ in range(2)]
KNOWN = SampleLabels(LABELS, np.array([f"g{i}" for i in range(N)], dtype=object), ("no", "yes"))


def fitted(head: AugmentedProbeHead, n_train: int = 40) -> Any:
    return head.fit_predict(FoldJob(0, 0, np.arange(n_train), np.arange(n_train, N), 3), KNOWN, Path())


def test_copies_are_made_once_for_all_folds() -> None:
    calls: list[int] = []

    def make(number: int) -> Any:
        calls.append(number)
        return COPIES[number]

    head = AugmentedProbeHead(lambda: ROWS, [lambda: make(0), lambda: make(1)])
    fitted(head)
    fitted(head, 50)
    assert calls == [0, 1]


def test_the_answer_is_a_probe_on_images_and_copies_at_a_third_of_c() -> None:
    found = fitted(AugmentedProbeHead(lambda: ROWS, [lambda: COPIES[0], lambda: COPIES[1]]))
    best = found.chosen["C"]
    assert best in C_GRID and found.chosen["copies"] == 2 and tuple(found.chosen["grid"]) == tuple(C_GRID)
    learned = np.concatenate([rows[:40] for rows in (ROWS, *COPIES)])
    probe = fit_probe(learned, np.tile(LABELS[:40], 3), best / 3)
    np.testing.assert_allclose(found.probabilities, probe.predict_proba(ROWS[40:]), atol=1e-6)
    assert found.train.loss == pytest.approx(
        -np.log(probe.predict_proba(ROWS[:40])[np.arange(40), LABELS[:40]]).mean(), abs=1e-5
    )
    assert not np.isnan(found.inner_probabilities).any(), "each image has a judge that did not see it"


def test_of_equal_losses_the_strongest_penalty_is_chosen() -> None:
    """Features that say nothing: every C gives the class frequencies."""
    blank = np.zeros_like(ROWS)
    found = fitted(AugmentedProbeHead(lambda: blank, [lambda: blank]))
    assert found.chosen["C"] == min(C_GRID)
