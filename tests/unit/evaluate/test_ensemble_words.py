"""What is said of an ensemble's gain, of the tuning budget and of the learning rates chosen."""

from __future__ import annotations

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Verdict
from headtohead.evaluate.ensemble_gain import budget_words, ensemble_gains, rate_words


@pytest.mark.parametrize(
    ("first", "second", "difference", "said"),
    [("e", "a", 0.0312, "0.031"), ("a", "e", 0.0312, "−0.031"), ("a", "e", -0.0312, "0.031")],
)
def test_the_sentence_tells_the_gain_of_the_ensemble_with_its_interval(
    first: str, second: str, difference: float, said: str
) -> None:
    scores = (score("a", value=0.8), score("e", value=0.83))
    found = Verdict(
        sentence="s", metric="auroc", scores=scores, comparisons=(comparison(first, second, difference),)
    )
    (gain,) = ensemble_gains(found, {"e": ["a"]}, ("no", "yes"))
    sign = 1 if first == "e" else -1
    low, high = sorted((sign * (difference - 0.05), sign * (difference + 0.05)))
    assert (gain.low, gain.high) == pytest.approx((low, high))
    ends = [f"{end:.3f}".replace("-", "−") for end in (low, high)]
    assert gain.sentence == (
        f"e gains {said} in AUROC over a alone (95 % interval {ends[0]} to {ends[1]}): no evidence of a difference."
    )


def test_an_ensemble_without_a_score_or_a_scored_member_has_no_gain() -> None:
    scores = (score("a", value=None), score("b", value=0.8), score("e", value=0.83), score("f", value=None))
    found = Verdict(
        sentence="s", metric="auroc", scores=scores,
        comparisons=(comparison("e", "a"), comparison("f", "b"), comparison("e", "b", 0.03)),
    )  # fmt: skip
    assert ensemble_gains(found, {"e": ["a"], "f": ["b"], "absent": ["b"]}, ("no", "yes")) == ()
    (gain,) = ensemble_gains(found, {"e": ["a", "b"]}, ("no", "yes"))
    assert gain.member == "b"  # the member without a score is not the best


def test_a_budget_of_time_says_that_the_machine_decides() -> None:
    timed = budget_words("10 minutes", {"a": [8, 8], "b": [3, 5]})
    assert timed == (
        "Budget 10 minutes for each contender; tried per cell: a 8, b 3 to 5. How many fit into the time depends on "
        "the machine; the digits are reproducible only with these counts."
    )
    assert budget_words("1 trial", {"a": [1]}) == "Budget 1 trial for each contender; tried per cell: a 1."


def test_rates_at_the_edge_are_remarked_upon_only_where_most_cells_chose_them() -> None:
    cell = {"learning_rate": 1e-4, "rates": [1e-4, 3e-4], "at_edge": True}
    inside = cell | {"learning_rate": 3e-4, "at_edge": False}
    told = "a chose its learning rate on an inner fold in each of 2 cells: 0.0001 in 1, 0.0003 in 1."
    assert rate_words("a", [cell, inside]) == told  # half of them is not most
    assert "Most lie at the edge" in rate_words("a", [cell, cell, inside])
