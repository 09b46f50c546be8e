"""Intervals of statistics that hardly vary."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.core.tables.estimate import Estimate
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.resampled import bootstrap_interval, proportion_interval


def test_a_share_that_never_varies_has_wilsons_bound_and_not_certainty() -> None:
    resamples = make_resamples(30, 100, 0)
    nothing = np.zeros(1 + 100 + 30)
    assert bootstrap_interval(nothing, resamples, 0.95) == Estimate(value=0.0, low=None, high=None)
    found = proportion_interval(nothing, resamples, 0.95, 30)
    assert found.low == 0
    assert found.high is not None
    assert 1 - 0.05 ** (1 / 30) < found.high < 0.15
    turned = proportion_interval(1 - nothing, resamples, 0.95, 30)
    assert turned.low == pytest.approx(1 - found.high)
    assert proportion_interval(nothing + 0.4, resamples, 0.95, 30) == Estimate(value=0.4, low=None, high=None)


def test_more_groups_without_an_error_narrow_the_bound() -> None:
    ends = [
        proportion_interval(np.zeros(1 + 50 + n), make_resamples(n, 50, 0), 0.95, n).high
        for n in (10, 40, 160)
    ]
    assert ends[0] is not None and ends[1] is not None and ends[2] is not None
    assert ends[0] > ends[1] > ends[2] > 0
