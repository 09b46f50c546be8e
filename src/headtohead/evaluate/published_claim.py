"""Claims on published shares: from counts to intervals, a test of the same family and one sentence.

Standard library only, so that it answers at once on any machine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from headtohead.core.errors import UsageError
from headtohead.evaluate.published.records import OTHER_CASES, Claim, ClaimInterval, ReportedCount
from headtohead.evaluate.wording.numbers import decimals, p_words, points_words, two_digits
from headtohead.stats.hypothesis.counts_needed import fewest_and_most_cases, fewest_and_most_pairs
from headtohead.stats.intervals.inversion import interval_p_value
from headtohead.stats.intervals.proportions import newcombe, newcombe_paired

__all__ = ["Claim", "ClaimInterval", "Figure", "check_question", "claim", "claim_on_counts"]

Endpoints = tuple[float, float]
Figure = Literal["accuracy", "sensitivity", "specificity"]
_RIGHT: dict[Figure, str] = {
    "accuracy": "right",
    "sensitivity": "positives recognised",
    "specificity": "negatives recognised",
}
_HAD: dict[Figure, str] = {
    "accuracy": "had more right",
    "sensitivity": "had the higher sensitivity",
    "specificity": "had the higher specificity",
}
_UNIT: dict[Figure, str] = {
    "accuracy": "cases on each side",
    "sensitivity": "positives on each side",
    "specificity": "negatives on each side",
}


@dataclass(frozen=True, slots=True)
class _Compared:
    """A difference of two shares with its interval, and the words for it."""

    a: ClaimInterval
    b: ClaimInterval
    ends: Callable[[float], Endpoints]
    test: str
    counts: str
    needed: tuple[int, int] | None
    unit: str
    same_cases: bool
    figure: Figure


def claim(
    correct: int,
    total: int,
    *,
    versus: tuple[int, int] | None = None,
    paired: tuple[int, int] | None = None,
    matters: float | None = None,
    level: float = 0.95,
) -> Claim:
    """Return the claim that `correct` of `total` makes, alone or against another count.

    Args:
        versus: (correct, total) of the other. paired: on the same cases, how many only the first had
            right and how many only the other had right; `versus` follows from it and may be left out.
        matters: the difference of shares that would matter, chosen beforehand; the answer then says how many
            cases show it.
        level: confidence of the intervals, above 0.5 and below 1.

    Raises:
        UsageError: counts that cannot be.

    >>> claim(35, 36, versus=(43, 50)).verdict
    'no_evidence'
    """
    check_question(matters, level)
    first = ReportedCount.exact(correct, total)
    other = ReportedCount.exact(*versus) if versus is not None else None
    if paired is None:
        return claim_on_counts(first, other, matters=matters, level=level)
    return _judged(_paired(first, other, paired, matters, level), matters, level)


def check_question(matters: float | None, level: float) -> None:
    """Refuse a level or a difference that cannot be.

    Raises:
        UsageError: out of range.
    """
    if not 0.5 < level < 1:
        raise UsageError(f"Got the level {level}; expected a share between 0.5 and 1, such as 0.95.")
    if matters is not None and not 0 < matters < 1:
        raise UsageError(f"Got --matters {matters}; expected a difference between 0 and 1, such as 0.05.")


def claim_on_counts(
    first: ReportedCount,
    other: ReportedCount | None,
    *,
    matters: float | None = None,
    level: float = 0.95,
    figure: Figure = "accuracy",
) -> Claim:
    """Return the claim on a share, alone or against one on other cases.

    The interval of the difference is Newcombe's (1998, method 10); where a percentage may stand for several counts, it
    spans those of all of them.
    """
    noun = _RIGHT[figure]
    if other is None:
        return _alone(first, matters, level, figure)

    def ends(at: float) -> Endpoints:
        found = [
            newcombe(x, first.total, y, other.total, at)
            for x, y in itertools.product(first.counts, other.counts)
        ]
        return min(low for low, _ in found), max(high for _, high in found)

    b = other.share(level)
    needed = None if matters is None else fewest_and_most_cases((b.low, b.value, b.high), matters, level)
    counts = f"{first.words(level, noun)} against {other.words(level)}"
    compared = _Compared(
        first.share(level), b, ends, "Newcombe's method 10", counts, needed, _UNIT[figure],
        same_cases=False, figure=figure,
    )  # fmt: skip
    return _judged(compared, matters, level)


def _alone(count: ReportedCount, matters: float | None, level: float, figure: Figure) -> Claim:
    share, noun = count.share(level), _RIGHT[figure]
    needed = None
    if matters is not None:
        needed = fewest_and_most_cases((share.low, share.value, share.high), matters, level)
    read = ""
    if len(count.counts) > 1:
        read = f" The rounded figure may stand for {count.fewest} to {count.most} of {count.total}; all are covered."
    sentence = (
        f"{count.correct} of {count.total} {noun} is {100 * share.value:.1f} %, which is compatible with true shares "
        f"from {100 * share.low:.1f} to {100 * share.high:.1f} % ({100 * level:g} % interval).{read}"
        + _needed_words(needed, matters, _UNIT[figure])
    )
    return Claim(a=share, needed=needed, verdict="alone", sentence=sentence, level=level, figure=figure)


def _paired(
    first: ReportedCount,
    given: ReportedCount | None,
    paired: tuple[int, int],
    matters: float | None,
    level: float,
) -> _Compared:
    correct, total = first.correct, first.total
    only_a, only_b = paired
    both = correct - only_a
    other = both + only_b
    if only_a < 0 or only_b < 0:
        raise UsageError(f"Got the discordant counts {only_a}/{only_b}; expected two counts of at least 0.")
    if both < 0 or other + only_a > total:
        raise UsageError(
            f"Got {only_a}/{only_b} discordant cases with {correct} of {total} correct; the first count is "
            f"part of the {correct} correct ones and the second of the {total - correct} others."
        )
    if given is not None and (given.correct, given.total) != (other, total):
        raise UsageError(
            f"Got {given.correct}/{given.total} beside --paired {only_a}/{only_b}; on the same {total} cases those "
            f"discordant counts mean {other}/{total} for the other side."
        )
    neither = total - both - only_a - only_b
    second = ReportedCount.exact(other, total)
    counts = (
        f"{first.words(level, 'right')} against {second.words(level)} on the same cases, {only_a} right for the "
        f"first alone and {only_b} for the other alone"
    )
    needed = None if matters is None else fewest_and_most_pairs(only_a + only_b, total, matters, level)
    return _Compared(
        first.share(level), second.share(level), lambda at: newcombe_paired(both, only_a, only_b, neither, at),
        "Newcombe's method 10 for pairs", counts, needed, "cases seen by both", same_cases=True, figure="accuracy",
    )  # fmt: skip


def _judged(compared: _Compared, matters: float | None, level: float) -> Claim:
    """Return the claim: its verdict is read off the interval, and so is its p-value."""
    low, high = compared.ends(level)
    difference = ClaimInterval(compared.a.value - compared.b.value, low, high)
    p = interval_p_value(compared.ends)
    digits = decimals((low, high, difference.value)) - 2  # percentage points are a hundred times as large
    needed = _needed_words(compared.needed, matters, compared.unit)

    def span(first: float, last: float) -> str:
        interval = f"{100 * level:g} % interval {points_words(first, digits)} to {points_words(last, digits)}"
        return f"({interval}, {p_words(p, 1 - level)})"

    if low > 0 or high < 0:
        word, winner = "better", "a" if difference.value > 0 else "b"
        nearer, farther = sorted((abs(low), abs(high)))
        because = "" if compared.same_cases else f" {OTHER_CASES}"
        had = _HAD[compared.figure]
        sentence = (
            f"The {'first' if winner == 'a' else 'other'} {had}, by {points_words(abs(difference.value), digits)} "
            f"percentage points {span(nearer, farther)}: {compared.counts}.{because}{needed}"
        )
    else:
        word, winner = "no_evidence", None
        sentence = (
            f"The counts show neither a difference nor that there is none: {compared.counts}; difference "
            f"{points_words(difference.value, digits)} percentage points {span(low, high)}.{needed}"
        )
    return Claim(
        a=compared.a, b=compared.b, difference=difference, p_value=p, test=compared.test, needed=compared.needed,
        verdict=word, winner=winner, sentence=sentence, level=level, figure=compared.figure,
    )  # fmt: skip


def _needed_words(needed: tuple[int, int] | None, matters: float | None, unit: str) -> str:
    """Return how many cases show the difference that matters, "" where none was named."""
    if needed is None or matters is None:
        return ""
    fewest, most = (two_digits(count) for count in needed)
    count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return (
        f" To show a difference of {points_words(matters)} percentage points with power 0.8, a new comparison would "
        f"need roughly {count} {unit}."
    )
