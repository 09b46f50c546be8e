"""How numbers are written: three decimals, true minus signs, no minus before zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planting.reported import score

from headtohead.core.tables.estimate import Estimate
from headtohead.report.tables.format import (
    digits,
    format_estimate,
    nearest,
    p_words,
    signed_digits,
    true_minus,
)

NUMBERS = st.floats(-1000, 1000)


@given(NUMBERS)
def test_digits_read_back_as_the_number_to_half_a_thousandth(value: float) -> None:
    for text in (digits(value), signed_digits(value)):
        assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.000501)
        assert "-" not in text and "−0.000" not in text


@given(NUMBERS)
def test_a_sign_is_there_unless_the_digits_are_zero(value: float) -> None:
    text = signed_digits(value)
    assert (text[0] in "+−") == (text.strip("+−") != "0.000")
    assert text == "0.000" or (text[0] == "+") == (value > 0)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(value=0.5, low=-0.25, high=1.0), "0.500 [−0.250, 1.000]"),
        (Estimate(value=-0.5, low=None, high=None), "−0.500"),
        (Estimate(value=None, low=None, high=None), "not defined"),
        (score("vit", value=None), "not defined (one class only)"),
        (score("vit", value=None).model_copy(update={"note": ""}), "not defined"),
        (score("vit", value=0.5), "0.500 [0.400, 0.550]"),
        (-0.25, "−0.250"),
        (None, ""),
    ],
)
def test_estimates(estimate: Estimate | float | None, text: str) -> None:
    assert format_estimate(estimate) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (0.05, "0.050"), (1.0, "1.000")],
)
def test_p_values(value: float | None, text: str) -> None:
    assert p_words(value) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from -0.5 to -1", "from −0.5 to −1"), ("[-1, (-2", "[−1, (−2"), ("vit-b16 and a-1", "vit-b16 and a-1"),
        ("--folds 3 --5", "--folds 3 --5"), ("well-known - 3", "well-known - 3"), ("", ""),
    ],
)  # fmt: skip
def test_only_a_hyphen_before_a_number_of_its_own_is_a_minus(text: str, shown: str) -> None:
    assert true_minus(text) == shown


def test_of_two_values_equally_near_the_first_counts() -> None:
    assert nearest([0.0, 0.4, 0.6, 1.0], 0.5) == 1
    assert nearest([3.0, -1.0, 0.2], 0.0) == 2
