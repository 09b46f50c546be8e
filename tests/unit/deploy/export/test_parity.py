"""Parity: what is counted, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import PrecisionError, UsageError
from headtohead.deploy.export.parity import compare_answers


@dataclass
class Said:
    positive: tuple[float, ...]
    threshold: float = 0.5

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        p = np.asarray(self.positive)
        return np.column_stack([1 - p, p])

    @property
    def labels(self) -> list[str]:
        return ["yes" if p >= self.threshold else "no" for p in self.positive]

    @property
    def margins(self) -> npt.NDArray[np.float64]:
        return np.abs(np.asarray(self.positive) - self.threshold)


NAMES = ["a.png", "b.png", "c.png"]


def test_tells_the_largest_difference_and_its_image() -> None:
    found = compare_answers(Said((0.1, 0.6, 0.9)), Said((0.1, 0.6004, 0.9)), NAMES)
    assert found.max_difference == pytest.approx(4e-4) and found.worst == "b.png" and found.holds
    found.require("model.onnx")


def test_refuses_a_difference_beyond_the_tolerance() -> None:
    found = compare_answers(Said((0.1, 0.6, 0.9)), Said((0.1, 0.6, 0.902)), NAMES)
    with pytest.raises(PrecisionError, match=r"c\.png"):
        found.require("model.onnx")


def test_refuses_a_flipped_label_though_the_difference_is_small() -> None:
    found = compare_answers(Said((0.1, 0.5004, 0.9)), Said((0.1, 0.4999, 0.9)), NAMES)
    assert (found.flipped, found.flipped_outside_rounding) == (
        1,
        1,
    ) and found.max_difference < found.tolerance
    with pytest.raises(PrecisionError, match="Nothing was written"):
        found.require("model.onnx")


def test_a_probability_on_the_threshold_itself_may_flip_by_rounding() -> None:
    found = compare_answers(Said((0.1, 0.5, 0.9)), Said((0.1, 0.4999999, 0.9)), NAMES)
    assert (found.flipped, found.flipped_outside_rounding) == (1, 0) and found.holds


def test_a_probability_that_is_no_number_is_refused() -> None:
    assert not compare_answers(Said((0.1, 0.6, 0.9)), Said((0.1, float("nan"), 0.9)), NAMES).holds


def test_int8_reports_its_drift_and_is_not_refused() -> None:
    found = compare_answers(Said((0.1, 0.6, 0.9)), Said((0.3, 0.4, 0.9)), NAMES, int8=True)
    assert found.flipped == 1 and not found.holds
    found.require("model.onnx")


def test_refuses_answers_that_do_not_belong_together() -> None:
    with pytest.raises(UsageError, match="expected equal"):
        compare_answers(Said((0.1,)), Said((0.1, 0.2)), NAMES)
