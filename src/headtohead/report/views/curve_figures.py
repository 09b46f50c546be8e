"""ROC, precision-recall and calibration curves of the report, with what is read off them in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from headtohead.core.records import Verdict
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.comparison_figures import ReportFigure, svg_figure

__all__ = ["curve_figures"]

C = TypeVar("C")
BINS = 20  # of the histogram below the calibration: 0.05 wide
BANDS = "Bands: intervals at each point over groups, not for the curve as a whole."


def curve_figures(verdict: Verdict, order: Sequence[str], cases: CaseTable) -> tuple[ReportFigure, ...]:
    """Return ROC, precision-recall and calibration curves: of the positive class, or of each class beyond two.

    Args:
        verdict: of the run. order: contenders. cases: the predictions, for the histograms below the calibration.
    """
    from headtohead.report.figures import plot_calibration, plot_precision_recall, plot_roc

    details = verdict.details
    figures: tuple[ReportFigure, ...] = ()
    labels = [details.positive] if details.positive else list(details.classes)
    for label in labels:
        curves = _of_class(details.roc, label)
        which = f", {label} against the rest" if len(labels) > 1 else f", positive class '{label}'"
        if curves:
            figures += svg_figure(
                f"ROC curves{which}",
                plot_roc(
                    curves,
                    order=order,
                    legend=False,
                    points=_points(verdict, "specificity", "sensitivity") if details.positive else None,
                ),
                f"Dashed: chance. {BANDS} {_aurocs(verdict, list(curves))}",
            )
        recall = _of_class(details.precision_recall, label)
        if recall:
            figures += svg_figure(
                f"Precision and recall{which}",
                plot_precision_recall(
                    recall,
                    order=order,
                    legend=False,
                    points=_points(verdict, "sensitivity", "ppv") if details.positive else None,
                ),
                f"Dashed: a random answer, the prevalence in these images. {BANDS} {_averages(verdict, list(recall))}",
            )
    curves_shown = {
        name: c for name, c in details.calibration.items() if name in order and name != "majority"
    }
    if any(curve.bins for curve in curves_shown.values()):
        note = "Dashed: perfect calibration; bands: 95 % intervals, resampling groups. Below: images by probability"
        note += ", first repeat." if cases.n_repeats > 1 else "."
        warnings = {curve.note for curve in details.calibration.values() if curve.note}
        note += "".join(f" Caution: {word}." for word in sorted(warnings))
        if len(labels) > 1:
            note = f"Probability of the most probable class against how often it is right. {note}"
        note += f" {_slopes(verdict, list(curves_shown))}"
        figures += svg_figure(
            "Calibration" if len(labels) > 1 else f"Calibration of the probability of {labels[0]}",
            plot_calibration(
                curves_shown,
                order=order,
                legend=False,
                counts={name: _histogram(cases, name, highest=len(labels) > 1) for name in curves_shown},
            ),
            note,
        )
    return figures


def _of_class(curves: Mapping[str, Mapping[str, C]], label: str) -> dict[str, C]:
    """Return contender -> its curve of one class; the majority class alone has none worth drawing."""
    return {
        name: by_class[label] for name, by_class in curves.items() if label in by_class and name != "majority"
    }


def _points(verdict: Verdict, first: str, second: str) -> dict[str, tuple[Any, Any]]:
    """Return contender -> two of its scores at the threshold 0.5, with their intervals."""
    found = {(s.contender, s.metric): s for s in verdict.scores if s.value is not None}
    names = dict.fromkeys(s.contender for s in verdict.scores if s.contender != "majority")
    pairs = {n: (found.get((n, first)), found.get((n, second))) for n in names}
    return {name: pair for name, pair in pairs.items() if None not in pair}


def _aurocs(verdict: Verdict, names: Sequence[str]) -> str:
    return _values(verdict, names, "auroc", "AUROC")


def _averages(verdict: Verdict, names: Sequence[str]) -> str:
    return _values(verdict, names, "average_precision", "Average precision")


def _values(verdict: Verdict, names: Sequence[str], metric: str, title: str) -> str:
    """Return a metric of each contender with its interval, and what the crosses are."""
    found = {s.contender: s for s in verdict.scores if s.metric == metric and s.value is not None}
    told = [
        f"{name} {found[name].value:.3f} ({found[name].low:.3f} to {found[name].high:.3f})"
        for name in names
        if name in found
    ]
    crosses = " Crosses: the threshold 0.5 with its intervals." if verdict.details.positive else ""
    return f"{title} (CI): {'; '.join(told)}.{crosses}" if told else ""


def _histogram(cases: CaseTable, name: str, *, highest: bool) -> list[int]:
    """Return how many images of the first repeat have a probability in each of 20 equal bins.

    Args:
        highest: of the most probable class, beyond two classes; else of the positive one.
    """
    kept = cases.scored(0)
    rows = cases.probabilities[cases.contenders.index(name), 0][kept]
    place = None if cases.positive is None else cases.classes.index(cases.positive)
    shown = rows.max(axis=1) if highest or place is None else rows[:, place]
    return [int(n) for n in np.histogram(shown, bins=BINS, range=(0.0, 1.0))[0]]


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
