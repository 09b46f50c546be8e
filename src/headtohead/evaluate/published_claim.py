"""What a published figure is worth: two counts in, intervals, an exact test and one sentence out.

Standard library only, so that it answers at once on any machine.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from headtohead.core.errors import UsageError
from headtohead.stats.intervals.proportions import (
    fisher_exact,
    mcnemar_exact,
    newcombe,
    newcombe_paired,
    wilson_interval,
)

__all__ = ["Claim", "ClaimInterval", "cases_needed", "claim", "paired_cases_needed"]

_NORMAL = NormalDist()
_ASSUMED = (
    "Counted as independent cases: one image per patient, no copies in training, and nothing "
    "(epoch, threshold, model) chosen on these cases; otherwise the truth is less certain still."
)


@dataclass(frozen=True, slots=True)
class ClaimInterval:
    """A share or a difference of shares with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Claim:
    """What the counts say.

    Attributes:
        a, b: the two shares; b is None where nothing was given to compare with.
        difference: a - b.
        p_value, mid_p: exact test and its mid-p form.
        test: name of the test.
        needed: cases per arm (pairs, if paired) to show a difference of this size with power 0.8.
        verdict: "better", "no_evidence" or "alone". winner: "a", "b" or None.
    """

    a: ClaimInterval
    b: ClaimInterval | None
    difference: ClaimInterval | None
    p_value: float | None
    mid_p: float | None
    test: str
    needed: int | None
    verdict: str
    winner: str | None
    sentence: str
    level: float
    caveat: str = _ASSUMED

    def to_json(self) -> dict[str, Any]:
        """Return the claim as plain JSON types."""
        return asdict(self)


def claim(
    correct: int,
    total: int,
    *,
    versus: tuple[int, int] | None = None,
    paired: tuple[int, int] | None = None,
    level: float = 0.95,
) -> Claim:
    """Return what `correct` of `total` is worth, alone or against another count.

    Args:
        versus: (correct, total) of the other. paired: on the same cases, how many only the first had
            right and how many only the other had right; `versus` follows from it and may be left out.
        level: confidence of the intervals, above 0.5 and below 1.

    Raises:
        UsageError: counts that cannot be.

    >>> claim(35, 36, versus=(43, 50)).verdict
    'no_evidence'
    """
    if not 0.5 < level < 1:
        raise UsageError(f"Got the level {level}; expected a share between 0.5 and 1, such as 0.95.")
    _possible(correct, total)
    a = _share(correct, total, level)
    if paired is not None:
        return _paired(correct, total, versus, paired, a, level)
    if versus is None:
        return _alone(correct, total, a, level)
    _possible(*versus)
    b = _share(*versus, level)
    difference = ClaimInterval(a.value - b.value, *newcombe(correct, total, *versus, level))
    p, mid = fisher_exact(correct, total, *versus)
    needed = cases_needed(a.value, b.value, level=level)
    counts = f"{correct} of {total} against {versus[0]} of {versus[1]}"
    return _told(a, b, difference, p, mid, "Fisher's exact test", needed, counts, "cases on each side", level)


def _possible(correct: int, total: int) -> None:
    if total < 1:
        raise UsageError(f"Got a total of {total}; expected at least one case.")
    if not 0 <= correct <= total:
        raise UsageError(f"Got {correct} correct of {total}; expected between 0 and {total} correct.")


def _share(correct: int, total: int, level: float) -> ClaimInterval:
    return ClaimInterval(correct / total, *wilson_interval(correct, total, level))


def _percent(ends: ClaimInterval) -> str:
    return f"{100 * ends.value:.1f} % ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def _alone(correct: int, total: int, a: ClaimInterval, level: float) -> Claim:
    sentence = (
        f"{correct} of {total} right is {100 * a.value:.1f} %, and the truth may lie anywhere from "
        f"{100 * a.low:.1f} to {100 * a.high:.1f} % ({100 * level:g} % interval)."
    )
    return Claim(a, None, None, None, None, "none", None, "alone", None, sentence, level)


def _paired(
    correct: int,
    total: int,
    versus: tuple[int, int] | None,
    paired: tuple[int, int],
    a: ClaimInterval,
    level: float,
) -> Claim:
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
    if versus is not None and versus != (other, total):
        raise UsageError(
            f"Got {versus[0]}/{versus[1]} beside --paired {only_a}/{only_b}; on the same {total} cases those "
            f"discordant counts mean {other}/{total} for the other side."
        )
    b = _share(other, total, level)
    neither = total - both - only_a - only_b
    ends = newcombe_paired(both, only_a, only_b, neither, level)
    p, mid = mcnemar_exact(only_a, only_b)
    needed = paired_cases_needed(only_a / total, only_b / total, level=level)
    counts = (
        f"{correct} against {other} of the same {total} ({only_a} right for the first alone, "
        f"{only_b} for the other)"
    )
    difference = ClaimInterval(a.value - b.value, *ends)
    return _told(
        a, b, difference, p, mid, "McNemar's exact test", needed, counts, "cases seen by both", level
    )


def _told(
    a: ClaimInterval, b: ClaimInterval, difference: ClaimInterval, p: float, mid: float, test: str,
    needed: int | None, counts: str, unit: str, level: float,
) -> Claim:  # fmt: skip
    shares = f"{_percent(a)} against {_percent(b)}, {test} p {_p_words(p)}"
    points = f"{100 * abs(difference.value):.1f} percentage points"
    if p <= 1 - level:
        winner = "a" if difference.value > 0 else "b"
        side = "first" if winner == "a" else "other"
        sentence = f"The {side} is better, by {points}: {counts} is {shares}."
        return Claim(a, b, difference, p, mid, test, needed, "better", winner, sentence, level)
    more = f"; about {needed} {unit} would be needed to show a difference of {points}" if needed else ""
    sentence = f"No evidence of a difference: {counts} is {shares}{more}."
    return Claim(a, b, difference, p, mid, test, needed, "no_evidence", None, sentence, level)


def _p_words(p: float) -> str:
    if p < 0.001:
        return "< 0.001"
    return f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def cases_needed(p1: float, p2: float, *, level: float = 0.95, power: float = 0.8) -> int | None:
    """Return the cases per arm that show p1 against p2 by Fisher's test with the given power.

    Normal approximation with the continuity correction that matches the exact test (Fleiss, Tytun and
    Ury 1980, Biometrics 36:343). None where the shares are equal.

    >>> cases_needed(35 / 36, 43 / 50)
    112
    """
    gap = abs(p1 - p2)
    if gap < 1e-12:
        return None
    z_alpha, z_power = _NORMAL.inv_cdf((1 + level) / 2), _NORMAL.inv_cdf(power)
    mean = (p1 + p2) / 2
    root = z_alpha * math.sqrt(2 * mean * (1 - mean)) + z_power * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    n = (root / gap) ** 2
    return math.ceil(n / 4 * (1 + math.sqrt(1 + 4 / (n * gap))) ** 2)


def paired_cases_needed(
    only_a: float, only_b: float, *, level: float = 0.95, power: float = 0.8
) -> int | None:
    """Return the pairs that show the difference by McNemar's test (Connor 1987, Biometrics 43:207).

    Args:
        only_a, only_b: shares of cases that only one of the two has right.

    >>> paired_cases_needed(0.15, 0.05)
    155
    """
    gap, discordant = only_a - only_b, only_a + only_b
    if abs(gap) < 1e-12:
        return None
    z_alpha, z_power = _NORMAL.inv_cdf((1 + level) / 2), _NORMAL.inv_cdf(power)
    root = z_alpha * math.sqrt(discordant) + z_power * math.sqrt(max(0.0, discordant - gap * gap))
    return math.ceil((root / gap) ** 2)
