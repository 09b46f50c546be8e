"""Proper scores and calibration against independent implementations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk
from tests.unit.stats.builders import apart, lines_of_score, rounded_pair, some_lines, some_weights

from headtohead.stats.metrics.probabilistic import (
    brier,
    brier_parts,
    calibration_intercept,
    calibration_slope,
    equal_mass_bins,
    log_loss,
    logit,
)
from headtohead.stats.metrics.replicates import metric_values


def test_brier_splits_as_murphy_and_stephenson_write_it() -> None:
    """Murphy 1973 by groups of equal forecasts; within bins Stephenson, Coelho and Jolliffe 2008."""
    a, _ = rounded_pair()
    p, y = a.prob[:, 1], (a.label == 1).astype(float)
    bins = np.minimum((p * 6).astype(np.int64), 5)
    parts = brier_parts(p, y, bins)
    reliability = resolution = variance = together = 0.0
    for k in np.unique(bins):
        inside = bins == k
        reliability += inside.sum() * (p[inside].mean() - y[inside].mean()) ** 2 / 150
        resolution += inside.sum() * (y[inside].mean() - y.mean()) ** 2 / 150
        variance += ((p[inside] - p[inside].mean()) ** 2).sum() / 150
        together += ((p[inside] - p[inside].mean()) * (y[inside] - y[inside].mean())).sum() / 150
    assert parts.reliability == pytest.approx(reliability)
    assert parts.resolution == pytest.approx(resolution)
    assert parts.uncertainty == pytest.approx(y.mean() * (1 - y.mean()))
    assert parts.within_bin == pytest.approx(variance - 2 * together)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin
    assert total == pytest.approx(parts.brier) == pytest.approx(((p - y) ** 2).mean())
    swapped = brier_parts(y, p, bins)
    assert apart(parts.reliability, [parts.resolution])
    assert apart(parts.resolution, [swapped.resolution])
    assert apart(parts.uncertainty, [y.var(ddof=1) * 1.05, swapped.uncertainty])


Floats = npt.NDArray[np.float64]


def test_calibration_fit_equals_statsmodels_and_one_step_follows_the_full_refit() -> None:
    import statsmodels.api as sm

    lines, weights = some_lines(n=400, n_groups=100, ties=False, seed=2), some_weights(100, 60)
    found = metric_values([lines], weights, ["calibration_slope", "calibration_intercept"], ("no", "yes"))
    x = np.log(lines.prob[:, 1] / lines.prob[:, 0])
    fit = sm.GLM(lines.label, sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert found["calibration_slope"][0] == pytest.approx(fit.params[1], abs=1e-7)
    offset = sm.GLM(lines.label, np.ones(400), family=sm.families.Binomial(), offset=x).fit()
    assert found["calibration_intercept"][0] == pytest.approx(offset.params[0], abs=1e-7)
    refits = [
        sm.GLM(
            lines.label, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=weights[lines.group, c]
        ).fit().params[1]
        for c in range(1, 61)
    ]  # fmt: skip
    assert np.corrcoef(refits, found["calibration_slope"][1:])[0, 1] > 0.98
    assert np.std(found["calibration_slope"][1:]) == pytest.approx(np.std(refits), rel=0.15)


def test_calibration_error_equals_a_plain_loop_over_bins() -> None:
    lines = some_lines(n=200, ties=False, seed=9)
    found = metric_values([lines], np.ones((20, 1)), ["ece", "ace"], ("no", "yes"))
    confidence, right = lines.prob.max(axis=1), lines.prob.argmax(axis=1) == lines.label
    order = np.argsort(confidence)
    bins = np.array_split(order, 10)
    expected = sum(len(b) / 200 * abs(right[b].mean() - confidence[b].mean()) for b in bins)
    assert found["ece"][0] == pytest.approx(expected, abs=1e-9)
    gaps = [
        abs((lines.label[b] == 1).mean() - lines.prob[b, 1].mean())
        for b in np.array_split(np.argsort(lines.prob[:, 1]), 10)
    ]
    assert found["ace"][0] == pytest.approx(np.mean(gaps), abs=1e-9)


@pytest.mark.parametrize("k", [2, 3])
def test_proper_scores_are_those_of_scikit_learn(k: int) -> None:
    lines = some_lines(n=150, k=k, ties=False)
    ones = np.ones((20, 1))
    assert log_loss(lines, ones)[0] == pytest.approx(sk.log_loss(lines.label, lines.prob))
    whole = ((lines.prob - np.eye(k)[lines.label]) ** 2).sum(axis=1).mean()
    assert brier(lines, ones)[0] == pytest.approx(whole / 2 if k == 2 else whole)


def test_a_certain_error_costs_a_finite_loss() -> None:
    lines = lines_of_score(np.array([0.0, 1.0]), np.array([1, 1]))
    assert log_loss(lines, np.ones((2, 1)))[0] == pytest.approx(-np.log(1e-15) / 2)
    assert logit(np.array([0.0, 1.0])).tolist() == pytest.approx([-13.8155, 13.8155], abs=1e-3)


def test_equal_values_share_a_bin_and_few_values_make_few_bins() -> None:
    assert set(equal_mass_bins(np.full(100, 0.3))) == {0}
    assert equal_mass_bins(np.linspace(0, 1, 15)).max() == 0
    bins = equal_mass_bins(np.linspace(0, 1, 400))
    assert np.bincount(bins).tolist() == [40] * 10


def test_calibration_has_no_slope_where_the_classes_are_separated_or_constant() -> None:
    label, ones = np.arange(40) % 2, np.ones((40, 1))
    separated = lines_of_score(np.where(label == 1, 0.9, 0.1), label)
    constant = lines_of_score(np.full(40, 0.3), label)
    one_class = lines_of_score(np.linspace(0.1, 0.9, 40), np.ones(40, dtype=np.int64))
    for lines in (separated, constant, one_class):
        assert np.isnan(calibration_slope(lines, ones)[0])
    assert np.isnan(calibration_intercept(one_class, ones)[0])
    assert calibration_intercept(constant, ones)[0] == pytest.approx(np.log(7 / 3), abs=1e-6)


def test_calibrated_probabilities_have_slope_one_and_intercept_zero() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 20_000)
    lines = lines_of_score(p, (rng.random(20_000) < p).astype(np.int64), np.arange(20_000) % 50)
    ones = np.ones((50, 1))
    assert calibration_slope(lines, ones)[0] == pytest.approx(1, abs=0.05)
    assert calibration_intercept(lines, ones)[0] == pytest.approx(0, abs=0.05)
