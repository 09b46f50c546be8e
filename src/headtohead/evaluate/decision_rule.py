"""The decision rule on a paired difference, fixed before the data are seen, and its wording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headtohead.core.records import Target, VerdictWord

__all__ = ["FACTS_NOT_BEATEN", "Decision", "DecisionRule", "Evidence", "decide"]

FACTS_NOT_BEATEN = "is not shown to beat file facts"
"""What a refusal says of the best contender where its lead's interval does not lie above 0."""

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
        min_groups_for_better, min_events_for_better: below them the data cannot tell (groups; groups of each kind that
            the metric rests on).
        min_degrees: effective degrees of freedom of the difference, below which a handful of groups decides it and
            the data cannot tell: the intervals of such studies are those that fall short in the coverage study.
        min_even_groups: effective number of groups (`effective_groups`), below which giants among them decide: of equal
            contenders one was "better" too often where one of 41 groups held half of all samples (3.9 effective groups)
            or two of 42 held two thirds (4.4), and never where there were more than six (docs/statistics.md).
        max_half_width: half-width of the interval above which the data cannot tell; `rope` where that is given.
    """

    level: float = 0.95
    rope: float | None = None
    min_groups: int = 10
    min_groups_for_better: int = 30
    min_events_for_better: int = 10
    min_degrees: float = 10.0
    min_even_groups: float = 6.0
    max_half_width: float = 0.05  # that of AUROC; a verdict passes the metric's own (`narrow_width`)

    @property
    def bound(self) -> float:
        """The half-width of an interval above which the data cannot tell."""
        return self.rope if self.rope is not None else self.max_half_width

    @property
    def alpha(self) -> float:
        """The chance of a false "better" that the rule allows."""
        return 1 - self.level

    def text(
        self, title: str, target: Target = "fixed_models", pooled: str = "", family: str | None = None
    ) -> str:
        """Return the rule in words.

        Args:
            title: the metric as the field writes it. target: what the comparisons are about.
            pooled: the title of the metric that must agree, or "".
            family: over what p is adjusted: None for all pairs, "" for a single pair.
        """
        percent = f"{100 * self.level:g} %"
        inner = f"{100 * (2 * self.level - 1):g} %"
        equivalent = (
            f"(3) equivalent: the {inner} interval lies within ±{self.rope:g}, the margin given (two one-sided tests, "
            "adjusted in the same way); "
            if self.rope is not None
            else "(3) equivalent: not asked for (give a margin of equivalence); "
        )
        agree = f" and {pooled} gives the same winner (otherwise cannot tell)" if pooled else ""
        over = "adjusted by Holm over all pairs" if family is None else family
        adjusted = f", {over}," if over else ""
        return (
            f"Fixed in the software, on the paired difference in {title}, {_COVERED[target]}: "
            f"(1) refused: there is data leakage, there are fewer than {self.min_groups} groups, or the "
            f"{percent} interval of the best contender's lead over file facts does not lie above 0; "
            f"(2) better: at least {self.min_groups_for_better} groups (worth {self.min_even_groups:g} of equal size), "
            f"{self.min_events_for_better} of each kind that "
            f"the metric rests on and {self.min_degrees:g} effective degrees of freedom, the {percent} interval "
            f"excludes 0 and p{adjusted} is at most {self.alpha:.2g}{agree}; "
            f"{equivalent}"
            '(4) cannot tell: fewer groups or degrees of freedom than "better" needs, or a half-width above '
            f"{self.bound:.2g} of {title}; "
            "(5) otherwise no evidence of a difference. No winner is named by decimals."
        )


Reason = Literal[
    "refused",
    "interval",
    "rope",
    "groups",
    "events",
    "degrees",
    "uneven",
    "width",
    "scale",
    "reversed",
    "none",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict on one pair, and the clause of the rule that gave it."""

    word: VerdictWord
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the rule looks at.

    Attributes:
        low, high: ends of the level-interval of the difference; None where it is not defined.
        p_adjusted: adjusted p-value of the same difference.
        p_equivalent: adjusted p-value of the two one-sided tests; 1 where no margin was given.
        n_groups, n_events: groups in all, and the fewest of any kind that the metric rests on.
        even_groups: effective number of groups.
        degrees: effective degrees of freedom of the difference.
        refusal: why nothing may be judged, or "".
    """

    low: float | None
    high: float | None
    p_adjusted: float
    p_equivalent: float = 1.0
    n_groups: int
    n_events: int
    even_groups: float
    degrees: float
    refusal: str = ""


def decide(rule: DecisionRule, seen: Evidence) -> Decision:
    """Return the verdict on one pair.

    >>> seen = {"low": 0.01, "high": 0.05, "n_groups": 99, "n_events": 40, "even_groups": 99.0, "degrees": 60.0}
    >>> decide(DecisionRule(), Evidence(p_adjusted=0.01, **seen)).word
    'better'
    >>> decide(DecisionRule(), Evidence(p_adjusted=0.06, **seen)).word
    'no_evidence'
    """
    if seen.refusal or seen.n_groups < rule.min_groups:
        return Decision("refused", "refused")
    if seen.n_groups < rule.min_groups_for_better:
        return Decision("cannot_tell", "groups")
    if seen.n_events < rule.min_events_for_better:
        return Decision("cannot_tell", "events")
    if seen.low is None or seen.high is None:
        return Decision("cannot_tell", "none")
    # The interval is not adjusted for several pairs; p is.
    better = (seen.low > 0 or seen.high < 0) and seen.p_adjusted <= rule.alpha
    equivalent = rule.rope is not None and seen.p_equivalent <= rule.alpha
    # Stops a fifth of the false "better" where giant groups decide, and false equivalence of nearly perfect contenders;
    # of real differences it costs nothing (docs/statistics.md).
    if (better or equivalent) and seen.degrees < rule.min_degrees:
        return Decision("cannot_tell", "degrees")
    if (better or equivalent) and seen.even_groups < rule.min_even_groups:
        return Decision("cannot_tell", "uneven")
    if better:
        # Before equivalence: a difference within the margin is named, and its sentence says that it is small.
        return Decision("better", "interval")
    if equivalent:
        return Decision("equivalent", "rope")
    if (seen.high - seen.low) / 2 > rule.bound:
        return Decision("cannot_tell", "width")
    return Decision("no_evidence", "none")
