"""Holm's adjustment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.stats.hypothesis.multiplicity import holm


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
