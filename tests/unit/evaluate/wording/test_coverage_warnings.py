"""Caveats that gather the warnings of many scores: which metrics are named, in which order, and how many."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Score, ScoreWarning
from headtohead.core.tables.details import ComparisonDetails, SeedStability
from headtohead.evaluate.wording.caveats import caveats, coverage_warnings, seed_caveat
from headtohead.evaluate.wording.pair import Cases
from headtohead.stats.metrics.lookup import metrics_shown
from headtohead.stats.metrics.registry import METRICS


def warned(metric: str, code: Any = "few_degrees") -> Score:
    return score("a", metric).model_copy(update={"warnings": (ScoreWarning(code=code, text="t"),)})


def test_the_primary_metric_comes_first_and_the_others_as_the_reader_sees_them() -> None:
    shown = metrics_shown("headline")
    (text,) = coverage_warnings([warned(shown[1]), warned(shown[0]), warned("mcc")], "mcc", noun="patient")
    first, second = (METRICS[name].title for name in shown[:2])
    assert text == (
        f"A handful of patients decides {METRICS['mcc'].title}, {first} and {second}: without one of them the result "
        "could be quite different, and the intervals may be too narrow."
    )


def test_a_metric_that_no_reader_sees_first_is_left_to_the_table() -> None:
    assert coverage_warnings([warned("mcc")]) == []
    assert coverage_warnings([score("a")]) == []


def test_beyond_four_metrics_the_others_are_counted() -> None:
    shown = metrics_shown("headline")
    assert len(shown) > 5
    four, six = (coverage_warnings([warned(name) for name in shown[:n]], shown[0])[0] for n in (4, 6))
    named = [METRICS[name].title for name in shown[:4]]
    assert f"decides {', '.join(named[:3])} and {named[3]}:" in four
    assert f"decides {', '.join(named)} and 2 more:" in six


def test_each_kind_of_warning_has_one_sentence_and_only_of_its_own_metrics() -> None:
    found = coverage_warnings([warned("auroc", "few_groups"), warned("brier", "lost_resamples")], noun="case")
    assert found == [
        "There are fewer than ten cases: all intervals may be too short.",
        "More than a fifth of the resamples lacked a class: the intervals of Brier score are not to be trusted.",
    ]


def seeded(**more: Any) -> Any:
    details = ComparisonDetails(seeds=SeedStability(changes=0.08, repeats=12))
    return comparison("a", "b").model_copy(update={"primary": True, "details": details, **more})


def test_seeds_are_spoken_of_for_the_first_pair_alone() -> None:
    (text,) = seed_caveat([seeded(primary=False), seeded()])
    assert text == (
        "With other seeds of the folds a winner could be named between a and b, in about 8 % of runs with this many "
        "repeats. If the difference stays as it is, about 12 repeats (--repeats 12) bring that down to 5 %."
    )
    assert seed_caveat([seeded(primary=False)]) == seed_caveat([seeded(verdict="refused")]) == []
    rare = ComparisonDetails(seeds=SeedStability(changes=0.05, repeats=3))
    assert seed_caveat([seeded(details=rare)]) == []


@pytest.mark.parametrize(("winner", "other"), [("a", "b"), ("b", "a")])
def test_the_winner_that_another_seed_may_take_back_is_named(winner: str, other: str) -> None:
    (text,) = seed_caveat([seeded(winner=winner, verdict="better")])
    assert text.startswith(
        f"With other seeds of the folds {winner} would not be shown to be better than {other} in about 8 % of runs"
    )


def test_caveats_come_worst_first_once_each_and_never_what_the_headline_says() -> None:
    unbeaten = comparison("a", "file-facts").model_copy(
        update={
            "details": ComparisonDetails(refusal="the best contender, a, is not shown to beat file facts")
        }
    )
    found = caveats(
        "Refused: one leak.", ["one leak", "another leak.", "another leak"], [unbeaten, seeded()],
        [warned("auroc")], ["a note", "a note"], cases=Cases(9, 9),
    )  # fmt: skip
    assert found[0] == "another leak."
    assert found[1].startswith("File facts alone are not shown to predict the label less well")
    assert found[2].startswith("With other seeds")
    assert found[3].startswith("A handful of cases decides AUROC")
    assert found[4:] == ("a note",)
