"""A claim and what it rests on. Standard library only, so that `claim` is quick."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from headtohead.core.errors import UsageError
from headtohead.stats.intervals.proportions import wilson_interval

__all__ = ["ASSUMED", "OTHER_CASES", "Claim", "ClaimInterval", "ReportedCount"]

ASSUMED = (
    "Counted as independent cases: one image per patient, no copies in training, and nothing "
    "(epoch, threshold, model) chosen on these cases; otherwise the truth is less certain still."
)
OTHER_CASES = "The two were tested on other cases, so the cases may explain it."


@dataclass(frozen=True, slots=True)
class ClaimInterval:
    """A figure or a difference of figures with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the figures say.

    Attributes:
        a, b: the two figures; b is None where nothing was given to compare with.
        difference: a - b.
        p_value: one less the level at which the interval of the difference just touches 0, so that the two agree.
        test: name of the method of both.
        needed: (fewest, most) cases per arm (pairs, if paired) that show the difference stated to matter with power
            0.8; None where none was named.
        verdict: "better", "no_evidence", "alone", or "mixed" (sensitivity and specificity do not both favour one side).
        winner: "a", "b" or None.
        figure: what was reported: accuracy, AUROC, sensitivity, specificity, or both of these.
        parts: the claims on sensitivity and on specificity, where both were given.
    """

    a: ClaimInterval
    b: ClaimInterval | None = None
    difference: ClaimInterval | None = None
    p_value: float | None = None
    test: str = "none"
    needed: tuple[int, int] | None = None
    verdict: str
    winner: str | None = None
    sentence: str
    level: float
    figure: str = "accuracy"
    caveat: str = ASSUMED
    parts: tuple[Claim, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the claim as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReportedCount:
    """A count of successes, and the counts that its rounded percentage may stand for.

    Attributes:
        fewest, most: `correct` itself where the count was reported.
    """

    correct: int
    total: int
    fewest: int
    most: int

    @classmethod
    def exact(cls, correct: int, total: int) -> ReportedCount:
        """Return a count that was reported as such.

        Raises:
            UsageError: counts that cannot be.
        """
        if total < 1:
            raise UsageError(f"Got a total of {total}; expected at least one case.")
        if not 0 <= correct <= total:
            raise UsageError(f"Got {correct} correct of {total}; expected between 0 and {total} correct.")
        return cls(correct, total, correct, correct)

    @property
    def counts(self) -> tuple[int, ...]:
        """The extreme counts, once where they are one."""
        return tuple(dict.fromkeys((self.fewest, self.most)))

    def share(self, level: float) -> ClaimInterval:
        """Return the share with an interval that spans those of all counts it may stand for."""
        ends = [wilson_interval(count, self.total, level) for count in self.counts]
        return ClaimInterval(self.correct / self.total, min(e[0] for e in ends), max(e[1] for e in ends))

    def words(self, level: float, noun: str = "") -> str:
        """Return "35 of 36 right (97.2 %; 85.8 to 99.5)", and how a percentage was read."""
        share = self.share(level)
        read = (
            f"; the rounded figure may stand for {self.fewest} to {self.most}" if len(self.counts) > 1 else ""
        )
        of = f"{self.correct} of {self.total}{' ' + noun if noun else ''}"
        return f"{of} ({100 * share.value:.1f} %; {100 * share.low:.1f} to {100 * share.high:.1f}{read})"
