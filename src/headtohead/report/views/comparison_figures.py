"""Figures of the report as inline SVG, with their headings and notes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.records import Comparison, Verdict
from headtohead.core.tables.details import VerdictDetails

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BASELINE_WORDS",
    "ReportFigure",
    "cost_figures",
    "difference_figures",
    "feature_figures",
    "growth_figures",
    "rank_figure",
    "score_figures",
    "strip_figure",
    "svg_figure",
    "training_figures",
    "utility_figures",
]  # fmt: skip

TITLES = {
    "auroc": "AUROC (area under the ROC curve)",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "average_precision": "Average precision",
    "brier": "Brier score (lower is better)",
}
BASELINE_WORDS = {
    "majority": "always answers with the class frequencies of its training part;",
    "file-facts": (
        "sees width, height, bytes, mode and suffix of the file, never the image: what it reaches is how far "
        "the set can be solved without looking. (The audit's H2H301 asks the same with a classifier and folds of its "
        "own, so its AUROC differs a little.)"
    ),
}
_MAX_CLASSES = 8  # a figure each; beyond that the table of all metrics serves
_OF_ONE_CLASS = (
    "auroc",
    "auroc_pooled",
    "auroc_fold_mean",
    "average_precision",
    "sensitivity",
    "specificity",
)


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure with its heading, an optional note below, its named lines as CSV, and one drawn for a phone."""

    title: str
    svg: str
    note: str = ""
    csv: str = ""
    narrow: str = ""


def svg_figure(
    title: str, axes: Axes | None, note: str = "", points: Sequence[Sequence[Any]] = ()
) -> tuple[ReportFigure, ...]:
    """Return one figure of the report, none where there is nothing to draw.

    Args:
        title: its heading. axes: what was drawn. note: what stands below.
        points: the numbers as rows, the heading first, where they are not those of its named lines.
    """
    from headtohead.report.figures import to_svg

    if axes is None:
        return ()
    return (ReportFigure(title, to_svg(axes.figure), note, _csv(points) if points else _points_csv(axes)),)


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as CSV: numbers with four digits, nothing for None."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([f"{one:.4g}" if isinstance(one, float) else one for one in row] for row in rows)
    return text.getvalue()


def _points_csv(axes: Axes) -> str:
    """Return series, x and y of the lines that have a name, "" where there is none."""
    # matplotlib's own names of lines without one begin with "_"
    named = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
    if not named:
        return ""
    rows: list[Sequence[Any]] = [("series", axes.get_xlabel(), axes.get_ylabel())]
    for line in named:
        pairs = zip(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), strict=True)
        rows += [(line.get_label(), float(x), None if y != y else float(y)) for x, y in pairs]
    return _csv(rows)


def score_figures(verdict: Verdict, order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return the primary metric and the usual ones, each for all contenders."""
    from headtohead.report.figures import plot_scores

    rates, classes = ["sensitivity", "specificity"], verdict.details.classes
    if len(classes) > 2:
        rates = [f"sensitivity_{name}" for name in classes[:_MAX_CLASSES]]
    figures: tuple[ReportFigure, ...] = ()
    for metric in dict.fromkeys([verdict.metric, "auroc", "accuracy", *rates]):
        scores = [score for score in verdict.scores if score.metric == metric]
        if scores:
            chance = 0.5 if metric == "auroc" else None
            title = _metric_title(metric, len(classes), verdict.details.positive)
            points = [
                ("contender", metric, "low", "high"),
                *((s.contender, s.value, s.low, s.high) for s in scores),
            ]
            figures += svg_figure(title, plot_scores(scores, order=order, chance=chance), points=points)
    return figures


def _metric_title(metric: str, n_classes: int, positive: str | None) -> str:
    title = TITLES.get(metric) or metric.replace("sensitivity_", "Sensitivity, class ").replace("_", " ")
    if metric in ("auroc", "average_precision") and n_classes > 2:
        return f"{title}, mean over {n_classes} classes"
    return f"{title}, positive class '{positive}'" if metric in _OF_ONE_CLASS and positive else title


def difference_figures(verdict: Verdict, order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return the pairs of contenders, and separately those with a baseline, which need another scale."""
    from headtohead.report.figures import plot_differences

    defined = [c for c in verdict.comparisons if c.low is not None and c.high is not None]
    baselines = set(BASELINE_WORDS) & set(order)
    pairs = [c for c in defined if not {c.a, c.b} & baselines]
    controls = [c for c in defined if {c.a, c.b} & baselines]
    figures: tuple[ReportFigure, ...] = ()
    if pairs:
        rope = pairs[0].details.rope
        note = f"Shaded: the region of practical equivalence, ±{rope:g}." if rope else ""
        figures += svg_figure("Between contenders", plot_differences(pairs, rope=rope), note, _ends(pairs))
    if controls:
        figures += svg_figure("Against the baselines", plot_differences(controls), points=_ends(controls))
    return figures


def _ends(pairs: Sequence[Comparison]) -> list[tuple[Any, ...]]:
    """Return pairs with difference and interval as rows, the heading first."""
    heads = ("first", "second", f"difference in {pairs[0].metric}", "low", "high")
    return [heads, *((c.a, c.b, c.difference, c.low, c.high) for c in pairs)]


def strip_figure(verdict: Verdict) -> ReportFigure | None:
    """Return the one wide plot of the answer: the paired difference on its own axis, None where it is not defined."""
    from headtohead.report.figures import plot_strip, to_svg

    first = verdict.comparisons[0] if verdict.comparisons else None
    if first is None or first.low is None or first.high is None or first.difference is None:
        return None
    rope = first.details.rope
    note = f"Dot: the difference; bar: {100 * first.level:g} % CI over groups."
    note += f" Shaded: practical equivalence, ±{rope:g}." if rope else ""
    title = TITLES.get(first.metric, first.metric.replace("_", " "))
    wide, narrow = (to_svg(plot_strip(first, rope=rope, narrow=slim).figure) for slim in (False, True))
    return ReportFigure(f"Difference in {title}", wide, note, narrow=narrow)


def feature_figures(features: dict[str, Any], cases: Any) -> tuple[ReportFigure, ...]:
    """Return for each contender its feature map: two principal components by class, errors ringed."""
    from headtohead.report.figures import plot_feature_map

    figures: tuple[ReportFigure, ...] = ()
    for name, one in features.items():
        if name not in cases.contenders:
            continue
        points = [
            (*one["points"][s], int(cases.labels[i])) for i, s in enumerate(cases.ids) if s in one["points"]
        ]
        wrong = [
            not right for s, right in zip(cases.ids, cases.right(name, 0), strict=True) if s in one["points"]
        ]
        shares = " and ".join(f"{100 * share:.0f} %" for share in one["explained"])
        note = f"Two principal components, {shares} of the variance; rings: {sum(wrong)} errors of the first repeat."
        figures += svg_figure(f"Features of {name}", plot_feature_map(points, wrong, cases.classes), note)
    return figures


def rank_figure(details: VerdictDetails, order: Sequence[str]) -> ReportFigure | None:
    """Return the rank diagram, None for fewer than three contenders."""
    from headtohead.report.figures import RANK_NOTE, plot_rank_diagram

    if details.ranks is None:
        return None
    return next(iter(svg_figure("Ranks", plot_rank_diagram(details.ranks, order=order), RANK_NOTE)), None)


def utility_figures(details: VerdictDetails, order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return the decision curves and the risk-coverage curves."""
    from headtohead.report.figures import plot_decision_curve, plot_risk_coverage

    figures: tuple[ReportFigure, ...] = ()
    if (curves := details.decision_curves) is not None and curves.contenders:
        note = f"At a prevalence of {curves.prevalence:.3g}; grey: treating all (dashed) and nobody (dotted)."
        note += " The probabilities were re-based to it." if curves.note else ""
        figures += svg_figure(
            "Net benefit (decision curve)", plot_decision_curve(curves, order=order, legend=False), note
        )
    if details.risk_coverage:
        axes = plot_risk_coverage(details.risk_coverage, order=order, legend=False)
        figures += svg_figure("Selective prediction (risk–coverage)", axes, "Lower is better.")
    return figures


def cost_figures(
    verdict: Verdict, order: Sequence[str], spent: Mapping[str, Mapping[str, Any]]
) -> tuple[ReportFigure, ...]:
    """Return the primary metric against the time of fitting; none with fewer than two contenders that took time."""
    from headtohead.report.figures import plot_cost

    scores = {s.contender: s for s in verdict.scores if s.metric == verdict.metric and s.value is not None}
    seconds = {name: float(cost["seconds"]) for name, cost in spent.items() if cost.get("seconds")}
    known = {n: (seconds[n], scores[n]) for n in order if n in seconds and n in scores and n != "majority"}
    if len(known) < 2:
        return ()
    title = TITLES.get(verdict.metric, verdict.metric.replace("_", " "))
    note = "Seconds of fitting in all folds and repeats, logarithmic."
    if free := [
        name for name, cost in spent.items() if name in scores and name != "majority" and not cost["seconds"]
    ]:
        note += f" Not drawn, since combining predictions takes no time: {', '.join(free)}."
    heads = ("contender", "seconds of fitting", verdict.metric, "low", "high")
    points = [heads, *((n, took, s.value, s.low, s.high) for n, (took, s) in known.items())]
    return svg_figure(f"{title} against time", plot_cost(known, order=order, metric=title), note, points)


def growth_figures(content: Mapping[str, Any], order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return the learning curve over training groups; none where the run has none."""
    from headtohead.report.figures import plot_group_curve

    if not content.get("points"):
        return ()
    note = (
        f"Dots: scores with {100 * content['level']:g} % CI over test groups; dashed, hollow: the fitted power law "
        "with twice the groups."
    )
    return svg_figure("Score by number of training groups", plot_group_curve(content, order=order), note)


def training_figures(learning: Any) -> tuple[ReportFigure, ...]:
    """Return the learning curves of the first cell of each contender that was trained by epochs."""
    import json

    from headtohead.report.figures import plot_learning_curves

    figures: tuple[ReportFigure, ...] = ()
    for name, rows in learning.groupby("contender", sort=False):
        epochs = json.loads(rows.iloc[0]["epochs"])
        for key in ("loss", "accuracy") if epochs else ():
            figures += svg_figure(f"{name}: {key}", plot_learning_curves(epochs, key))
    return figures
