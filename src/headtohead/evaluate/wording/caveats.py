"""Caveats of a verdict: limits of its numbers, in words for clinicians."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.records import Comparison, Score, Target
from headtohead.evaluate.decision_rule import FACTS_NOT_BEATEN
from headtohead.evaluate.wording.numbers import listed
from headtohead.evaluate.wording.pair import Cases
from headtohead.stats.hypothesis.seed_stability import STABLE
from headtohead.stats.metrics.lookup import metrics_shown
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.registry import METRICS

__all__ = ["caveats", "coverage_warnings", "metric_caveat", "seed_caveat"]

_BINNED = ("ece", "ace")
_RARE_FOR_MCC = 20  # groups; with 20 the interval errs in about 5 %, with 10 in 6 % (docs/statistics.md)
_CHANCE_OF_BOTH = ("mcc",)  # corrected for chance in both classes, which few samples of one leave unstable
_HEAVY_TAILED = ("log_loss",)  # a few samples may make up most of the mean


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
    if any(FACTS_NOT_BEATEN in c.details.refusal for c in comparisons):
        found.append(
            "File facts alone are not shown to predict the label less well than the images do: the set may be "
            "confounded."
        )
    found += seed_caveat(comparisons)
    found += coverage_warnings(scores, comparisons[0].metric if comparisons else "auroc", noun=cases.noun)
    found += notes
    return tuple(dict.fromkeys(found))


def seed_caveat(comparisons: Sequence[Comparison]) -> list[str]:
    """Return how far the first comparison depends on the seed of the folds, none where they hardly change it."""
    first = next((c for c in comparisons if c.primary), None)
    seeds = first.details.seeds if first is not None else None
    if first is None or seeds is None or first.verdict == "refused" or seeds.changes <= STABLE:
        return []
    share = f"in about {100 * seeds.changes:.0f} % of runs with this many repeats"
    if first.winner is None:
        found = (
            f"With other seeds of the folds a winner could be named between {first.a} and {first.b}, {share}."
        )
    else:
        other = first.b if first.winner == first.a else first.a
        found = f"With other seeds of the folds {first.winner} would not be shown to be better than {other} {share}."
    most = f"{100 * STABLE:.0f} %"
    less = (
        f"If the difference stays as it is, about {seeds.repeats} repeats (--repeats {seeds.repeats}) bring that down "
        f"to {most}."
        if seeds.repeats is not None
        else f"The difference is so close to the limit of what counts as shown that even 100 repeats would leave more "
        f"than {most}."
    )
    return [f"{found} {less}"]


def metric_caveat(metric: Metric, target: Target, rarest: int) -> list[str]:
    """Return what the primary metric itself cannot say, none where it has no such limit.

    Args:
        rarest: groups that hold the class found in the fewest.
    """
    if metric.name in _CHANCE_OF_BOTH and rarest < _RARE_FOR_MCC:
        return [
            f"Matthews correlation with a rare class (here {rarest} groups hold the rarer one): in simulations with "
            "ten of a hundred cases the 95 % interval of a difference excluded 0 in 6 % of studies without any. "
            "Balanced accuracy, or sensitivity and specificity, show what happens in the rare class."
        ]
    if metric.name in _BINNED:
        return [
            f"{metric.title[0].upper()}{metric.title[1:]}: it depends on how far the probabilities are spread, not on "
            "calibration alone. Of two perfectly calibrated contenders the one that ranks better tends to have the "
            "lower error; read the calibration slope and intercept next to it."
        ]
    if metric.name in _HEAVY_TAILED and target == "learners":
        return [
            "Training changes how confident a model is, which moves all its losses at once, at times by more than "
            "the intervals allow for: in simulations 95 % intervals of log loss held the truth in as few as 90 %. The "
            "Brier score is the safer choice."
        ]
    return []


_NARROW = {
    "few_groups": "There are fewer than ten {noun}s: all intervals may be too short.",
    "few_class_groups": "Fewer than ten {noun}s hold the rarer class: the intervals of {of} may be too narrow.",
    "few_in_denominator": "These rest on fewer than ten {noun}s: {of}.",
    "few_degrees": "A handful of {noun}s decides {of}: without one of them the result could be quite different, and "
    "the intervals may be too narrow.",
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
        more = [f"{len(titles) - _NAMED} more"] if len(titles) > _NAMED else []
        if titles:
            found.append(sentence.format(of=listed([*titles[:_NAMED], *more]), noun=noun))
    return found
