"""Recalibration on inner lines and the calibration curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.unit.stats.builders import cell_of, judge_bounds

from headtohead.stats.calibration.recalibration import isotonic, platt, temperature


def test_the_parts_of_a_brier_score_beyond_two_classes_add_up_to_it() -> None:
    rng = np.random.default_rng(0)
    label, prob = rng.integers(0, 3, 300), rng.dirichlet([1, 1, 1], 300)
    frame = pd.DataFrame(
        {"sample": range(300), "group": [f"g{i // 2}" for i in range(300)], "label": np.array(list("abc"))[label]}
    ).astype(str)  # fmt: skip
    frame[["prob_a", "prob_b", "prob_c"]] = prob
    frame["contender"] = "m"
    verdict = judge_bounds(frame, classes=("a", "b", "c"), positive=None)
    parts = verdict.details["calibration"]["m"]["brier_parts"]
    score = next(s for s in verdict.scores if s.metric == "brier")
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bin"]
    assert total == pytest.approx(parts["brier"]) == pytest.approx(score.value)
    assert parts["uncertainty"] == pytest.approx(1 - ((np.bincount(label) / 300) ** 2).sum())


Floats = npt.NDArray[np.float64]


Ints = npt.NDArray[np.int64]


def test_platts_targets_keep_away_from_0_and_1() -> None:
    """Platt 1999: (n+ + 1)/(n+ + 2) and 1/(n- + 2); on separated scores plain labels would run off to 0 and 1."""
    label = np.repeat([0, 1], [6, 10])
    score = np.repeat([0.3, 0.7], [6, 10])
    mapped = platt(cell_of(score, label))(np.array([[0.7, 0.3], [0.3, 0.7]]))
    assert mapped[:, 1] == pytest.approx([1 / 8, 11 / 12], abs=1e-6)
    assert mapped.sum(axis=1) == pytest.approx([1, 1])


def test_a_temperature_undoes_the_sharpening_it_was_fitted_on() -> None:
    """Logits three times too large are divided by about three, not multiplied."""
    rng = np.random.default_rng(1)
    logit = rng.normal(size=20_000) * 1.5
    label = (rng.random(20_000) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    sharp = 1 / (1 + np.exp(-3 * logit))
    mapped = temperature(cell_of(sharp, label))(np.array([[0.1, 0.9]]))
    expected = 1 / (1 + (1 / 9) ** (1 / 3))
    assert mapped[0, 1] == pytest.approx(expected, abs=0.01)


def test_isotonic_steps_are_the_means_of_pooled_neighbours() -> None:
    """Labels 0 1 0 1 1 1 by rising score: the violators 1 and 0 are pooled to 1/2; ends drawn in to 1/8."""
    label = np.array([0, 1, 0, 1, 1, 1])
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    mapped = isotonic(cell_of(score, label))(np.stack([1 - score, score], axis=1))
    assert mapped[:, 1] == pytest.approx([1 / 8, 0.5, 0.5, 7 / 8, 7 / 8, 7 / 8])
