"""Holm's adjustment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.stats.hypothesis.multiplicity import fixed_first, holm


def test_holm_is_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).uniform(0, 0.2, 9)
    np.testing.assert_allclose(holm(list(p)), multipletests(p, method="holm")[1])


MANY = settings(max_examples=60, deadline=None)


@MANY
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(after >= before for before, after in zip(p, adjusted, strict=True))
    assert max(adjusted) <= 1
    ordered = [adjusted[i] for i in np.argsort(p, kind="stable")]
    assert ordered == sorted(ordered)
    assert min(adjusted) == pytest.approx(min(1.0, len(p) * min(p)))


def test_a_fixed_sequence_keeps_the_error_over_all_pairs() -> None:
    """All null: the first at its level, the others only behind it; at least one false rejection in at most 5 %."""
    rng = np.random.default_rng(2)
    false = [min(fixed_first(list(rng.random(6)))) <= 0.05 for _ in range(4000)]
    assert np.mean(false) <= 0.06
    assert fixed_first([0.03, 0.001, 0.5])[0] == 0.03
    assert fixed_first([0.2, 0.001]) == [0.2, 0.2]
    assert fixed_first([]) == []
