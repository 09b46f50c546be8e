"""The sentences of a verdict, for someone who treats patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.records import Comparison, Score
from headtohead.evaluate.compare import Difference
from headtohead.evaluate.metrics import METRICS, Metric
from headtohead.evaluate.rule import Decision, Rule

__all__ = [
    "answer",
    "caveats",
    "interval_words",
    "more_words",
    "narrow_intervals",
    "pair_sentence",
    "signed",
    "size_words",
]


def signed(number: float, digits: int = 3) -> str:
    """Return the number with a true minus sign and never "-0.000".

    >>> signed(-0.0123), signed(-0.0001)
    ('−0.012', '0.000')
    """
    text = f"{abs(number):.{digits}f}"
    return text if number >= 0 or float(text) == 0 else f"−{text}"


def interval_words(low: float, high: float, level: float) -> str:
    """Return "95 % interval 0.010 to 0.066"."""
    return f"{100 * level:g} % interval {signed(low)} to {signed(high)}"


def size_words(n_samples: int, n_groups: int) -> str:
    """Return "253 samples in 199 groups", or the samples alone where each is its own group."""
    if n_samples == n_groups:
        return f"{n_samples} samples"
    return f"{n_samples} samples in {n_groups} groups"


def pair_sentence(
    found: Difference,
    decision: Decision,
    rule: Rule,
    *,
    title: str,
    values: tuple[float | None, float | None],
    size: str,
    n_pairs: int = 1,
    more: str = "",
    refusal: str = "",
) -> str:
    """Return the sentence on one pair.

    Args:
        values: the metric of a and of b. size: as from `size_words`. n_pairs: pairs adjusted for.
        more: "it would take about …", used where the data cannot tell. refusal: why nothing is judged.
    """
    a, b = found.a, found.b
    if decision.word == "refused":
        return f"No verdict on {a} against {b}: refused, because {refusal}."
    if found.value is None or found.low is None or found.high is None or found.inner is None:
        return f"The data cannot tell {a} from {b}: {found.note}."
    numbers = f"{title} {_number(values[0])} against {_number(values[1])}"
    span = f"difference {signed(found.value)}, {interval_words(found.low, found.high, rule.level)}; {size}"
    if decision.word == "better":
        winner, loser = (a, b) if found.favours == a else (b, a)
        ordered = numbers if winner == a else f"{title} {_number(values[1])} against {_number(values[0])}"
        size_of = f"by {abs(found.value):.3f} ({interval_words(*_toward(found), rule.level)}; {size})"
        small = _within_rope(found, rule)
        return f"{winner} is better than {loser}: {ordered}, {size_of}{small}."
    if decision.word == "equivalent":
        inside = interval_words(*found.inner, 2 * rule.level - 1)
        return (
            f"{a} and {b} are equivalent within {rule.rope:g}: {numbers} (difference {signed(found.value)}, "
            f"{inside}; {size})."
        )
    if decision.word == "no_evidence":
        if n_pairs > 1 and (found.low > 0 or found.high < 0):
            span += f"; after adjusting for {n_pairs} comparisons p = {found.p_adjusted:.2f}"
        return f"No evidence of a difference between {a} and {b}: {numbers} ({span})."
    return f"The data cannot tell {a} from {b}: {numbers} ({span}){'; ' + more if more else ''}."


def _within_rope(found: Difference, rule: Rule) -> str:
    if rule.rope is None or found.inner is None or max(abs(found.inner[0]), abs(found.inner[1])) >= rule.rope:
        return ""
    return f", though by less than the {rule.rope:g} that was said to matter"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def _toward(found: Difference) -> tuple[float, float]:
    """Return the ends of an interval that excludes 0 as sizes of the winner's lead."""
    ends = sorted((abs(float(found.low or 0.0)), abs(float(found.high or 0.0))))
    return ends[0], ends[1]


def more_words(decision: Decision, outlook: Mapping[str, Any], events: int) -> str:
    """Return what it would take where the data cannot tell, else "".

    Args:
        outlook: with "more_groups" and "assumed_difference". events: groups of the rarer class.
    """
    if decision.word != "cannot_tell" or not outlook:
        return ""
    why = f"only {events} groups hold the rarer class; " if decision.reason == "events" else ""
    if outlook["more_groups"] is None:
        return f"{why}no realistic number of groups would show a difference of {outlook['assumed_difference']:.3f}"
    n = outlook["more_groups"]
    groups = "group" if n == 1 else "groups"
    return f"{why}it would take about {n} more {groups} to show a difference of {outlook['assumed_difference']:.3f}"


def answer(
    comparisons: Sequence[Comparison], scores: Sequence[Score], row: Metric, baselines: Sequence[str]
) -> str:
    """Return the verdict in at most two sentences: the primary pair, then how the best one stands to file facts."""
    if not comparisons:
        only = next(score for score in scores if score.metric == row.name)
        return f"There is one contender, so there is nothing to compare: {only.contender} has {row.title} {only}."
    primary = comparisons[0]
    return " ".join(filter(None, [primary.sentence, _second(comparisons, scores, row, baselines)]))


def _second(
    comparisons: Sequence[Comparison], scores: Sequence[Score], row: Metric, baselines: Sequence[str]
) -> str:
    if comparisons[0].verdict == "refused":
        return ""
    values = {s.contender: s.value for s in scores if s.metric == row.name and s.value is not None}
    facts = values.get("file-facts")
    fighters = {name: value for name, value in values.items() if name not in baselines}
    if facts is None or not fighters or "file-facts" not in baselines:
        return ""
    best = max(fighters, key=lambda name: row.sign * fighters[name])
    won = any(c.winner == best and "file-facts" in (c.a, c.b) for c in comparisons)
    words = f"{best} beats it with" if won else f"{best} is not shown to beat it with"
    return (
        f"A classifier that sees only the file's facts (size, type), never the picture, reaches {row.title} "
        f"{facts:.3f}; {words} {fighters[best]:.3f}."
    )


def caveats(
    leaks: Sequence[str],
    comparisons: Sequence[Comparison],
    scores: Sequence[Score],
    details: Mapping[str, Any],
) -> tuple[str, ...]:
    """Return what the numbers do not say, worst first."""
    found = [leak if leak.endswith(".") else f"{leak}." for leak in leaks]
    refused = [c for c in comparisons if c.verdict == "refused" and "file facts" in c.sentence]
    if refused:
        found.append("File facts alone predict the label as well as the pictures do: the set is confounded.")
    found += narrow_intervals(scores)
    found += list(details.get("notes", ()))
    return tuple(dict.fromkeys(found))


_NARROW = {
    "few_groups": "There are fewer than ten groups: all intervals are too short.",
    "few_class_groups": "Fewer than ten groups hold the rarer class: the intervals of {} may be too narrow.",
    "few_in_denominator": "Fewer than ten groups stand in the denominator of {}.",
    "few_degrees": "A few groups make up most of the variance of {}: these intervals may be too narrow.",
    "lost_resamples": "More than a fifth of the resamples lacked a class: the intervals of {} are not to be trusted.",
}
_NAMED = 4


def narrow_intervals(scores: Sequence[Score]) -> list[str]:
    """Return one sentence per kind of warning that the scores carry, with the metrics that it touches.

    Metrics by class beyond two are left to the table of scores.
    """
    found = []
    for code, sentence in _NARROW.items():
        touched = dict.fromkeys(s.metric for s in scores if any(w.code == code for w in s.warnings))
        titles = [METRICS[name].title for name in touched if name in METRICS]
        more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
        if titles:
            found.append(sentence.format(", ".join(titles[:_NAMED]) + more))
    return found
