"""McNemar's tests against independent implementations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from tests.unit.stats.builders import apart, correlated_pair, lines_of_score, rounded_pair

from headtohead.stats.hypothesis.mcnemar import clustered_mcnemar, discordance, mcnemar_tests
from headtohead.stats.intervals.proportions import mcnemar_exact
from headtohead.stats.metrics.confusion_matrix import predicted_labels
from headtohead.stats.predictions import ContenderPredictions

Ints = npt.NDArray[np.int64]


def discordant(a: ContenderPredictions, b: ContenderPredictions) -> Ints:
    right = [(lines.prob[:, 1] >= 0.5) == (lines.label == 1) for lines in (a, b)]
    return np.asarray(right[0].astype(np.int64) - right[1].astype(np.int64))


def test_mcnemar_is_statsmodels() -> None:
    lead = discordant(*rounded_pair())
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
    a, b = rounded_pair()
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


def test_clustered_mcnemar_counts_a_group_of_copies_once() -> None:
    once = clustered_mcnemar(np.array([1.0, 1, 1, 1, 1, -1]))
    copied = clustered_mcnemar(4 * np.array([1.0, 1, 1, 1, 1, -1]))
    assert once is not None
    assert copied == pytest.approx(once)
    as_samples = clustered_mcnemar(np.repeat([1.0, 1, 1, 1, 1, -1], 4))
    assert as_samples is not None
    assert as_samples[0] == pytest.approx(4 * once[0])


def test_swapped_contenders_swap_the_discordant_counts() -> None:
    a, b = correlated_pair(n=200, gap=0.8)
    called = [(predicted_labels(a, None), predicted_labels(b, None))]
    forward, counts = mcnemar_tests([a], [b], called, 200)
    back, swapped = mcnemar_tests([b], [a], [(called[0][1], called[0][0])], 200)
    assert counts[0]["only_a"] == swapped[0]["only_b"] > 0
    for name in forward:
        assert forward[name].p_value == pytest.approx(back[name].p_value)


Floats = npt.NDArray[np.float64]


def test_who_alone_is_right_is_not_swapped() -> None:
    right_a, right_b = np.array([1, 1, 1, 1, 0, 0], dtype=bool), np.array([1, 0, 0, 0, 1, 0], dtype=bool)
    assert discordance(right_a, right_b) == (3, 1)
    label = np.ones(6, dtype=np.int64)
    a, b = lines_of_score(right_a * 0.8 + 0.1, label), lines_of_score(right_b * 0.8 + 0.1, label)
    _, table = mcnemar_tests([a], [b], [(right_a.astype(np.int64), right_b.astype(np.int64))], 6)
    assert (table[0]["only_a"], table[0]["only_b"]) == (3, 1)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_as_many_cases_on_each_side_are_no_evidence(n: int) -> None:
    """Fagerland, Lydersen and Laake 2013: with equal counts the exact p is 1, mid-p 1 less half the probability."""
    exact, mid = mcnemar_exact(n, n)
    assert exact == 1
    assert mid == pytest.approx(1 - _binomial(2 * n, n) / 2)
    assert mcnemar_exact(0, 0) == (1, 1)


def test_the_published_example_of_airway_measurements() -> None:
    """Fagerland, Lydersen and Laake 2013, table 1 (1 against 7 discordant pairs): exact 0.070, mid-p 0.039."""
    assert mcnemar_exact(1, 7) == pytest.approx((0.0703, 0.0391), abs=5e-5)
    assert mcnemar_exact(7, 1) == mcnemar_exact(1, 7)
