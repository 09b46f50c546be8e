"""The product's words as types: what they refuse, and the arithmetic that they carry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from headtohead.core.records import Box, Comparison, Finding, Image, Verdict
from headtohead.core.tables.details import ComparisonDetails
from headtohead.core.tables.score import Score


def compared(**changes: Any) -> Comparison:
    content = {
        "a": "vit", "b": "cnn", "metric": "auroc", "difference": 0.1, "low": 0.02, "high": 0.2,
        "verdict": "no_evidence", "winner": None, "sentence": "No evidence.", "n_samples": 9, "n_groups": 5,
        "method": "test",
    }  # fmt: skip
    return Comparison.model_validate({**content, **changes})


def score(**changes: Any) -> Score:
    content = {
        "contender": "a", "metric": "auroc", "value": 0.9, "low": 0.8, "high": 0.95, "n_samples": 9,
        "n_groups": 5, "method": "test",
    }  # fmt: skip
    return Score.model_validate({**content, **changes})


@settings(max_examples=40, deadline=None)
@given(*[st.integers(0, 12)] * 4)
def test_a_box_holds_as_many_pixels_as_it_cuts(top: int, left: int, bottom: int, right: int) -> None:
    box = Box(top, left, bottom, right)
    pixels = np.arange(12 * 12 * 3).reshape(12, 12, 3)
    assert box.area == box.crop(pixels)[..., 0].size
    assert np.shares_memory(box.crop(pixels), pixels) or box.area == 0


def test_a_box_excludes_its_ends() -> None:
    pixels = np.arange(20).reshape(4, 5)
    np.testing.assert_array_equal(Box(1, 2, 3, 4).crop(pixels), [[7, 8], [12, 13]])


def test_the_size_of_an_image_is_height_then_width() -> None:
    assert Image(np.zeros((4, 7, 3), np.uint8), 8, "RGB", "PNG").size == (4, 7)


@pytest.mark.parametrize("code", ["H2H20", "H2H2033", "h2h203", "XH2H203", "H2H20a"])
def test_a_finding_has_a_code_of_the_catalogue(code: str) -> None:
    with pytest.raises(ValidationError, match="code"):
        Finding(code=code, title="t", severity="note", outcome="passed", message="m")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": "better"}, "a winner goes with the verdict 'better', and only with it"),
        ({"winner": "vit"}, "a winner goes with the verdict 'better', and only with it"),
        ({"verdict": "better", "winner": "rnn"}, "winner 'rnn' is neither 'vit' nor 'cnn'"),
        ({"level": 1.0}, "level"),
        ({"n_groups": -1}, "n_groups"),
        ({"method": ""}, "method"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_comparison_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        compared(**changes)


def test_either_contender_may_win() -> None:
    for name in ("vit", "cnn"):
        assert compared(verdict="better", winner=name).winner == name


@pytest.mark.parametrize(
    ("low", "high", "sign", "name", "lost"),
    [
        (0.02, 0.2, 1, "vit", True),
        (0.02, 0.2, 1, "cnn", False),
        (-0.2, -0.02, 1, "cnn", True),
        (-0.2, -0.02, 1, "vit", False),
        (-0.2, -0.02, -1, "vit", True),  # a lower loss
        (0.02, 0.2, -1, "cnn", True),
        (-0.1, 0.2, 1, "vit", False),
        (0.0, 0.2, 1, "vit", False),
        (None, 0.2, 1, "vit", False),
        (0.02, None, 1, "vit", False),
    ],
)
def test_a_lead_that_the_adjustment_takes(
    low: float | None, high: float | None, sign: int, name: str, lost: bool
) -> None:
    details = ComparisonDetails(p_holm=0.06)
    assert compared(low=low, high=high, details=details).loses_lead_to_adjustment(name, sign) is lost


@pytest.mark.parametrize(
    ("p_holm", "level", "lost"),
    [(0.05, 0.95, False), (0.051, 0.95, True), (0.06, 0.9, False), (None, 0.95, False)],
)
def test_the_adjusted_p_is_held_against_the_level(p_holm: float | None, level: float, lost: bool) -> None:
    one = compared(details=ComparisonDetails(p_holm=p_holm), level=level)
    assert one.loses_lead_to_adjustment("vit", 1) is lost


def test_a_winner_has_lost_no_lead() -> None:
    one = compared(verdict="better", winner="vit", details=ComparisonDetails(p_holm=0.06))
    assert not one.loses_lead_to_adjustment("vit", 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": None}, "must say why in `note`"),
        ({"low": None}, "needs value, low and high, all finite"),
        ({"high": float("inf")}, "needs value, low and high, all finite"),
        ({"value": float("nan")}, "needs value, low and high, all finite"),
        ({"low": 0.96}, "interval upside down: 0.96 > 0.95"),
        ({"value": None, "note": "one class", "low": 2.0, "high": 1.0}, "interval upside down"),
        ({"method": ""}, "method"),
        ({"level": 0.0}, "level"),
        ({"n_samples": -1}, "n_samples"),
    ],
)
def test_a_score_without_its_interval_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        score(**changes)


def test_scores_show_themselves() -> None:
    assert str(score()) == "0.900 [0.800, 0.950]"
    assert repr(score()) == "Score(a, auroc: 0.900 [0.800, 0.950])"
    undefined = score(value=None, low=0.3, high=None, note="one class only")
    assert str(undefined) == "not defined (one class only)"
    assert str(score(value=0.9, low=0.9, high=0.9)) == "0.900 [0.900, 0.900]", "an interval may have no width"


def test_a_verdict_shows_how_many_contenders_it_rests_on() -> None:
    verdict = Verdict(
        sentence="No evidence.",
        metric="auroc",
        scores=(score(), score(metric="brier"), score(contender="b")),
        comparisons=(compared(),),
    )
    assert repr(verdict) == "Verdict(auroc, 2 contenders: No evidence.)"
    assert str(verdict) == "No evidence." == str(verdict.comparisons[0])
    assert repr(verdict.comparisons[0]) == "Comparison(vit − cnn, auroc: no_evidence)"
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
