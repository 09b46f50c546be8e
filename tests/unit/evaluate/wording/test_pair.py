"""The sentence on one pair, from its numbers: who is named, which digits are told, what is added."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headtohead.core.tables.details import PowerAnalysis
from headtohead.evaluate.decision_rule import Decision, DecisionRule
from headtohead.evaluate.wording.pair import Cases, PairContext, pair_sentence, sample_size_sentence
from headtohead.stats.decision.support import Support
from headtohead.stats.hypothesis.paired_difference import Difference
from headtohead.stats.metrics.registry import METRICS

FOUND = Difference(
    "cnn", "vit", -0.0412, -0.08, -0.0024, (-0.07, -0.01), 0.0312, 0.0312, "vit", "paired", "", degrees=7.4
)
CASES = Cases(500, 200, "patient", even_groups=4.26)


def say(decision: Decision, found: Difference = FOUND, metric: str = "auroc", **more: Any) -> str:
    rule = DecisionRule(rope=more.pop("rope", None))
    context = PairContext(METRICS[metric], rule, more.pop("cases", CASES), more.pop("n_pairs", 1), 0.05)
    options: dict[str, Any] = {"values": (0.8712, 0.9124), "support": Support(8, "of class yes")} | more
    return pair_sentence(found, decision, context, **options)


BETTER = Decision("better", "interval")


def test_the_winner_is_named_first_with_its_own_value() -> None:
    assert say(BETTER) == (
        "vit ranks cases better than cnn on these data: AUROC 0.912 against 0.871, difference 0.041 (95 % interval "
        "0.002 to 0.080, p = 0.03; 500 samples of 200 patients)."
    )
    mirrored = replace(FOUND, value=0.0412, low=0.0024, high=0.08, inner=(0.01, 0.07), favours="cnn")
    assert say(BETTER, mirrored, values=(0.9124, 0.8712)).startswith(
        "cnn ranks cases better than vit on these data: AUROC 0.912 against 0.871, difference 0.041"
    )


def test_of_a_loss_the_winner_has_the_lower_one() -> None:
    loss = replace(FOUND, favours="cnn")
    assert say(BETTER, loss, "brier", values=(0.1, 0.1412)).startswith(
        "cnn has a lower Brier score than vit on these data: 0.100 against 0.141, difference 0.041 ("
    )


def test_a_difference_within_the_margin_is_named_and_called_small() -> None:
    said = say(BETTER, rope=0.1)
    assert said.startswith(
        "The difference is real but smaller than 0.1, the margin given: vit ranks cases better"
    )
    assert say(BETTER, rope=0.07) == say(BETTER)  # an inner end on the margin is not within it


def test_an_end_close_to_zero_gets_the_digits_that_it_needs() -> None:
    close = replace(FOUND, high=-0.0004)
    assert "0.8712" in say(BETTER, close) and "95 % interval 0.0004 to 0.0800" in say(BETTER, close)


def test_an_adjusted_p_value_says_over_how_many_pairs() -> None:
    adjusted = replace(FOUND, p_adjusted=0.0412)
    assert "p = 0.04 after adjusting for 3 comparisons; 500 samples" in say(BETTER, adjusted, n_pairs=3)
    assert "after adjusting" not in say(BETTER, n_pairs=3)  # nothing was changed by it
    assert "after adjusting" not in say(BETTER, adjusted)


def test_equivalence_tells_the_inner_interval_and_warns_of_wide_margins() -> None:
    equivalent = Decision("equivalent", "rope")
    assert say(equivalent, rope=0.1) == (
        "cnn and vit differ by less than 0.1, the margin given: AUROC 0.871 against 0.912 (difference −0.041, 90 % "
        "interval −0.070 to −0.010; 500 samples of 200 patients)."
    )
    assert say(equivalent, rope=0.11).endswith(
        "A margin above 0.1 of AUROC lets very different contenders pass."
    )


WHOLE = (
    "UROC 0.871 against 0.912 (difference −0.041, 95 % interval −0.080 to −0.002, p = 0.03; 500 samples of "
    "200 patients)"
)


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("groups", "only 200 patients (at least 30 are needed)"),
        ("events", "only 8 patients of class yes (at least 10 are needed)"),
        (
            "degrees",
            "a handful of patients decides the difference (7 effective degrees of freedom; at least 10 are needed)",
        ),
        (
            "uneven",
            "patients of very unequal size (200 patients count as 4.3 of equal size; at least 6 are needed)",
        ),
    ],
)
def test_too_little_data_is_said_with_the_number_needed(reason: Any, why: str) -> None:
    decision = Decision("cannot_tell", reason)
    lead = f"The rule gives no verdict on cnn against vit: {why}"
    assert say(decision) == f"{lead}, though the interval excludes 0. A{WHOLE}."
    across = replace(FOUND, high=0.01)
    assert ", though the interval excludes 0" not in say(decision, across)


def test_a_wide_interval_and_a_hint_are_given_as_reasons() -> None:
    wide = replace(FOUND, low=-0.1, high=0.06)
    said = say(Decision("cannot_tell", "width"), wide)
    assert said.startswith(
        "The data cannot tell cnn from vit: AUROC 0.871 against 0.912 (difference −0.041, "
    )
    assert said.endswith("; the half-width of the interval, 0.080, is above 0.05.")
    assert say(Decision("cannot_tell", "scale"), hint="pooled, vit loses").endswith(
        "patients); pooled, vit loses."
    )
    assert say(Decision("cannot_tell", "none")).endswith("patients).")


def test_no_evidence_and_refusals_and_undefined_differences() -> None:
    assert say(Decision("no_evidence", "none")) == (
        f"The data show neither a difference between cnn and vit nor that there is none: A{WHOLE}."
    )
    assert say(Decision("refused", "refused"), refusal="there is data leakage") == (
        "No verdict on cnn against vit: refused, because there is data leakage."
    )
    undefined = Difference("cnn", "vit", None, None, None, None, 1, 1, None, "none", "one group says nothing")
    assert say(Decision("cannot_tell", "none"), undefined) == (
        "The data cannot tell cnn from vit: one group says nothing."
    )
    assert "0.871 against not defined" in say(Decision("no_evidence", "none"), values=(0.8712, None))


def power(fewest: int | None, most: int | None, matters: float | None = 0.05) -> PowerAnalysis:
    return PowerAnalysis(
        detectable_difference=0.1,
        matters=matters,
        fewest_groups=fewest,
        most_groups=most,
        power=0.8,
        method="m",
    )


def test_a_sample_size_is_told_to_two_digits() -> None:
    lead = "To show a difference of 0.05 in AUROC, the smallest that was said to matter, a new study like this one"
    auroc = METRICS["auroc"]
    assert sample_size_sentence(power(237, 1254), CASES, auroc) == (
        f"{lead} would need roughly 240 to 1300 patients in all."
    )
    assert (
        sample_size_sentence(power(30, 30), Cases(9, 9), auroc)
        == f"{lead} would need roughly 30 cases in all."
    )
    assert sample_size_sentence(power(None, None), Cases(9, 5), auroc) == (
        "How many groups would show a difference of 0.05 in AUROC, the smallest that was said to matter, cannot be "
        "estimated from these data."
    )
    assert (
        sample_size_sentence(power(30, 30, None), CASES, auroc)
        == sample_size_sentence(None, CASES, auroc)
        == ""
    )
