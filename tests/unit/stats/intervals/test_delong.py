"""DeLong's and Obuchowski's variances against the papers' own sums."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import apart, correlated_pair, rounded_pair

from headtohead.stats.intervals.delong import (
    auroc_components,
    auroc_test,
    covariance,
    logit_interval,
    placements,
)
from headtohead.stats.predictions import ContenderPredictions

Ints = npt.NDArray[np.int64]


def obuchowski(a: ContenderPredictions, b: ContenderPredictions, unit: Ints) -> float:
    """Return the variance of the difference of two AUROCs as Obuchowski 1997 writes it, unit by unit."""
    up, down = {}, {}
    positive = a.label == 1
    for name, lines in (("a", a), ("b", b)):
        x, y = lines.prob[positive, 1], lines.prob[~positive, 1]
        kernel = (x[:, None] > y) + 0.5 * (x[:, None] == y)
        up[name], down[name] = kernel.mean(axis=1) - kernel.mean(), kernel.mean(axis=0) - kernel.mean()
    m, n = int(positive.sum()), int((~positive).sum())
    s10 = s01 = s11 = 0.0
    units, with_positive, with_negative = (
        np.unique(unit),
        np.unique(unit[positive]),
        np.unique(unit[~positive]),
    )
    for g in units:
        gain = (up["a"] - up["b"])[unit[positive] == g].sum()
        loss = (down["a"] - down["b"])[unit[~positive] == g].sum()
        s10, s01, s11 = s10 + gain**2, s01 + loss**2, s11 + gain * loss
    i10, i01, i = len(with_positive), len(with_negative), len(units)
    first, second = i10 / (i10 - 1) * s10 / m**2, i01 / (i01 - 1) * s01 / n**2
    return float(first + second + 2 * i / (i - 1) * s11 / (m * n))


def test_obuchowski_of_a_difference() -> None:
    a, b = rounded_pair()
    components = [auroc_components([lines], 30, by_group=True) for lines in (a, b)]
    found = auroc_test(*components)
    assert found is not None
    assert found[2] ** 2 == pytest.approx(obuchowski(a, b, a.group), rel=1e-10)
    as_images = obuchowski(a, b, np.arange(150))
    unpaired = sum(covariance(one, one) for one in components)
    assert apart(found[2] ** 2, [as_images, unpaired, obuchowski(a, a, a.group)])
    assert found[0] == pytest.approx((components[0].value - components[1].value) / found[2])


def naive_delong(a: ContenderPredictions, b: ContenderPredictions) -> float:
    """Return the variance of the difference, straight from the 1988 paper's double sums."""
    kernels = []
    for lines in (a, b):
        x, y = lines.prob[lines.label == 1, 1], lines.prob[lines.label == 0, 1]
        kernels.append((x[:, None] > y) + 0.5 * (x[:, None] == y))
    m, n = kernels[0].shape
    v10, v01 = [k.mean(axis=1) for k in kernels], [k.mean(axis=0) for k in kernels]
    s10, s01 = np.cov(np.stack(v10)), np.cov(np.stack(v01))
    s = s10 / m + s01 / n
    return float(s[0, 0] + s[1, 1] - 2 * s[0, 1])


def naive_obuchowski(lines: ContenderPredictions) -> float:
    """Return the clustered variance of one AUROC as Obuchowski 1997 writes it, group by group."""
    x, y = lines.prob[lines.label == 1, 1], lines.prob[lines.label == 0, 1]
    kernel = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    area, m, n = kernel.mean(), len(x), len(y)
    gx, gy = lines.group[lines.label == 1], lines.group[lines.label == 0]
    s10 = s01 = s11 = 0.0
    groups = sorted(set(lines.group))
    for g in groups:
        up = kernel.mean(axis=1)[gx == g].sum() - (gx == g).sum() * area
        down = kernel.mean(axis=0)[gy == g].sum() - (gy == g).sum() * area
        s10, s01, s11 = s10 + up**2, s01 + down**2, s11 + up * down
    i10, i01, i = len(set(gx)), len(set(gy)), len(groups)
    s10 *= i10 / ((i10 - 1) * m)
    s01 *= i01 / ((i01 - 1) * n)
    s11 *= i / (i - 1)
    return float(s10 / m + s01 / n + 2 * s11 / (m * n))


def mix_groups(lines: ContenderPredictions, seed: int = 3) -> ContenderPredictions:
    """Return the lines in groups that hold both classes."""
    group = np.random.default_rng(seed).integers(0, 25, len(lines.label))
    return ContenderPredictions(lines.sample, group, lines.label, lines.fold, lines.prob)


def test_delong_equals_the_papers_double_sums() -> None:
    a, b = correlated_pair(gap=0.4)
    components = [auroc_components([lines], 120, by_group=False) for lines in (a, b)]
    found = auroc_test(*components)
    assert found is not None
    assert found[2] ** 2 == pytest.approx(naive_delong(a, b), rel=1e-10)
    assert found[0] == pytest.approx(
        (components[0].value - components[1].value) / math.sqrt(naive_delong(a, b)), rel=1e-10
    )


def test_obuchowski_equals_the_papers_sums_on_mixed_groups() -> None:
    lines = mix_groups(correlated_pair()[0])
    components = auroc_components([lines], 25, by_group=True)
    assert covariance(components, components) == pytest.approx(naive_obuchowski(lines), rel=1e-10)


def test_groups_of_one_make_obuchowski_delong() -> None:
    a, _ = correlated_pair()
    alone, grouped = auroc_components([a], 120, by_group=False), auroc_components([a], 120, by_group=True)
    assert covariance(alone, alone) == pytest.approx(covariance(grouped, grouped), rel=1e-12)


def test_copies_fool_the_test_that_takes_images_as_units_and_not_the_other() -> None:
    """Planted error: every sample twice. The grouped variance stays, the naive one halves."""
    a, _ = correlated_pair(n=80)
    twice = ContenderPredictions(
        np.arange(160),
        np.repeat(a.group, 2),
        np.repeat(a.label, 2),
        np.repeat(a.fold, 2),
        np.repeat(a.prob, 2, 0),
    )
    honest = auroc_components([a], 80, by_group=True)
    grouped = auroc_components([twice], 80, by_group=True)
    naive = auroc_components([twice], 160, by_group=False)
    assert covariance(grouped, grouped) == pytest.approx(covariance(honest, honest), rel=1e-10)
    assert covariance(naive, naive) < 0.55 * covariance(honest, honest)


def test_mean_over_repeats_has_the_variance_of_the_mean() -> None:
    a, b = correlated_pair(gap=0.2)
    both = auroc_components([a, b], 120, by_group=True)
    one, two = auroc_components([a], 120, by_group=True), auroc_components([b], 120, by_group=True)
    expected = (covariance(one, one) + covariance(two, two) + 2 * covariance(one, two)) / 4
    assert covariance(both, both) == pytest.approx(expected, rel=1e-10)


def test_placements_with_ties_average_to_the_area() -> None:
    score, positive = np.array([1.0, 2, 2, 3, 2]), np.array([False, False, True, True, True])
    placed = placements(score, positive)
    assert placed[positive].mean() == pytest.approx(placed[~positive].mean())
    assert placed.tolist() == pytest.approx([1.0, 2 / 3, 0.75, 1.0, 0.75])


def test_logit_interval_stays_inside_and_narrows_to_the_plain_one() -> None:
    low, high = logit_interval(0.98, 0.03**2, 0.95)
    assert 0 < low < 0.98 < high < 1
    close = logit_interval(0.7, 1e-8, 0.95)
    assert close == pytest.approx((0.7 - 1.96e-4, 0.7 + 1.96e-4), abs=1e-6)
