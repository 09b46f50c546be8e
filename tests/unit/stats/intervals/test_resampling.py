"""Bootstrap, jackknife and the intervals that rest on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from headtohead.stats.intervals.resampling import (
    bca,
    concordance_bound,
    expanded_percentile,
    make_resamples,
    percentile,
    two_sided_p,
    wilson_clustered,
)


def test_bca_and_percentile_are_scipys() -> None:
    data = np.random.default_rng(2).exponential(size=60)
    resamples = make_resamples(60, 8000, 0)
    values = (resamples.weights.T @ data) / resamples.weights.sum(axis=0)
    boot = resamples.bootstrap(values)
    ends = bca(float(values[0]), boot, resamples.jackknife(values), 0.95)
    theirs = stats.bootstrap((data,), np.mean, n_resamples=8000, method="BCa", rng=np.random.default_rng(5))
    assert ends == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)
    plain = stats.bootstrap(
        (data,), np.mean, n_resamples=8000, method="percentile", rng=np.random.default_rng(5)
    )
    assert percentile(boot, 0.95) == pytest.approx(tuple(plain.confidence_interval), abs=0.02)
    wide = expanded_percentile(boot, 0.95, 60)
    assert wide[0] < percentile(boot, 0.95)[0] < percentile(boot, 0.95)[1] < wide[1]


def test_blocks_of_groups_give_the_same_acceleration_on_average() -> None:
    data = np.random.default_rng(3).exponential(size=1200)
    resamples = make_resamples(1200, 4, 0)
    values = (resamples.weights.T @ data) / resamples.weights.sum(axis=0)
    blocks = resamples.jackknife(values)
    full = (data.sum() - data) / 1199
    skew = [((v.mean() - v) ** 3).sum() / (6 * ((v.mean() - v) ** 2).sum() ** 1.5) for v in (blocks, full)]
    assert len(blocks) == 400
    assert skew[0] == pytest.approx(skew[1], rel=0.25)


def test_wilson_widens_with_the_design_effect_and_never_below_the_samples() -> None:
    plain = wilson_clustered(0.8, 1000, 1000, 0.8 * 0.2 / 1000, 0.95)
    from statsmodels.stats.proportion import proportion_confint

    assert plain == pytest.approx(proportion_confint(800, 1000, method="wilson"), abs=2e-4)
    clustered = wilson_clustered(0.8, 1000, 100, 5 * 0.8 * 0.2 / 1000, 0.95)
    assert clustered == pytest.approx(proportion_confint(160, 200, method="wilson"), abs=2e-3)
    lucky = wilson_clustered(0.8, 1000, 1000, 0.1 * 0.8 * 0.2 / 1000, 0.95)
    assert lucky == pytest.approx(plain)


def test_a_resample_draws_as_many_groups_as_there_are_and_the_jackknife_one_less() -> None:
    made = make_resamples(30, 4000, 1)
    boot, jack = made.bootstrap(made.weights.T.astype(float)), made.jackknife(made.weights.T.astype(float))
    assert (boot.sum(axis=1) == 30).all()
    assert (jack.sum(axis=1) == 29).all() and (jack.sum(axis=0) == 29).all()
    assert boot.var(axis=0).mean() == pytest.approx(
        1 - 1 / 30, rel=0.03
    )  # a multinomial draw, with replacement
    assert (boot == 0).mean() == pytest.approx((1 - 1 / 30) ** 30, rel=0.03)


def test_a_tie_with_no_difference_counts_for_both_tails() -> None:
    """Of 99 replicates 4 lie below and 10 on 0: the smaller tail holds 14, and the data make 15 of 100."""
    boot = np.array([-1.0] * 4 + [0.0] * 10 + [1.0] * 85)
    assert two_sided_p(boot) == pytest.approx(2 * 15 / 100)
    assert two_sided_p(-boot) == pytest.approx(2 * 15 / 100)
    assert two_sided_p(np.zeros(99)) == 1.0


MANY = settings(max_examples=60, deadline=None)


@MANY
@given(st.integers(1, 300))
def test_more_pairs_raise_the_bound_of_a_perfect_auroc(pairs: int) -> None:
    assert 0 < concordance_bound(pairs, 0.95) < concordance_bound(pairs + 1, 0.95) < 1
    assert concordance_bound(pairs, 0.99) < concordance_bound(pairs, 0.95)
