"""Claims on a published AUROC, or on a sensitivity with its specificity."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from headtohead.core.errors import UsageError
from headtohead.evaluate.published.records import ASSUMED, OTHER_CASES, Claim, ClaimInterval, ReportedCount
from headtohead.evaluate.published_claim import Figure, check_question, claim_on_counts
from headtohead.evaluate.wording.numbers import decimals, interval_words, p_words, signed
from headtohead.stats.intervals.inversion import interval_p_value
from headtohead.stats.intervals.published_auroc import auroc_difference_interval, auroc_interval

__all__ = ["ReportedArea", "claim_on_areas", "claim_on_rates"]

_SHAPE = (
    "The spread of an AUROC depends on the shape of the scores, which the figure alone does not show; that of Hanley "
    "and McNeil is assumed."
)
_RATES: tuple[Figure, Figure] = ("sensitivity", "specificity")
_BOTH = "sensitivity and specificity"
_SIDE = {"a": "first", "b": "other"}


@dataclass(frozen=True, slots=True)
class ReportedArea:
    """A published AUROC with the numbers of positives and negatives.

    Attributes:
        rounding: half a unit of its last digit (0.95 may stand for 0.945 to 0.955), 0 where it is exact.
    """

    auroc: float
    positives: int
    negatives: int
    rounding: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0 <= self.auroc <= 1:
            raise UsageError(f"Got the AUROC {self.auroc:g}; expected 0 to 1, such as 0.95.")
        if min(self.positives, self.negatives) < 1:
            raise UsageError(
                f"Got {self.positives} positives and {self.negatives} negatives; expected at least one of each."
            )

    @property
    def areas(self) -> tuple[float, ...]:
        """The extreme areas that it may stand for, once where they are one."""
        return tuple(
            dict.fromkeys((max(0.0, self.auroc - self.rounding), min(1.0, self.auroc + self.rounding)))
        )

    def interval(self, level: float) -> ClaimInterval:
        """Return the AUROC with an interval that spans those of all areas it may stand for."""
        ends = [auroc_interval(area, self.positives, self.negatives, level) for area in self.areas]
        return ClaimInterval(self.auroc, min(low for low, _ in ends), max(high for _, high in ends))

    def rounded_words(self, level: float) -> str:
        """Return what rounding does to the interval, "" where the figure is exact."""
        if not self.rounding:
            return ""
        low, high = auroc_interval(self.auroc, self.positives, self.negatives, level)
        digits = decimals(self.areas, bounds=(self.auroc,))
        first, last = (f"{area:.{digits}f}" for area in self.areas)
        return (
            f" The rounded figure may stand for {first} to {last}; all are covered (taken as exact: {low:.3f} to "
            f"{high:.3f})."
        )

    def words(self, level: float) -> str:
        """Return "0.950 (0.856 to 0.983; 20 positives and 80 negatives)"."""
        ends = self.interval(level)
        return (
            f"{ends.value:.3f} ({ends.low:.3f} to {ends.high:.3f}; {self.positives} positives and "
            f"{self.negatives} negatives)"
        )


def claim_on_areas(first: ReportedArea, other: ReportedArea | None, *, level: float = 0.95) -> Claim:
    """Return the claim on a published AUROC, alone or against one on other cases.

    >>> claim_on_areas(ReportedArea(0.95, 20, 80), ReportedArea(0.90, 30, 70)).verdict
    'no_evidence'
    """
    check_question(None, level)
    a, caveat = first.interval(level), f"{ASSUMED} {_SHAPE}"
    if other is None:
        sentence = (
            f"An AUROC of {a.value:.3f} on {first.positives} positives and {first.negatives} negatives is compatible "
            f"with true values from {a.low:.3f} to {a.high:.3f} ({100 * level:g} % interval)."
            f"{first.rounded_words(level)}"
        )
        return Claim(
            a=a, test="Newcombe's method 5", verdict="alone", sentence=sentence, level=level, figure="AUROC",
            caveat=caveat,
        )  # fmt: skip

    def span_at(at: float) -> tuple[float, float]:
        """Return the interval of the difference over all areas that the two figures may stand for."""
        ends = [
            auroc_difference_interval(
                (x, first.positives, first.negatives), (y, other.positives, other.negatives), at
            )
            for x, y in itertools.product(first.areas, other.areas)
        ]
        return min(low for low, _ in ends), max(high for _, high in ends)

    low, high = span_at(level)
    difference = ClaimInterval(first.auroc - other.auroc, low, high)
    p = interval_p_value(span_at)
    words = f"{first.words(level)} against {other.words(level)}"
    digits = decimals((low, high, difference.value))
    if low > 0 or high < 0:
        word, winner = "better", "a" if difference.value > 0 else "b"
        nearer, farther = sorted((abs(low), abs(high)))
        span = f"({interval_words(nearer, farther, level, digits)}, {p_words(p, 1 - level)})"
        sentence = (
            f"The {'first' if winner == 'a' else 'other'} has the higher AUROC, by {abs(difference.value):.{digits}f} "
            f"{span}: {words}.{_rounding(first, other)} {OTHER_CASES}"
        )
    else:
        word, winner = "no_evidence", None
        span = f"({interval_words(low, high, level, digits)}, {p_words(p, 1 - level)})"
        sentence = (
            f"The figures show neither a difference nor that there is none: AUROC {words}; difference "
            f"{signed(difference.value, digits)} {span}.{_rounding(first, other)} Taken as tested on other "
            "cases; if they were the same, only the predictions would show more."
        )
    return Claim(
        a=a, b=other.interval(level), difference=difference, p_value=p, test="Newcombe's method 5, square-and-add",
        verdict=word, winner=winner, sentence=sentence, level=level, figure="AUROC", caveat=caveat,
    )  # fmt: skip


def _rounding(first: ReportedArea, other: ReportedArea) -> str:
    """Return that rounding is covered, "" where both figures are exact."""
    known = [area for area in (first, other) if area.rounding]
    return " What the figures were rounded from is covered." if known else ""


def claim_on_rates(
    first: tuple[ReportedCount, ReportedCount],
    other: tuple[ReportedCount, ReportedCount] | None,
    *,
    matters: float | None = None,
    level: float = 0.95,
) -> Claim:
    """Return the claim on a sensitivity with its specificity, alone or against others on other cases.

    Two comparisons are made, so the interval and test of each stand at (1 + level)/2 (Bonferroni). The figure in `a`
    and `b` is the mean of the two, the balanced accuracy, whose interval adds theirs in squares.

    Args:
        first, other: (sensitivity, specificity).
    """
    check_question(matters, level)
    each = level if other is None else (1 + level) / 2
    against: tuple[ReportedCount | None, ReportedCount | None] = other or (None, None)
    parts = tuple(
        claim_on_counts(mine, theirs, matters=matters, level=each, figure=figure)
        for mine, theirs, figure in zip(first, against, _RATES, strict=True)
    )
    a = _mean([count.share(level) for count in first])
    of_each = " ".join(
        f"{part.figure.capitalize()}: {part.sentence[0].lower()}{part.sentence[1:]}" for part in parts
    )
    if other is None:
        return Claim(a=a, verdict="alone", sentence=of_each, level=level, figure=_BOTH, parts=parts)
    winners = [part.winner for part in parts]
    higher = [part.figure for part in parts if part.winner]
    winner = winners[0] if winners[0] == winners[1] else None  # also None where neither has one
    if not higher:
        word, lead = "no_evidence", "Neither sensitivity nor specificity is shown to differ."
    elif winner:
        word, lead = "better", f"The {_SIDE[winner]} is higher in both."
    elif len(higher) == 1:
        side = _SIDE[next(filter(None, winners))]
        word, lead = (
            "mixed",
            f"The {side} is shown to be higher in {higher[0]} alone, which a threshold can buy.",
        )
    else:
        word, lead = "mixed", "Each side is higher in one of the two, which another threshold alone can do."
    b = _mean([count.share(level) for count in other])
    named = f"Each interval here is at {100 * each:g} %, so that both statements together hold at {100 * level:g} %."
    return Claim(
        a=a, b=b, test="Newcombe's method 10, Bonferroni", verdict=word, winner=winner,
        sentence=f"{lead} {of_each} {named}", level=level, figure=_BOTH, parts=parts,
    )  # fmt: skip


def _mean(shares: list[ClaimInterval]) -> ClaimInterval:
    value = sum(share.value for share in shares) / len(shares)
    down = math.hypot(*(share.value - share.low for share in shares)) / len(shares)
    up = math.hypot(*(share.high - share.value for share in shares)) / len(shares)
    return ClaimInterval(value, value - down, value + up)
