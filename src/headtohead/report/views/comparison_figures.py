"""Figures of the report as inline SVG, with their headings and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headtohead.core.records import Verdict
from headtohead.core.tables.details import VerdictDetails

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BASELINE_WORDS",
    "ReportFigure",
    "curve_figures",
    "difference_figures",
    "feature_figures",
    "rank_figure",
    "score_figures",
    "strip_figure",
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
        "the set can be solved without looking."
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
    """A figure with its heading and an optional note below."""

    title: str
    svg: str
    note: str = ""


def _svg(title: str, axes: Axes | None, note: str = "") -> tuple[ReportFigure, ...]:
    """Return one figure of the report, none where there is nothing to draw."""
    from headtohead.report.figures import to_svg

    return () if axes is None else (ReportFigure(title, to_svg(axes.figure), note),)


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
            figures += _svg(title, plot_scores(scores, order=order, chance=chance))
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
        figures += _svg("Between contenders", plot_differences(pairs, rope=rope), note)
    if controls:
        figures += _svg("Against the baselines", plot_differences(controls))
    return figures


def strip_figure(verdict: Verdict) -> ReportFigure | None:
    """Return the one wide plot of the answer: the paired difference on its own axis, None where it is not defined."""
    from headtohead.report.figures import plot_strip

    first = verdict.comparisons[0] if verdict.comparisons else None
    if first is None or first.low is None or first.high is None or first.difference is None:
        return None
    rope = first.details.rope
    note = f"Dot: the difference; bar: {100 * first.level:g} % CI over groups."
    note += f" Shaded: practical equivalence, ±{rope:g}." if rope else ""
    title = TITLES.get(first.metric, first.metric.replace("_", " "))
    return next(iter(_svg(f"Difference in {title}", plot_strip(first, rope=rope), note)), None)


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
        figures += _svg(f"Features of {name}", plot_feature_map(points, wrong, cases.classes), note)
    return figures


def rank_figure(details: VerdictDetails, order: Sequence[str]) -> ReportFigure | None:
    """Return the rank diagram, None for fewer than three contenders."""
    from headtohead.report.figures import RANK_NOTE, plot_rank_diagram

    if details.ranks is None:
        return None
    return next(iter(_svg("Ranks", plot_rank_diagram(details.ranks, order=order), RANK_NOTE)), None)


def curve_figures(verdict: Verdict, order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return ROC and calibration curves: of the positive class, or of each class beyond two."""
    details = verdict.details
    from headtohead.report.figures import plot_calibration, plot_roc

    figures: tuple[ReportFigure, ...] = ()
    labels = [details.positive] if details.positive else list(details.classes)
    for label in labels:
        curves = {name: by_class[label] for name, by_class in details.roc.items() if label in by_class}
        curves = {name: curve for name, curve in curves.items() if name != "majority"}
        which = f", {label} against the rest" if len(labels) > 1 else f", positive class '{label}'"
        if curves:
            figures += _svg(
                f"ROC curves{which}",
                plot_roc(
                    curves,
                    order=order,
                    legend=False,
                    points=_operating_points(verdict) if details.positive else None,
                ),
                f"Dashed: chance. {_aurocs(verdict, list(curves))}",
            )
    curves_shown = {
        name: c for name, c in details.calibration.items() if name in order and name != "majority"
    }
    if any(curve.bins for curve in curves_shown.values()):
        note = "Dashed: perfect calibration; bands: 95 % intervals, resampling groups."
        warnings = {curve.note for curve in details.calibration.values() if curve.note}
        note += "".join(f" Caution: {word}." for word in sorted(warnings))
        if len(labels) > 1:
            note = f"Probability of the most probable class against how often it is right. {note}"
        note += f" {_slopes(verdict, list(curves_shown))}"
        figures += _svg(
            "Calibration" if len(labels) > 1 else f"Calibration of the probability of {labels[0]}",
            plot_calibration(curves_shown, order=order, legend=False),
            note,
        )
    return figures


def _operating_points(verdict: Verdict) -> dict[str, tuple[Any, Any]]:
    """Return contender -> its specificity and sensitivity at the threshold 0.5, with their intervals."""
    found = {(s.contender, s.metric): s for s in verdict.scores if s.value is not None}
    names = dict.fromkeys(s.contender for s in verdict.scores if s.contender != "majority")
    pairs = {n: (found.get((n, "specificity")), found.get((n, "sensitivity"))) for n in names}
    return {name: pair for name, pair in pairs.items() if None not in pair}


def _aurocs(verdict: Verdict, names: Sequence[str]) -> str:
    found = {s.contender: s for s in verdict.scores if s.metric == "auroc" and s.value is not None}
    told = [
        f"{name} {found[name].value:.3f} ({found[name].low:.3f} to {found[name].high:.3f})"
        for name in names
        if name in found
    ]
    crosses = " Crosses: the threshold 0.5 with its intervals." if verdict.details.positive else ""
    return f"AUROC (CI): {'; '.join(told)}.{crosses}" if told else ""


def _slopes(verdict: Verdict, names: Sequence[str]) -> str:
    """Return slope and intercept of each contender in words, "" where there are none."""
    found = {(s.contender, s.metric): s.value for s in verdict.scores if s.value is not None}
    told = []
    for name in names:
        slope, intercept = found.get((name, "calibration_slope")), found.get((name, "calibration_intercept"))
        if slope is not None and intercept is not None:
            told.append(
                f"{name} {slope:.2f} and {intercept:.2f}".replace("-0.00", "0.00").replace(" -", " −")
            )
    return f"Slope and intercept (ideal 1 and 0): {'; '.join(told)}." if told else ""


def utility_figures(details: VerdictDetails, order: Sequence[str]) -> tuple[ReportFigure, ...]:
    """Return the decision curves and the risk-coverage curves."""
    from headtohead.report.figures import plot_decision_curve, plot_risk_coverage

    figures: tuple[ReportFigure, ...] = ()
    if (curves := details.decision_curves) is not None and curves.contenders:
        note = f"At a prevalence of {curves.prevalence:.3g}; grey: treating all (dashed) and nobody (dotted)."
        note += " The probabilities were re-based to it." if curves.note else ""
        figures += _svg(
            "Net benefit (decision curve)", plot_decision_curve(curves, order=order, legend=False), note
        )
    if details.risk_coverage:
        axes = plot_risk_coverage(details.risk_coverage, order=order, legend=False)
        figures += _svg("Selective prediction (risk–coverage)", axes, "Lower is better.")
    return figures


def training_figures(learning: Any) -> tuple[ReportFigure, ...]:
    """Return the learning curves of the first cell of each contender that was trained by epochs."""
    import json

    from headtohead.report.figures import plot_learning_curves

    figures: tuple[ReportFigure, ...] = ()
    for name, rows in learning.groupby("contender", sort=False):
        epochs = json.loads(rows.iloc[0]["epochs"])
        for key in ("loss", "accuracy") if epochs else ():
            figures += _svg(f"{name}: {key}", plot_learning_curves(epochs, key))
    return figures
