"""Two or three sentences on a map, with the numbers that it holds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution
from headtohead.explain.words import describe, half_of_evidence, not_localised_share, place_words

BOX, SIZE = Box(0, 0, 90, 90), (90, 90)


def said(
    grid: object, log_odds: float = 1.0, box: Box = BOX, size: tuple[int, int] = SIZE, **changes: object
) -> str:
    one = Attribution(np.asarray(grid, float), 1, log_odds, **changes)  # type: ignore[arg-type]
    return describe(one, "ill", box, size)


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        float,
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.integers(-500, 500).map(lambda n: n / 100),
    )
)
def test_half_of_the_evidence_lies_on_the_share_that_is_told(grid: npt.NDArray[np.float64]) -> None:
    share, (row, column) = half_of_evidence(grid)
    positive = np.sort(np.maximum(grid, 0).ravel())[::-1]
    if positive.sum() < 1e-9:
        return
    cells = share * grid.size
    whole = int(cells + 1e-9)
    part = positive[whole] * (cells - whole) if whole < grid.size else 0.0
    assert positive[:whole].sum() + part == pytest.approx(positive.sum() / 2, rel=1e-6)
    assert 0 < share <= 0.5 + 1e-9 and 0 <= row <= 1 and 0 <= column <= 1


def test_a_map_without_evidence_has_no_place() -> None:
    assert half_of_evidence(np.array([[-1.0, 0.0]])) == (1.0, (0.5, 0.5))


def test_the_centre_is_of_the_hotter_half_alone() -> None:
    grid = np.zeros((10, 10))
    grid[1, 8], grid[9, 0] = 6.0, 5.0
    share, centre = half_of_evidence(grid)
    assert share == pytest.approx(5.5 / 6 / 100) and centre == pytest.approx((0.15, 0.85))


def test_equal_cells_are_taken_from_the_first_on() -> None:
    assert half_of_evidence(np.ones((1, 4))) == (0.5, (0.5, 0.25))


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (0.0, 0.0, "upper left"), (0.0, 0.5, "upper centre"), (0.5, 1.0, "right"), (1.0, 1.0, "lower right"),
        (0.34, 0.66, "centre"), (0.33, 0.5, "upper centre"), (0.67, 0.32, "lower left"), (0.5, 0.32, "left"),
    ],
)  # fmt: skip
def test_places_in_words(row: float, column: float, words: str) -> None:
    assert place_words(row, column) == words


def test_evidence_for_and_against_lie_where_their_sign_is() -> None:
    grid = np.zeros((9, 9))
    grid[0, 0], grid[8, 8] = 3.0, -4.0
    assert (
        "Half of the evidence for ill that has a place lies on 0.6 % of the area seen, around the upper left"
        in said(grid, 0.0)
    )
    against = said(grid, -1.0)
    assert "Log-odds of ill -1.00 (probability 0.27)." in against
    assert (
        "Half of the evidence against ill that has a place lies on 0.6 %" in against
        and "lower right" in against
    )


def test_the_place_is_that_of_the_whole_image() -> None:
    grid = np.zeros((9, 9))
    grid[0, 0] = 1.0
    assert "around the lower right of the image" in said(grid, box=Box(80, 160, 90, 200), size=(90, 200))
    assert "around the upper right of the image" in said(grid, box=Box(0, 160, 90, 200), size=(90, 200))


def test_evidence_on_more_than_a_quarter_is_spread_out() -> None:
    assert "The evidence for ill is spread out: half of it takes 50 % of the area seen." in said(
        np.ones((4, 4))
    )
    half = np.zeros((4, 4))
    half[:2] = 1.0  # half of it takes just a quarter
    assert "spread out" not in said(half)


def test_the_sum_names_what_has_no_place() -> None:
    assert "Sum: +0.50 offset, +4.00 with a place." in said(np.ones((2, 2)), offset=0.5)
    told = said(np.ones((2, 2)), offset=-0.5, elsewhere={"a": -2.0, "b": 1.0}, notes=("Look out.",))
    assert told.endswith("Sum: -0.50 offset, +4.00 with a place, -1.00 (20 %) not localised. Look out.")
    assert "Sum" not in said(np.ones((2, 2)))


def test_the_share_without_a_place() -> None:
    assert not_localised_share(Attribution(np.full((1, 1), -3.0), 1, 0.0, 0.0, {"a": 1.0})) == 0.25
    assert not_localised_share(Attribution(np.zeros((1, 1)), 1, 0.0, 0.0, {"a": 2.0})) == 1.0
    assert not_localised_share(Attribution(np.zeros((1, 1)), 1, 0.0)) == 0.0
