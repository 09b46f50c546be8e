"""Numbers in sentences: rounding never moves one across the bound that decides."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.evaluate.wording.numbers import (
    decimals,
    interval_words,
    listed,
    p_words,
    points_words,
    signed,
    two_digits,
)

# Five decimals are told at most a further one; nearer to a bound than this no digit helps.
NUMBERS = st.floats(-1, 1).filter(lambda x: x == 0 or abs(x) > 1e-5)


@given(low=NUMBERS, high=NUMBERS)
def test_an_end_that_is_not_zero_never_reads_as_zero(low: float, high: float) -> None:
    words = interval_words(low, high, 0.95)
    ends = re.fullmatch(r"95 % interval (\S+) to (\S+)", words)
    assert ends is not None
    for told, number in zip(ends.groups(), (low, high), strict=True):
        read = float(told.replace("−", "-"))
        assert (read > 0, read < 0) == (number > 0, number < 0)
        assert read == pytest.approx(number, abs=6e-4)


@given(p=st.floats(1e-9, 1), alpha=st.sampled_from([0.05, 0.01, 0.1, 0.025, 0.0005]))
def test_a_p_value_reads_on_its_side_of_alpha(p: float, alpha: float) -> None:
    words = p_words(p, alpha)
    if words.startswith("p < "):
        assert p < float(words[4:]) <= alpha
        return
    read = float(words.removeprefix("p = "))
    if abs(p - alpha) > 1e-6:
        assert (read < alpha, read > alpha) == (p < alpha, p > alpha)
    assert read == pytest.approx(p, abs=6e-3)


def test_small_p_values_keep_a_third_digit_and_the_smallest_are_bounds() -> None:
    assert [p_words(p) for p in (0.0099, 0.01, 0.001, 0.00099)] == [
        "p = 0.010", "p = 0.01", "p = 0.001", "p < 0.001",
    ]  # fmt: skip
    assert p_words(0.0004, 0.0005) == "p < 0.0005"


@given(number=st.floats(-1e3, 1e3), digits=st.integers(0, 6))
def test_a_signed_number_is_the_formatted_one_with_a_true_minus(number: float, digits: int) -> None:
    text = signed(number, digits)
    assert "-" not in text
    assert float(text.replace("−", "-")) == float(f"{number:.{digits}f}")
    assert not (text.startswith("−") and float(text[1:]) == 0)


def test_decimals_grow_until_the_number_leaves_its_bound_and_then_stop() -> None:
    assert decimals([0.5]) == 3
    assert decimals([0.5], least=1) == 1
    assert decimals([0.00004]) == 5
    assert decimals([1e-9]) == 6  # no further: such digits are beyond any sample
    assert decimals([0.0]) == decimals([]) == 3  # a number on its bound needs none
    assert decimals([0.95, 0.9504], bounds=(0.95,)) == 4


def test_the_level_is_told_without_needless_zeros() -> None:
    assert interval_words(-0.01, 0.02, 0.9) == "90 % interval −0.010 to 0.020"
    assert interval_words(0.1, 0.2, 0.975, digits=1) == "97.5 % interval 0.1 to 0.2"


def test_shares_are_told_in_points() -> None:
    assert [points_words(0.1119), points_words(-0.014), points_words(0.5, 0)] == ["11.2", "−1.4", "50"]


@given(count=st.integers(1, 10**7))
def test_two_digits_are_those_of_the_scientific_notation(count: int) -> None:
    found = two_digits(count)
    if count < 100:
        assert found == count
    else:
        assert abs(found - count) <= 0.5 * 10 ** (len(str(count)) - 2)
        assert len(str(found).rstrip("0")) <= 2


def test_lists_end_with_the_last_word() -> None:
    assert [listed(["a", "b"]), listed(["a", "b", "c"]), listed(["a", "b"], "or")] == [
        "a and b", "a, b and c", "a or b",
    ]  # fmt: skip
