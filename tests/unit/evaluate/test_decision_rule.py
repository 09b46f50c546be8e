"""The decision rule: each clause, their order, and the rule in words."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.evaluate.decision_rule import DecisionRule, Evidence, decide

SEEN: dict[str, Any] = {
    "low": 0.01, "high": 0.05, "p_adjusted": 0.01, "n_groups": 200, "n_events": 80,
    "even_groups": 150.0, "degrees": 60.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rope", "word", "reason"),
    [
        ({}, None, "better", "interval"),
        ({"low": -0.04, "high": -0.001}, None, "better", "interval"),
        ({"low": -0.01, "high": 0.04}, None, "no_evidence", "none"),
        ({"low": -0.01, "high": 0.012, "p_equivalent": 0.04}, 0.02, "equivalent", "rope"),
        ({"low": -0.01, "high": 0.012, "p_equivalent": 0.06}, 0.02, "no_evidence", "none"),
        ({"low": -0.01, "high": 0.012, "p_equivalent": 0.04}, None, "no_evidence", "none"),
        ({"low": -0.06, "high": 0.062}, None, "cannot_tell", "width"),
        ({"n_groups": 29}, None, "cannot_tell", "groups"),
        ({"n_events": 9}, None, "cannot_tell", "events"),
        ({"degrees": 9.9}, None, "cannot_tell", "degrees"),
        ({"low": -0.01, "high": 0.012, "p_equivalent": 0.04, "degrees": 9.9}, 0.02, "cannot_tell", "degrees"),
        ({"low": -0.01, "high": 0.04, "degrees": 9.9}, None, "no_evidence", "none"),
        ({"even_groups": 5.9}, None, "cannot_tell", "uneven"),
        ({"low": -0.01, "high": 0.012, "p_equivalent": 0.04, "even_groups": 5.9}, 0.02, "cannot_tell", "uneven"),
        ({"low": -0.01, "high": 0.04, "even_groups": 5.9}, None, "no_evidence", "none"),
        ({"n_groups": 9}, None, "refused", "refused"),
        ({"refusal": "the data leak"}, None, "refused", "refused"),
        ({"low": None}, None, "cannot_tell", "none"),
        ({"p_adjusted": 0.051}, None, "no_evidence", "none"),
        ({"p_adjusted": 0.051, "high": 0.2}, None, "cannot_tell", "width"),
        ({"p_equivalent": 0.001}, 0.1, "better", "interval"),
    ],
)  # fmt: skip
def test_the_rule_clause_by_clause(
    change: dict[str, Any], rope: float | None, word: str, reason: str
) -> None:
    found = decide(DecisionRule(rope=rope), Evidence(**(SEEN | change)))
    assert (found.word, found.reason) == (word, reason)


def test_the_width_is_that_of_the_metric_unless_a_margin_is_given() -> None:
    wide = Evidence(**(SEEN | {"low": -0.03, "high": 0.03}))
    assert decide(DecisionRule(), wide).word == "no_evidence"
    assert decide(DecisionRule(max_half_width=0.02), wide).reason == "width"
    assert decide(DecisionRule(max_half_width=0.02, rope=0.05), wide).word == "no_evidence"


def test_the_rule_in_words_states_its_numbers() -> None:
    text = DecisionRule(level=0.9, rope=0.03, min_groups=12).text(
        "AUROC", family="adjusted by Holm over 3 pairs"
    )
    for words in (
        "difference in AUROC",
        "fewer than 12 groups",
        "the 90 % interval",
        "p, adjusted by Holm over 3 pairs, is at most 0.1",
        "10 effective degrees of freedom",
        "the 80 % interval lies within ±0.03, the margin given",
        "a half-width above 0.03 of AUROC",
    ):
        assert words in text
    assert DecisionRule(rope=0.03).bound == 0.03 and DecisionRule().bound == 0.05
    assert "give a margin of equivalence" in DecisionRule().text("AUROC")
