"""Gain of an ensemble: over its best member, signed so that above 0 is better, and only where it is defined."""

from __future__ import annotations

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Comparison, Score, Verdict
from headtohead.evaluate.ensemble_gain import ensemble_gains

CLASSES = ("no", "yes")


def verdict(metric: str, scores: tuple[Score, ...], *pairs: Comparison) -> Verdict:
    return Verdict(sentence="s", metric=metric, scores=scores, comparisons=pairs)


def test_the_gain_is_over_the_best_member_and_turned_towards_the_ensemble() -> None:
    scores = (score("a", value=0.7), score("b", value=0.8), score("e", value=0.83))
    (gain,) = ensemble_gains(
        verdict("auroc", scores, comparison("a", "e", -0.1), comparison("b", "e", -0.03)),
        {"e": ["a", "b"]},
        CLASSES,
    )
    assert (gain.contender, gain.member) == ("e", "b")
    assert (gain.gain, gain.low, gain.high) == pytest.approx((0.03, -0.02, 0.08))
    assert "over b, its best member" in gain.sentence and "no evidence of a difference" in gain.sentence


def test_where_lower_is_better_the_best_member_has_the_lowest_score() -> None:
    scores = (score("a", "brier", 0.2), score("b", "brier", 0.3), score("e", "brier", 0.15))
    (gain,) = ensemble_gains(
        verdict("brier", scores, comparison("e", "a", -0.05)), {"e": ["a", "b"]}, CLASSES
    )
    assert gain.member == "a" and gain.gain == pytest.approx(0.05)


def test_an_undefined_difference_has_no_gain() -> None:
    scores = (score("a"), score("e"))
    undefined = verdict("auroc", scores, comparison("e", "a", None))
    assert ensemble_gains(undefined, {"e": ["a"]}, CLASSES) == ()
    assert ensemble_gains(verdict("auroc", scores), {"e": ["a"]}, CLASSES) == ()
