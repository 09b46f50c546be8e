"""Sentences of a verdict in words for clinicians."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.formatting import pluralize
from headtohead.core.records import Comparison, Score
from headtohead.core.tables.details import PowerAnalysis
from headtohead.evaluate.decision_rule import Decision, DecisionRule
from headtohead.stats.hypothesis.paired_difference import Difference
from headtohead.stats.metrics.lookup import metrics_shown
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.registry import METRICS

__all__ = [
    "caveats",
    "coverage_warnings",
    "interval_words",
    "pair_sentence",
    "sample_size_hint",
    "signed",
    "size_words",
    "summary_sentence",
]

_FACTS = "file-facts"


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
    rule: DecisionRule,
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
    if n_pairs > 1 and (found.low > 0 or found.high < 0) and found.p_adjusted > 1 - rule.level:
        span += f"; after adjusting for {n_pairs} comparisons p = {found.p_adjusted:.2f}"
    if decision.word == "no_evidence":
        return f"No evidence of a difference between {a} and {b}: {numbers} ({span})."
    return f"The data cannot tell {a} from {b}: {numbers} ({span}){'; ' + more if more else ''}."


def _within_rope(found: Difference, rule: DecisionRule) -> str:
    if rule.rope is None or found.inner is None or max(abs(found.inner[0]), abs(found.inner[1])) >= rule.rope:
        return ""
    return f", though by less than the {rule.rope:g} that was said to matter"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def _toward(found: Difference) -> tuple[float, float]:
    """Return the ends of an interval that excludes 0 as sizes of the winner's lead."""
    ends = sorted((abs(float(found.low or 0.0)), abs(float(found.high or 0.0))))
    return ends[0], ends[1]


def sample_size_hint(
    decision: Decision, power: PowerAnalysis | None, *, events: int, n_groups: int, rule: DecisionRule
) -> str:
    """Return what it would take where the data cannot tell, else "".

    Args:
        power: of the pair.
        events: groups of the rarer class. n_groups: groups in all.
    """
    if decision.word != "cannot_tell" or power is None:
        return ""
    why = {
        "events": f"only {events} groups hold the rarer class, at least {rule.min_events_for_better} are needed; ",
        "groups": f"{n_groups} groups are fewer than the {rule.min_groups_for_better} that are needed; ",
    }.get(decision.reason, "")
    more, gap = power.more_groups, power.assumed_difference
    if more is None and not (power.detectable_difference or 0) > 0:
        return f"{why}no group tells them apart, so it cannot be said how many more it would take"
    if more is None:
        return f"{why}even 100,000 groups would hardly show a difference of {gap:.3f}"
    if more > 0:
        return f"{why}it would take about {_groups(more)} to show a difference of {gap:.3f}"
    more = power.groups_for_width - n_groups
    return (
        f"{why}it would take about {_groups(more)} to narrow the interval to ±{rule.bound:g}"
        if more > 0
        else ""
    )


def _groups(more: int) -> str:
    return pluralize(more, "more group")


def summary_sentence(
    comparisons: Sequence[Comparison], scores: Sequence[Score], row: Metric, baselines: Sequence[str]
) -> str:
    """Return the verdict: the primary pair, who else is better than whom, how the best one stands to file facts.

    A single contender is described; its comparisons with baselines are no contest and stay in the table.
    """
    mine = [score for score in scores if score.metric == row.name]
    contenders = [score for score in mine if score.contender not in baselines]
    if len(contenders) == 1:
        return _alone(contenders[0], comparisons, mine, row, baselines)
    if not comparisons:
        return f"There are only controls ({', '.join(baselines)}), so there is nothing to compare."
    parts = [
        comparisons[0].sentence,
        _others(comparisons[1:], baselines),
        _second(comparisons, mine, row, baselines),
    ]
    return " ".join(filter(None, parts))


def _others(comparisons: Sequence[Comparison], baselines: Sequence[str]) -> str:
    """Return which other contenders were shown to be better, "" if none was."""
    beaten: dict[str, list[str]] = {}
    for c in comparisons:
        if c.winner is not None and not {c.a, c.b} & set(baselines):
            beaten.setdefault(c.winner, []).append(c.b if c.winner == c.a else c.a)
    sentences = [f"{winner} is better than {_listed(losers)}" for winner, losers in beaten.items()]
    return f"Among the other pairs, {'; '.join(sentences)}." if sentences else ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _alone(
    only: Score,
    comparisons: Sequence[Comparison],
    scores: Sequence[Score],
    row: Metric,
    baselines: Sequence[str],
) -> str:
    if refusal := next((c.details.refusal for c in comparisons), ""):
        return f"No verdict on {only.contender}: refused, because {refusal}."
    lead = f"There is one contender, so there is nothing to compare: {only.contender}"
    size = size_words(only.n_samples, only.n_groups)
    if only.value is None or only.low is None or only.high is None:
        return f"{lead} has no {row.title} ({only.note})."
    span = interval_words(only.low, only.high, only.level)
    first = f"{lead} reaches {row.title} {only.value:.3f} ({span}; {size})."
    return f"{first} {_second(comparisons, scores, row, baselines) or _against_majority(comparisons, only)}".rstrip()


def _against_majority(comparisons: Sequence[Comparison], only: Score) -> str:
    found = next((c for c in comparisons if c.b == "majority"), None)
    if found is None:
        return ""
    words = {only.contender: "does better", "majority": "does worse"}
    stands = words.get(found.winner or "", "is not shown to do better")
    return f"It {stands} than always answering with the class frequencies."


def _second(
    comparisons: Sequence[Comparison], scores: Sequence[Score], row: Metric, baselines: Sequence[str]
) -> str:
    if not comparisons or comparisons[0].verdict == "refused":
        return ""
    values = {s.contender: s.value for s in scores if s.value is not None}
    facts = values.get(_FACTS)
    contenders = {name: value for name, value in values.items() if name not in baselines}
    if facts is None or not contenders or _FACTS not in baselines:
        return ""
    best = max(contenders, key=lambda name: row.sign * contenders[name])
    pair = next((c for c in comparisons if {c.a, c.b} == {best, _FACTS}), None)
    words = {best: "beats it", _FACTS: "does worse"}
    stands = words.get((pair.winner if pair else None) or "", "is not shown to beat it")
    title = METRICS[row.name].title if row.name in METRICS else row.title
    return (
        f"A classifier that sees only the file's facts (size, type), never the image, reaches {title} "
        f"{facts:.3f}; {_short(best)}, with {contenders[best]:.3f}, {stands}."
    )


def _short(name: str) -> str:
    """Return the name, or of a long ensemble how many members it has: the tables name them."""
    if len(name) <= _LONGEST or not name.startswith("ensemble("):
        return name
    depth, members = 0, 1
    for i, letter in enumerate(name):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        members += letter == "," and depth == 1 and not name[i + 1 :].lstrip().startswith("how=")
    return f"the ensemble of {members}"


def caveats(
    leaks: Sequence[str],
    comparisons: Sequence[Comparison],
    scores: Sequence[Score],
    notes: Sequence[str],
) -> tuple[str, ...]:
    """Return what the numbers do not say, worst first."""
    found = [leak if leak.endswith(".") else f"{leak}." for leak in leaks]
    if any("does not beat file facts" in c.details.refusal for c in comparisons):
        found.append("File facts alone predict the label as well as the images do: the set is confounded.")
    found += coverage_warnings(scores, comparisons[0].metric if comparisons else "auroc")
    found += notes
    return tuple(dict.fromkeys(found))


_NARROW = {
    "few_groups": "There are fewer than ten groups: all intervals are too short.",
    "few_class_groups": "Fewer than ten groups hold the rarer class: the intervals of {} may be too narrow.",
    "few_in_denominator": "Fewer than ten groups stand in the denominator of {}.",
    "few_degrees": "A few groups make up most of the variance of {}: the intervals may be too narrow.",
    "lost_resamples": "More than a fifth of the resamples lacked a class: the intervals of {} are not to be trusted.",
}
_NAMED = 4
_LONGEST = 60


def coverage_warnings(scores: Sequence[Score], primary: str = "auroc") -> list[str]:
    """Return one sentence per kind of warning that the scores carry, with the metrics that it touches.

    The primary metric comes first; metrics that a reader does not see first are left to the table.
    """
    found = []
    shown = tuple(dict.fromkeys((primary, *metrics_shown("headline"))))
    for code, sentence in _NARROW.items():
        touched = {s.metric for s in scores if any(w.code == code for w in s.warnings)}
        titles = [METRICS[name].title for name in shown if name in touched and name in METRICS]
        more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
        if titles:
            found.append(sentence.format(", ".join(titles[:_NAMED]) + more))
    return found
