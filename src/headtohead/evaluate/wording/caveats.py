"""Caveats of a verdict: limits of its numbers, in words for clinicians."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.records import Comparison, Score
from headtohead.evaluate.wording.pair import Cases
from headtohead.stats.metrics.lookup import metrics_shown
from headtohead.stats.metrics.registry import METRICS

__all__ = ["caveats", "coverage_warnings"]


def caveats(
    headline: str,
    leaks: Sequence[str],
    comparisons: Sequence[Comparison],
    scores: Sequence[Score],
    notes: Sequence[str],
    *,
    cases: Cases,
) -> tuple[str, ...]:
    """Return what the numbers do not say, worst first; nothing that the headline says already.

    Args:
        headline: the answer. leaks: sentences on leaks. notes: further sentences.
    """
    found = [leak if leak.endswith(".") else f"{leak}." for leak in leaks]
    found = [leak for leak in found if leak.rstrip(".") not in headline]
    if any("does not beat file facts" in c.details.refusal for c in comparisons):
        found.append("File facts alone predict the label as well as the images do: the set is confounded.")
    found += coverage_warnings(scores, comparisons[0].metric if comparisons else "auroc", noun=cases.noun)
    found += notes
    return tuple(dict.fromkeys(found))


_NARROW = {
    "few_groups": "There are fewer than ten {noun}s: all intervals may be too short.",
    "few_class_groups": "Fewer than ten {noun}s hold the rarer class: the intervals of {of} may be too narrow.",
    "few_in_denominator": "These rest on fewer than ten {noun}s: {of}.",
    "few_degrees": "A handful of {noun}s decides {of}: leaving one out would change it much; the intervals may be too "
    "narrow.",
    "lost_resamples": "More than a fifth of the resamples lacked a class: the intervals of {of} are not to be trusted.",
}
_NAMED = 4  # contenders named in one caveat


def coverage_warnings(scores: Sequence[Score], primary: str = "auroc", *, noun: str = "group") -> list[str]:
    """Return one sentence per kind of warning that the scores carry, with the metrics that it touches.

    The primary metric comes first; metrics that a reader does not see first are left to the table.

    Args:
        noun: what one independent unit is called.
    """
    found = []
    shown = tuple(dict.fromkeys((primary, *metrics_shown("headline"))))
    for code, sentence in _NARROW.items():
        touched = {s.metric for s in scores if any(w.code == code for w in s.warnings)}
        titles = [METRICS[name].title for name in shown if name in touched and name in METRICS]
        more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
        if titles:
            found.append(sentence.format(of=", ".join(titles[:_NAMED]) + more, noun=noun))
    return found
