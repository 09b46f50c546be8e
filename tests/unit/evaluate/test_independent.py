"""Statistics once more, written anew from their papers or taken from statsmodels; each with its planted errors.

A planted error is the same number computed wrongly (swapped, off by one, an image where a group should be):
it must lie far from what the product returns, or the comparison would not have caught it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa

from headtohead.stats.hypothesis.corrected_ttest import corrected_t
from headtohead.stats.hypothesis.mcnemar import clustered_mcnemar, mcnemar_tests
from headtohead.stats.intervals.delong import auroc_components, auroc_test, covariance
from headtohead.stats.intervals.proportions import mcnemar_exact
from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.metrics.probabilistic import brier_parts
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def pair(seed: int = 0) -> tuple[ContenderPredictions, ContenderPredictions]:
    """Return two contenders on 150 samples in 30 groups that hold both classes."""
    rng = np.random.default_rng(seed)
    group = np.sort(np.append(np.arange(30), rng.integers(0, 30, 120)))
    label = rng.integers(0, 2, 150)
    made = []
    for lift in (1.6, 1.0):
        score = lift * label + rng.normal(size=30)[group] + rng.normal(size=150)
        p = 1 / (1 + np.exp(-score))
        made.append(
            ContenderPredictions(
                np.arange(150), group, label, np.arange(150) % 5, np.stack([1 - p, p], axis=1)
            )
        )
    return made[0], made[1]


def apart(found: float, planted: list[float], least: float = 0.02) -> bool:
    """Return whether every planted error lies at least that far off, relatively."""
    return all(abs(wrong - found) > least * abs(found) for wrong in planted)


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
    a, b = pair()
    pulls = [auroc_components([lines], 30, by_group=True) for lines in (a, b)]
    found = auroc_test(*pulls)
    assert found is not None
    assert found[2] ** 2 == pytest.approx(obuchowski(a, b, a.group), rel=1e-10)
    as_images = obuchowski(a, b, np.arange(150))
    unpaired = sum(covariance(one, one) for one in pulls)
    assert apart(found[2] ** 2, [as_images, unpaired, obuchowski(a, a, a.group)])
    assert found[0] == pytest.approx((pulls[0].value - pulls[1].value) / found[2])


def discordant(a: ContenderPredictions, b: ContenderPredictions) -> Ints:
    right = [(lines.prob[:, 1] >= 0.5) == (lines.label == 1) for lines in (a, b)]
    return np.asarray(right[0].astype(np.int64) - right[1].astype(np.int64))


def test_mcnemar_is_statsmodels() -> None:
    lead = discordant(*pair())
    b, c = int((lead == 1).sum()), int((lead == -1).sum())
    theirs = mcnemar(np.array([[50, b], [c, 20]]), exact=True)
    assert mcnemar_exact(b, c)[0] == pytest.approx(theirs.pvalue)
    assert mcnemar_exact(b, c)[1] == pytest.approx(theirs.pvalue - _binomial(b + c, min(b, c)), abs=1e-12)
    plain = mcnemar(np.array([[50, b], [c, 20]]), exact=False, correction=False)
    found = clustered_mcnemar(lead.astype(float))
    assert found is not None
    assert found[:2] == pytest.approx((plain.statistic, plain.pvalue))
    corrected = mcnemar(np.array([[50, b], [c, 20]]), exact=False, correction=True).statistic
    assert apart(found[0], [corrected, (b - c + 1) ** 2 / (b + c)])


def _binomial(n: int, k: int) -> float:
    from math import comb

    return float(comb(n, k) / 2**n)


def test_clustered_mcnemar_is_obuchowskis_sum_over_groups() -> None:
    a, b = pair()
    lead = discordant(a, b)
    by_group = [int(lead[a.group == g].sum()) for g in range(30)]
    expected = sum(by_group) ** 2 / sum(d**2 for d in by_group)
    found = clustered_mcnemar(np.array(by_group, dtype=float))
    assert found is not None
    assert found[0] == pytest.approx(expected)
    called = [(predicted_labels(a, None), predicted_labels(b, None))]
    whole, _ = mcnemar_tests([a], [b], called, 30)
    twice, _ = mcnemar_tests([a, a], [b, b], called * 2, 30)
    for tests in (whole, twice):
        assert tests["mcnemar_clustered"].statistic == pytest.approx(expected)
    assert apart(expected, [sum(by_group) ** 2 / int((lead != 0).sum()), 30 / 29 * expected])


def test_kappa_is_statsmodels() -> None:
    a, _ = pair()
    called = (a.prob[:, 1] >= 0.5).astype(int)
    table = np.zeros((2, 2))
    np.add.at(table, (a.label, called), 1)
    found = metric_values([a], np.ones((30, 1)), ["kappa"], ("no", "yes"))["kappa"][0]
    assert found == pytest.approx(cohens_kappa(table).kappa)
    planted = [np.trace(table) / 150, 2 * np.trace(table) / 150 - 1, cohens_kappa(table[:, ::-1]).kappa]
    assert apart(found, planted, least=0.01)


def test_brier_splits_as_murphy_and_stephenson_write_it() -> None:
    """Murphy 1973 by groups of equal forecasts; within bins Stephenson, Coelho and Jolliffe 2008."""
    a, _ = pair()
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


@pytest.mark.parametrize("test_to_train", [0.25, 1 / 9])
def test_nadeau_and_bengio_from_their_own_variance(test_to_train: float) -> None:
    """Their section 3: (1/n + test/train) s²; Student's plain t and a sum in place of a mean are planted."""
    x = np.random.default_rng(0).normal(0.02, 0.03, 15)
    found = corrected_t(x, test_to_train)
    assert found is not None
    spread = sum((v - x.mean()) ** 2 for v in x) / 14
    assert found[0] == pytest.approx(x.mean() / np.sqrt((1 / 15 + test_to_train) * spread))
    students = x.mean() / np.sqrt(spread / 15)
    other_way = x.mean() / np.sqrt((1 / 15 + 1 / test_to_train) * spread)
    off_by_one = x.mean() / np.sqrt((1 / 15 + test_to_train) * spread * 14 / 15)
    assert apart(found[0], [students, other_way, off_by_one])
