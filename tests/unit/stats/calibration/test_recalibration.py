"""Recalibration on inner lines and the calibration curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.unit.stats.builders import cell_of, judge_bounds, replicates_of, resample, some_lines, table_from

from headtohead.core.tables.probability import Recalibration
from headtohead.stats.calibration.recalibration import (
    calibration_curve,
    isotonic,
    platt,
    recalibration,
    temperature,
)
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.resampled import ResampledPredictions


def test_the_parts_of_a_brier_score_beyond_two_classes_add_up_to_it() -> None:
    rng = np.random.default_rng(0)
    label, prob = rng.integers(0, 3, 300), rng.dirichlet([1, 1, 1], 300)
    frame = pd.DataFrame(
        {"sample": range(300), "group": [f"g{i // 2}" for i in range(300)], "label": np.array(list("abc"))[label]}
    ).astype(str)  # fmt: skip
    frame[["prob_a", "prob_b", "prob_c"]] = prob
    frame["contender"] = "m"
    verdict = judge_bounds(frame, classes=("a", "b", "c"), positive=None)
    parts = verdict.details.model_dump()["calibration"]["m"]["brier_parts"]
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


def _with_inner(k: int = 2) -> tuple[ResampledPredictions, InnerPredictions]:
    """Return lines whose probabilities are too extreme, with inner lines of the same kind."""
    lines = some_lines(n=300, n_groups=150, k=k, ties=False)
    sharp = lines.prob**3 / (lines.prob**3).sum(axis=1, keepdims=True)
    test = lines.__class__(lines.sample, lines.group, lines.label, lines.group % 3, sharp)
    resampled = resample(table_from({"a": test}))
    cells = {
        ("a", 0, fold): InnerCell(test.label[inside], test.group[inside], test.prob[inside])
        for fold in range(3)
        for inside in (test.fold != fold,)
    }
    return resampled, InnerPredictions(cells, ())


def _recalibrated(resampled: ResampledPredictions, inner: InnerPredictions) -> Recalibration:
    return recalibration(resampled, inner, replicates_of(resampled))["a"]


def test_every_method_lowers_the_loss_of_overconfident_lines() -> None:
    table = _recalibrated(*_with_inner())
    assert list(table.methods) == ["temperature", "platt", "isotonic", "venn_abers"]
    for method in table.methods.values():
        before = next(s.value for s in table.before if s.metric == "log_loss")
        after = next(s.value for s in method.scores if s.metric == "log_loss")
        change = method.log_loss_change
        assert before is not None and after is not None and change.value is not None
        assert change.value == pytest.approx(after - before)
        assert change.value < 0
        assert change.high is not None and change.high < 0
    assert table.venn_abers_width is not None and 0 < table.venn_abers_width < 0.2


def test_beyond_two_classes_there_is_temperature_alone() -> None:
    table = _recalibrated(*_with_inner(k=3))
    assert list(table.methods) == ["temperature"]
    assert {score.metric for score in table.before} == {"brier", "log_loss", "ece"}
    assert table.venn_abers_width is None


def test_without_inner_lines_nothing_is_recalibrated_and_it_is_said() -> None:
    table = _recalibrated(_with_inner()[0], InnerPredictions({}, ("a",)))
    assert table.methods == {}
    assert table.notes == ("no inner predictions, so nothing was recalibrated",)


def test_few_inner_lines_are_noted_for_isotonic_regression() -> None:
    assert "fitted on 1" in _recalibrated(*_with_inner()).notes[0]


def test_a_calibration_curve_has_the_observed_share_of_each_bin() -> None:
    resampled, _ = _with_inner()
    lines = resampled.table.of("a")[0]
    curve = calibration_curve(resampled, "a")
    assert sum(one.n_lines for one in curve.bins) == 300
    assert [one.mean_probability for one in curve.bins] == sorted(one.mean_probability for one in curve.bins)
    order = np.argsort(lines.prob[:, 1])
    first = order[: curve.bins[0].n_lines]
    assert curve.bins[0].observed.value == pytest.approx(lines.label[first].mean())
    assert curve.bins[0].mean_probability == pytest.approx(lines.prob[first, 1].mean())
    assert curve.note == ""
    parts = curve.brier_parts
    assert parts.brier == pytest.approx(((lines.prob[:, 1] - lines.label) ** 2).mean())


def test_few_groups_are_noted_on_the_curve() -> None:
    curve = calibration_curve(resample(table_from({"a": some_lines(n=60)})), "a")
    assert curve.note == "20 groups are few for a calibration curve"
