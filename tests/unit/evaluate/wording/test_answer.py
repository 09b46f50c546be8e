"""The answer put together from comparisons by hand: whose name stands in which sentence."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Comparison
from headtohead.core.tables.details import BestSet, ComparisonDetails
from headtohead.evaluate.wording.pair import Cases
from headtohead.evaluate.wording.summary import Answer, summary_sentence
from headtohead.stats.metrics.registry import METRICS

VALUES = {"a": 0.91, "b": 0.7, "c": 0.9, "d": 0.88, "e": 0.905}
FITTED = "This is about these fitted models, not about the methods that made them."


def pair(a: str, b: str, verdict: str, winner: str | None = None, **more: Any) -> Comparison:
    return comparison(a, b).model_copy(update={"verdict": verdict, "winner": winner, **more})


def answer(pairs: list[Comparison], values: dict[str, float | None] | None = None, **more: Any) -> str:
    scores = [score(name, value=value) for name, value in (values or VALUES).items()]
    options: dict[str, Any] = {"baselines": (), "cases": Cases(120, 120, "patient")} | more
    return summary_sentence(Answer(METRICS["auroc"], pairs, scores, **options))


def five() -> list[Comparison]:
    """Return comparisons in which a beats b, equals e, is within the margin of c, and is not told from d; c beats d."""
    return [
        pair("a", "e", "identical"),
        pair("b", "a", "better", "a"),
        pair("a", "c", "equivalent"),
        pair("a", "d", "no_evidence"),
        pair("c", "d", "better", "c"),
    ]


LEAD = "Of 5 contenders a has the highest AUROC, 0.910 (95 % interval 0.810 to 0.960; 120 patients)."


def test_what_is_shown_of_each_of_the_others_is_told_once() -> None:
    assert answer(five()) == (
        f"{LEAD} It ranks cases better than b. Its predictions are those of e. It differs by less than the margin "
        f"given from c. The data cannot tell it from d. {FITTED}"
    )


@pytest.mark.parametrize(
    ("candidates", "excluded", "said"),
    [
        (("a",), ("b", "c"), "It is the best, with 95 % confidence."),
        (("a", "b", "c"), (), "Any of them may be the best; none can be ruled out."),
        (("a", "c"), ("b", "d"), "The best may be a or c; with 95 % confidence, the others are not."),
        (("a", "c", "d"), ("b",), "The best may be a, c or d; with 95 % confidence, b is not."),
    ],
)
def test_the_set_of_the_best_is_told(
    candidates: tuple[str, ...], excluded: tuple[str, ...], said: str
) -> None:
    best = BestSet(highest="a", candidates=candidates, excluded=excluded, level=0.95)
    assert f"The data cannot tell it from d. {said} {FITTED}" in answer(five(), best=best)


def test_a_stated_pair_speaks_first() -> None:
    pairs = [pair("c", "d", "better", "c", sentence="C beats D."), *five()[:4]]
    assert answer(pairs, stated=True).startswith(f"C beats D. {LEAD}")
    assert answer(pairs).startswith(LEAD)


def test_a_refusal_stands_alone() -> None:
    pairs = [pair("a", "b", "refused", sentence="No verdict: refused."), pair("a", "c", "refused")]
    assert answer(pairs, {"a": 0.9, "b": 0.8, "c": 0.7}) == "No verdict: refused."


def test_of_equal_values_the_name_decides_and_those_without_a_value_come_last() -> None:
    scores = [score(n, value=v) for n, v in (("z", 0.8), ("none", None), ("b", 0.9), ("a", 0.8))]
    for name, order in (("auroc", ["b", "a", "z", "none"]), ("brier", ["a", "z", "b", "none"])):
        ranked = Answer(METRICS[name], [], scores, (), Cases(9, 9)).contenders
        assert [one.contender for one in ranked] == order


def test_controls_stand_apart_from_the_contest() -> None:
    pairs = [
        pair("a", "b", "no_evidence", sentence="No evidence."),
        pair("a", "old", "better", "a"),
        pair("b", "old", "better", "old"),
    ]
    values: dict[str, float | None] = {"a": 0.9, "b": 0.8, "old": 0.85, "gone": None}
    assert answer(pairs, values, baselines=("old", "gone")) == (
        "No evidence. Against the control old (AUROC 0.850): a is shown to be better; b is shown to be worse. The "
        f"control gone has no AUROC. {FITTED}"
    )
    both = [pairs[0], pair("a", "old", "equivalent"), pair("b", "old", "equivalent")]
    assert "(AUROC 0.850): a and b are within the margin given." in answer(both, values, baselines=("old",))
    mixed = [pairs[0], pair("a", "old", "identical"), pair("b", "old", "cannot_tell")]
    assert "a is the same predictions; b is not shown to differ." in answer(mixed, values, baselines=("old",))


def test_controls_alone_are_nothing_to_compare() -> None:
    assert answer([], {"majority": 0.5, "old": 0.6}, baselines=("majority", "old")) == (
        "There are only controls (majority, old), so there is nothing to compare."
    )


def test_one_contender_may_lose_to_the_class_frequencies() -> None:
    values: dict[str, float | None] = {"a": 0.4, "majority": 0.5}
    for winner, stands in (
        ("majority", "does worse"),
        ("a", "does better"),
        (None, "is not shown to do better"),
    ):
        found = pair("a", "majority", "better" if winner else "no_evidence", winner)
        assert answer([found], values, baselines=("majority",)).endswith(
            f"It {stands} than always answering with the class frequencies."
        )


def test_a_single_contender_that_is_refused_says_why() -> None:
    refused = pair("a", "majority", "refused", details=ComparisonDetails(refusal="there is data leakage: x"))
    assert answer([refused], {"a": 0.4, "majority": 0.5}, baselines=("majority",)) == (
        "No verdict on a: refused, because there is data leakage: x."
    )
