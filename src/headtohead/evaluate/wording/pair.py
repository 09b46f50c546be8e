"""The sentence on one pair of contenders, for clinicians."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from headtohead.core.formatting import pluralize
from headtohead.core.tables.details import PowerAnalysis
from headtohead.evaluate.decision_rule import Decision, DecisionRule
from headtohead.evaluate.wording.numbers import decimals, interval_words, p_words, signed, two_digits
from headtohead.stats.decision.support import Support
from headtohead.stats.hypothesis.paired_difference import Difference
from headtohead.stats.metrics.metric import Metric

__all__ = ["Cases", "PairContext", "comparative", "pair_sentence", "sample_size_sentence"]

# Margins wider than two narrow intervals (0.1 of AUROC) let contenders pass that no reader would call alike.
_WIDE_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Cases:
    """How many samples and groups there are, and what a group is.

    Attributes:
        unit: what a group is known to be.
        even_groups: how many groups of equal size the groups are worth.
    """

    n_samples: int
    n_groups: int
    unit: Literal["patient", "group"] = "group"
    even_groups: float = math.inf

    @property
    def noun(self) -> str:
        """What one independent unit is called."""
        if self.unit == "patient":
            return "patient"
        return "case" if self.n_samples == self.n_groups else "group"

    def words(self) -> str:
        """Return "200 patients", "253 samples in 199 groups", "500 images of 200 patients".

        >>> Cases(200, 200).words(), Cases(253, 199).words(), Cases(500, 200, "patient").words()
        ('200 cases', '253 samples in 199 groups', '500 samples of 200 patients')
        """
        if self.n_samples == self.n_groups:
            return pluralize(self.n_groups, self.noun)
        joined = "of" if self.unit == "patient" else "in"
        return f"{self.n_samples} samples {joined} {pluralize(self.n_groups, self.noun)}"

    def count(self, n: int, kind: str = "") -> str:
        """Return "8 patients of class c"."""
        return pluralize(n, self.noun, kind)


@dataclass(frozen=True, slots=True)
class PairContext:
    """What the sentences on all pairs share.

    Attributes:
        n_pairs: pairs that p is adjusted for. narrow: the metric's own width, see `narrow_width`.
    """

    metric: Metric
    rule: DecisionRule
    cases: Cases
    n_pairs: int
    narrow: float


def comparative(metric: Metric) -> str:
    """Return what the better contender does, up to "than": "ranks cases better", "has a lower Brier score"."""
    if metric.by_rank:
        return "ranks cases better"
    return f"has a {'higher' if metric.sign > 0 else 'lower'} {metric.title}"


def pair_sentence(
    found: Difference,
    decision: Decision,
    context: PairContext,
    *,
    values: tuple[float | None, float | None],
    support: Support,
    hint: str = "",
    refusal: str = "",
) -> str:
    """Return the sentence on one pair.

    Args:
        values: the metric of a and of b. support: what the metric rests on.
        hint: why no winner is named although the interval excludes 0, or "". refusal: why nothing is judged.
    """
    a, b, rule = found.a, found.b, context.rule
    if decision.word == "refused":
        return f"No verdict on {a} against {b}: refused, because {refusal}."
    if found.value is None or found.low is None or found.high is None or found.inner is None:
        return f"The data cannot tell {a} from {b}: {found.note}."
    if decision.word == "better":
        return _better(found, context, values)
    span = _Span(found, context)
    numbers = f"{context.metric.title} {span.number(values[0])} against {span.number(values[1])}"
    if decision.word == "equivalent":
        widest, wide = _WIDE_MARGIN * context.narrow, ""
        if rule.rope is not None and rule.rope > widest:
            wide = (
                f" A margin above {widest:.2g} of {context.metric.title} lets very different contenders pass."
            )
        return (
            f"{a} and {b} differ by less than {rule.rope:g}, the margin given: {numbers} (difference "
            f"{span.value()}, {interval_words(*found.inner, 2 * rule.level - 1)}; {context.cases.words()}).{wide}"
        )
    whole = f"{numbers} (difference {span.words()})"
    if decision.word == "no_evidence":
        return f"The data show neither a difference between {a} and {b} nor that there is none: {whole}."
    if decision.reason in ("groups", "events", "degrees", "uneven"):
        shown = ", though the interval excludes 0" if found.low > 0 or found.high < 0 else ""
        return (
            f"The rule gives no verdict on {a} against {b}: "
            f"{_too_few(decision, context, support, found)}{shown}. {whole[0].upper()}{whole[1:]}."
        )
    if decision.reason == "width":
        hint = (
            f"the half-width of the interval, {(found.high - found.low) / 2:.3f}, is above {rule.bound:.2g}"
        )
    return f"The data cannot tell {a} from {b}: {whole}{'; ' + hint if hint else ''}."


def _better(found: Difference, context: PairContext, values: tuple[float | None, float | None]) -> str:
    rule, span = context.rule, _Span(found, context)
    winner, loser = (found.a, found.b) if found.favours == found.a else (found.b, found.a)
    mine, theirs = values if winner == found.a else values[::-1]
    small = rule.rope is not None and found.inner is not None and max(map(abs, found.inner)) < rule.rope
    lead = f"{winner} {comparative(context.metric)} than {loser} on these data"
    if small:
        lead = f"The difference is real but smaller than {rule.rope:g}, the margin given: {lead}"
    title = f"{context.metric.title} " if context.metric.by_rank else ""
    return f"{lead}: {title}{span.number(mine)} against {span.number(theirs)}, difference {span.words(of_lead=True)}."


def _too_few(decision: Decision, context: PairContext, support: Support, found: Difference) -> str:
    rule, cases = context.rule, context.cases
    if decision.reason == "groups":
        return f"only {cases.count(cases.n_groups)} (at least {rule.min_groups_for_better} are needed)"
    if decision.reason == "events":
        return f"only {cases.count(support.n_groups, support.kind)} (at least {rule.min_events_for_better} are needed)"
    if decision.reason == "uneven":
        return (
            f"{cases.noun}s of very unequal size ({cases.count(cases.n_groups)} count as {cases.even_groups:.1f} of "
            f"equal size; at least {rule.min_even_groups:g} are needed)"
        )
    return (
        f"a handful of {cases.noun}s decides the difference ({found.degrees:.0f} effective degrees of freedom; "
        f"at least {rule.min_degrees:g} are needed)"
    )


class _Span:
    """The difference with its interval, to the digit that decides."""

    def __init__(self, found: Difference, context: PairContext) -> None:
        """Choose the digits: no end that excludes 0 reads as 0."""
        self.found, self.context = found, context
        ends = [end for end in (found.low, found.high) if end is not None]
        self.digits = decimals(ends)

    def number(self, value: float | None) -> str:
        return "not defined" if value is None else f"{value:.{self.digits}f}"

    def value(self) -> str:
        return signed(float(self.found.value or 0.0), self.digits)

    def words(self, *, of_lead: bool = False) -> str:
        """Return "0.075 (95 % interval 0.006 to 0.142, p = 0.03; 200 patients)"; as sizes of the winner's lead."""
        found, rule = self.found, self.context.rule
        low, high = float(found.low or 0.0), float(found.high or 0.0)
        value = float(found.value or 0.0)
        if of_lead:
            low, high = sorted((abs(low), abs(high)))
            value = abs(value)
        opened, closed = (" (", ")") if of_lead else (", ", "")
        interval = interval_words(low, high, rule.level, self.digits)
        return f"{signed(value, self.digits)}{opened}{interval}, {self._p()}; {self.context.cases.words()}{closed}"

    def _p(self) -> str:
        found, rule = self.found, self.context.rule
        words = p_words(found.p_adjusted, rule.alpha)
        if self.context.n_pairs > 1 and found.p_adjusted != found.p:
            return f"{words} after adjusting for {self.context.n_pairs} comparisons"
        return words


def sample_size_sentence(power: PowerAnalysis | None, cases: Cases, metric: Metric) -> str:
    """Return how many patients show the difference stated to matter, "" where none was stated."""
    if power is None or power.matters is None:
        return ""
    difference = f"a difference of {power.matters:g} in {metric.title}, the smallest that was said to matter,"
    if power.fewest_groups is None or power.most_groups is None:
        return f"How many {cases.noun}s would show {difference} cannot be estimated from these data."
    fewest, most = two_digits(power.fewest_groups), two_digits(power.most_groups)
    count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f"To show {difference} a new study like this one would need roughly {count} {cases.noun}s in all."
