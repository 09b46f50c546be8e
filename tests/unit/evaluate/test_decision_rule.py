"""The decision rule: each clause, their order, and the rule in words."""

from __future__ import annotations

import pytest

from headtohead.evaluate.decision_rule import Decision, DecisionRule, decide


@pytest.mark.parametrize(
    ("low", "high", "inner", "groups", "events", "rope", "word"),
    [
        (0.001, 0.04, (0.005, 0.035), 200, 80, None, "better"),
        (-0.04, -0.001, (-0.035, -0.005), 200, 80, None, "better"),
        (-0.01, 0.04, (-0.005, 0.035), 200, 80, None, "no_evidence"),
        (-0.01, 0.012, (-0.008, 0.01), 200, 80, 0.02, "equivalent"),
        (-0.01, 0.022, (-0.008, 0.021), 200, 80, 0.02, "no_evidence"),
        (-0.06, 0.062, (-0.05, 0.05), 200, 80, None, "cannot_tell"),
        (0.01, 0.05, (0.02, 0.04), 29, 14, None, "cannot_tell"),
        (0.01, 0.05, (0.02, 0.04), 200, 9, None, "cannot_tell"),
        (0.01, 0.05, (0.02, 0.04), 9, 4, None, "refused"),
        (None, None, None, 200, 80, None, "cannot_tell"),
    ],
)  # fmt: skip
def test_the_rule_clause_by_clause(
    low: float | None, high: float | None, inner: tuple[float, float] | None, groups: int, events: int,
    rope: float | None, word: str,
) -> None:  # fmt: skip
    found = decide(
        DecisionRule(rope=rope),
        low=low,
        high=high,
        inner=inner,
        p_adjusted=0.01,
        n_groups=groups,
        n_events=events,
    )
    assert found.word == word


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "interval"), ({"refusal": "the data leak"}, "refused"), ({"n_groups": 9}, "refused"),
        ({"n_groups": 29}, "groups"),
        ({"n_events": 9}, "events"), ({"low": None}, "none"), ({"p_adjusted": 0.051, "high": 0.2}, "width"),
        ({"p_adjusted": 0.051}, "none"),
    ],
)  # fmt: skip
def test_the_reason_names_the_clause_that_decided(change: dict[str, float | str | None], reason: str) -> None:
    given = {
        "low": 0.01,
        "high": 0.05,
        "inner": (0.02, 0.04),
        "p_adjusted": 0.01,
        "n_groups": 200,
        "n_events": 80,
    }
    assert decide(DecisionRule(), **(given | change)).reason == reason  # type: ignore[arg-type]


def test_a_difference_that_is_shown_is_better_though_within_the_rope() -> None:
    decision = decide(
        DecisionRule(rope=0.1),
        low=0.01,
        high=0.05,
        inner=(0.02, 0.04),
        p_adjusted=0.01,
        n_groups=200,
        n_events=80,
    )
    assert decision == Decision("better", "interval")


def test_the_ends_of_the_rope_are_excluded() -> None:
    given = {"low": -0.01, "high": 0.03, "p_adjusted": 0.4, "n_groups": 200, "n_events": 80}
    inside = decide(DecisionRule(rope=0.02), inner=(-0.0199, 0.0199), **given)  # type: ignore[arg-type]
    touching = decide(DecisionRule(rope=0.02), inner=(-0.0199, 0.02), **given)  # type: ignore[arg-type]
    assert (inside.word, touching.word) == ("equivalent", "no_evidence")


def test_the_rule_in_words_states_its_numbers() -> None:
    text = DecisionRule(level=0.9, rope=0.03, min_groups=12).text("AUROC")
    for words in (
        "difference in AUROC",
        "fewer than 12 groups",
        "the 90 % interval",
        "at most 0.1",
        "the 80 % interval lies within ±0.03",
    ):
        assert words in text
    assert DecisionRule(rope=0.03).bound == 0.03 and DecisionRule().bound == 0.05
    assert "give a region of practical equivalence" in DecisionRule().text("AUROC")
