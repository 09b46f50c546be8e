"""Figures as papers give them, read from text or numbers: percentages with a total, AUROC, sensitivity and more."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from headtohead.core.errors import UsageError
from headtohead.core.formatting import is_whole
from headtohead.evaluate.published.rates import ReportedArea, claim_on_areas, claim_on_rates
from headtohead.evaluate.published.records import Claim, ReportedCount
from headtohead.evaluate.published_claim import check_question, claim, claim_on_counts

__all__ = ["ReportedFigures", "judge", "read_area", "read_count"]

T = TypeVar("T")


def read_count(figure: str, total: int | None = None) -> ReportedCount:
    """Return the count that a figure stands for.

    Args:
        figure: "43/50", "86%/50", or a percentage or share of `total`: "97.2%", "0.972". Its last digit says how it was
            rounded.
        total: cases in all, where the figure does not say so.

    Raises:
        UsageError: no such figure, out of range, or no count of the total rounds to it.

    >>> read_count("97.2%", 36)
    ReportedCount(correct=35, total=36, fewest=35, most=35)
    >>> read_count("97%/500")
    ReportedCount(correct=485, total=500, fewest=483, most=487)
    """
    text = figure.replace(" ", "")
    first, slash, last = text.partition("/")
    if slash:
        if total is not None and last != str(total):
            raise UsageError(f"Got {figure!r} beside a total of {total}; give the total once.")
        if not is_whole(last):
            raise UsageError(
                f"Got {figure!r}; expected a count or a percentage of a total, such as 43/50 or 86%/50."
            )
        total = int(last)
        if is_whole(first):
            return ReportedCount.exact(int(first), total)
    if total is None:
        raise UsageError(f"Got {figure!r} without a total; expected both, such as 43/50 or 86%/50.")
    return _count_of_share(first, total)


def _count_of_share(text: str, total: int) -> ReportedCount:
    digits = text.removesuffix("%").replace(",", ".")
    try:
        number = float(digits)
    except ValueError:
        raise UsageError(
            f"Got {text!r}; expected a count, a percentage or a share, such as 43/50 or 86%/50."
        ) from None
    per = 100 if text.endswith("%") else 1
    if not 0 <= number <= per:
        raise UsageError(f"Got {text!r}; expected 0% to 100%, or 0 to 1.")
    if total < 1:
        raise UsageError(f"Got a total of {total}; expected at least one case.")
    half = 0.5 * 10.0 ** -len(digits.partition(".")[2])
    # A hair more than half a unit, since both ways of rounding a 5 are in use.
    fewest = max(0, math.ceil((number - half) * total / per - 1e-9))
    most = min(total, math.floor((number + half) * total / per + 1e-9))
    if fewest > most:
        near = {math.floor(number * total / per), math.ceil(number * total / per)}
        counts = " and ".join(f"{count} of {total} is {100 * count / total:.2f} %" for count in sorted(near))
        raise UsageError(f"No count of {total} rounds to {text}: {counts}. Check the total.")
    likeliest = min(most, max(fewest, round(number * total / per)))
    return ReportedCount(likeliest, total, fewest, most)


def read_area(text: str) -> ReportedArea:
    """Return an AUROC with its counts from "0.90/30/70".

    Raises:
        UsageError: another form, or out of range.
    """
    parts = text.replace(" ", "").split("/")
    if len(parts) != 3 or not all(is_whole(part) for part in parts[1:]):
        raise UsageError(f"Got {text!r}; expected AUROC/POSITIVES/NEGATIVES, such as 0.90/30/70.")
    return _reported_area(parts[0], int(parts[1]), int(parts[2]))


def _reported_area(figure: str | float, positives: int, negatives: int) -> ReportedArea:
    """Return an AUROC with half a unit of its last digit as rounding; a float counts as having two digits at least.

    Raises:
        UsageError: no number.
    """
    text = f"{figure}".replace(" ", "").replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        raise UsageError(
            f"Got the AUROC {figure!r}; expected a number such as 0.95, or "
            "AUROC/POSITIVES/NEGATIVES such as 0.90/30/70."
        ) from None
    digits = len(text.partition(".")[2])
    if isinstance(figure, float):
        digits = max(2, digits)  # 0.90 and 0.9 are one float
    # A bare 0 or 1 is not rounded to whole numbers, and 9e-1 has no last digit to go by.
    exact = (number in (0.0, 1.0) and digits == 0) or "e" in text.lower()
    return ReportedArea(number, positives, negatives, 0.0 if exact else 0.5 * 10.0**-digits)


@dataclass(frozen=True, slots=True)
class ReportedFigures:
    """Figures as they were given to `claim`, not yet understood; see `headtohead.claim` for each."""

    correct: int | None = None
    total: int | None = None
    accuracy: str | float | None = None
    auroc: str | float | None = None
    sensitivity: str | float | tuple[int, int] | None = None
    specificity: str | float | tuple[int, int] | None = None
    positives: int | None = None
    negatives: int | None = None
    versus: str | tuple[Any, ...] | None = None
    paired: tuple[int, int] | None = None

    @property
    def given(self) -> list[str]:
        """The names of what was given."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


# What may stand beside each figure, and what must.
_BESIDE: dict[str, tuple[set[str], set[str]]] = {
    "correct": ({"total"}, {"versus", "paired"}),
    "accuracy": ({"total"}, {"versus"}),
    "auroc": ({"positives", "negatives"}, {"versus"}),
    "sensitivity": ({"specificity"}, {"positives", "negatives", "versus"}),
}


def judge(figures: ReportedFigures, *, matters: float | None = None, level: float = 0.95) -> Claim:
    """Return the claim on whichever figure was given.

    Raises:
        UsageError: figures that cannot be, or that do not go together.
    """
    _check_together(figures)
    versus = figures.versus
    if figures.auroc is not None:
        if matters is not None:
            raise UsageError(
                "Got --matters with --auroc; the number of cases needed is known for shares only. Leave it out."
            )
        area = _reported_area(figures.auroc, _given(figures.positives), _given(figures.negatives))
        return claim_on_areas(area, None if versus is None else _area(versus), level=level)
    if figures.sensitivity is not None:
        first = (
            _count(figures.sensitivity, figures.positives),
            _count(figures.specificity, figures.negatives),
        )
        return claim_on_rates(first, None if versus is None else _rates(versus), matters=matters, level=level)
    other = None if versus is None else _count(versus, None)
    if figures.correct is not None:
        pair = None if other is None else (other.correct, other.total)
        if other is None or len(other.counts) == 1:
            return claim(
                figures.correct, _given(figures.total), versus=pair, paired=figures.paired, matters=matters,
                level=level,
            )  # fmt: skip
        if figures.paired is not None:
            raise UsageError(f"Got --versus {versus} beside --paired; give counts, or leave --versus out.")
        mine = ReportedCount.exact(figures.correct, _given(figures.total))
    else:
        mine = _count(figures.accuracy, figures.total)
    check_question(matters, level)
    return claim_on_counts(mine, other, matters=matters, level=level)


def _check_together(figures: ReportedFigures) -> None:
    given = set(figures.given)
    kinds = [name for name in _BESIDE if name in given]
    if len(kinds) != 1:
        got = " and ".join(f"--{name}" for name in kinds) or "no figure"
        raise UsageError(
            f"Got {got}; expected one of --correct or --accuracy (with --total), --auroc (with --positives and "
            "--negatives), --sensitivity with --specificity."
        )
    must, may = _BESIDE[kinds[0]]
    if missing := sorted(must - given):
        raise UsageError(f"Got --{kinds[0]} without --{' and --'.join(missing)}.")
    if wrong := sorted(given - must - may - {kinds[0]}):
        raise UsageError(
            f"Got --{' and --'.join(wrong)} beside --{kinds[0]}, where it has no meaning; leave it out."
        )


def _given(value: T | None) -> T:
    """Return a value that `_check_together` has seen to be there."""
    assert value is not None
    return value


def _count(figure: str | float | tuple[Any, ...] | None, total: int | None) -> ReportedCount:
    if isinstance(figure, tuple):
        if len(figure) != 2 or not all(isinstance(number, int) for number in figure):
            raise UsageError(f"Got {figure!r}; expected (correct, total), such as (43, 50).")
        return ReportedCount.exact(*figure)
    return read_count(figure if isinstance(figure, str) else f"{figure}", total)


def _area(versus: str | tuple[Any, ...]) -> ReportedArea:
    if isinstance(versus, str):
        return read_area(versus)
    if len(versus) != 3:
        raise UsageError(f"Got {versus!r}; expected (AUROC, positives, negatives), such as (0.90, 30, 70).")
    return _reported_area(*versus)


def _rates(versus: str | tuple[Any, ...]) -> tuple[ReportedCount, ReportedCount]:
    parts = versus.split(",") if isinstance(versus, str) else versus
    if len(parts) != 2:
        raise UsageError(f"Got {versus!r}; expected sensitivity,specificity, such as 17/20,75/80.")
    return _count(parts[0], None), _count(parts[1], None)
