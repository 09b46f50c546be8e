"""Proper scores and calibration against independent implementations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import apart, rounded_pair, some_lines, some_weights

from headtohead.stats.metrics.probabilistic import brier_parts
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
