"""The decision rule on a paired difference, fixed before the data are seen, and its wording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headtohead.core.records import Target, VerdictWord

__all__ = ["Decision", "DecisionRule", "decide"]


_COVERED: dict[Target, str] = {
    "learners": (
        "between methods trained on samples like this one (jackknife over groups, its variance multiplied for the "
        "training sample by how much the ranking changes between repeats)"
    ),
    "fixed_models": "between the models as fitted, resampling groups",
}


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """Bounds of the verdict rule, all fixed before the data are seen.

    Attributes:
        level: confidence of the intervals.
        rope: half-width of the region of practical equivalence in the metric's own unit, or None.
        min_groups: below it nothing is judged at all.
        min_groups_for_better, min_events_for_better: below them the data cannot tell (groups; groups of
            the rarer class).
        max_half_width: half-width of the interval above which the data cannot tell; `rope` where that is given.
    """

    level: float = 0.95
    rope: float | None = None
    min_groups: int = 10
    min_groups_for_better: int = 30
    min_events_for_better: int = 10
    max_half_width: float = 0.05

    @property
    def bound(self) -> float:
        """The half-width of an interval above which the data cannot tell."""
        return self.rope if self.rope is not None else self.max_half_width

    def text(self, title: str, target: Target = "fixed_models", pooled: str = "") -> str:
        """Return the rule in words.

        Args:
            title: the metric as the field writes it. target: what the comparisons speak of.
            pooled: the title of the metric that must agree, or "".
        """
        percent = f"{100 * self.level:g} %"
        inner = f"{100 * (2 * self.level - 1):g} %"
        equivalent = (
            f"(3) equivalent: the {inner} interval lies within ±{self.rope:g} (two one-sided tests); "
            if self.rope is not None
            else "(3) equivalent: not asked for (give a region of practical equivalence); "
        )
        agree = f" and {pooled} gives the same winner (otherwise cannot tell)" if pooled else ""
        return (
            f"Fixed beforehand, on the paired difference in {title}, {_COVERED[target]}: "
            f"(1) refused: the data leak, there are fewer than {self.min_groups} groups, or the best "
            "contender does not beat file facts; "
            f"(2) better: at least {self.min_groups_for_better} groups and {self.min_events_for_better} groups "
            f"of the rarer class, the {percent} interval excludes 0 and "
            f"Holm's adjusted p is at most {1 - self.level:.2g}{agree}; "
            f"{equivalent}"
            f"(4) cannot tell: fewer groups than that, or an interval wider than ±{self.bound:g}; "
            "(5) otherwise no evidence of a difference. No winner is named by decimals."
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict on one pair, and the clause of the rule that gave it."""

    word: VerdictWord
    reason: Literal["refused", "interval", "rope", "groups", "events", "width", "scale", "reversed", "none"]


def decide(
    rule: DecisionRule,
    *,
    low: float | None,
    high: float | None,
    inner: tuple[float, float] | None,
    p_adjusted: float,
    n_groups: int,
    n_events: int,
    refusal: str = "",
) -> Decision:
    """Return the verdict on one pair.

    Args:
        low, high: ends of the level-interval of the difference; None where it is not defined.
        inner: the (1 - 2 alpha) interval, for equivalence.
        p_adjusted: Holm's adjusted p-value of the same difference.
        n_groups, n_events: groups in all, and groups that hold the rarer class.
        refusal: why nothing may be judged, or "".

    >>> seen = {"low": 0.01, "high": 0.05, "inner": (0.02, 0.04), "n_groups": 99, "n_events": 40}
    >>> decide(DecisionRule(), p_adjusted=0.01, **seen).word
    'better'
    >>> decide(DecisionRule(), p_adjusted=0.06, **seen).word
    'no_evidence'
    """
    if refusal or n_groups < rule.min_groups:
        return Decision("refused", "refused")
    if n_groups < rule.min_groups_for_better:
        return Decision("cannot_tell", "groups")
    if n_events < rule.min_events_for_better:
        return Decision("cannot_tell", "events")
    if low is None or high is None:
        return Decision("cannot_tell", "none")
    if (low > 0 or high < 0) and p_adjusted <= 1 - rule.level:
        return Decision("better", "interval")
    if rule.rope is not None and inner is not None and -rule.rope < inner[0] and inner[1] < rule.rope:
        return Decision("equivalent", "rope")
    if (high - low) / 2 > rule.bound:
        return Decision("cannot_tell", "width")
    return Decision("no_evidence", "none")
