"""P-values read off intervals, against the tests that they invert."""

from __future__ import annotations

import pytest
from scipy import stats

from headtohead.stats.intervals.inversion import SMALLEST_P, equivalence_p_value, interval_p_value


def student(value: float, error: float = 1.0, degrees: float = 12.0):  # type: ignore[no-untyped-def]
    """Return level -> ends of a t interval."""
    return lambda level: tuple(
        value + side * stats.t.ppf((1 + level) / 2, degrees) * error for side in (-1, 1)
    )


@pytest.mark.parametrize("value", [0.0, 0.5, -2.2, 4.0])
def test_the_p_value_of_a_t_interval_is_that_of_the_t_test(value: float) -> None:
    assert interval_p_value(student(value)) == pytest.approx(2 * stats.t.sf(abs(value), 12))


@pytest.mark.parametrize("value", [0.0, 1.0, -1.5, 4.0])
def test_equivalence_is_the_larger_of_two_one_sided_tests(value: float) -> None:
    expected = max(stats.t.sf(value + 3, 12), stats.t.cdf(value - 3, 12))
    assert equivalence_p_value(student(value), 3.0) == pytest.approx(expected if expected < 0.5 else 1.0)


def test_an_interval_that_does_not_exist_gives_no_evidence() -> None:
    assert interval_p_value(lambda _: None) == 1.0
    assert equivalence_p_value(lambda _: None, 0.1) == 1.0


def test_the_smallest_p_value_is_a_bound() -> None:
    assert interval_p_value(lambda _: (1.0, 2.0)) == SMALLEST_P
    assert equivalence_p_value(lambda _: (0.0, 0.0), 0.1) == SMALLEST_P
