"""ROC, precision-recall and calibration curves of the report, with what is read off them in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from headtohead.core.records import Verdict
from headtohead.core.tables.comparison import PrecisionRecallCurve, RocCurve
from headtohead.core.tables.probability import CalibrationCurve
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.comparison_figures import ReportFigure, svg_figure

__all__ = ["calibration_figures", "curve_figures"]

C = TypeVar("C", RocCurve, PrecisionRecallCurve, CalibrationCurve)
BINS = 20  # of the histogram below the calibration: 0.05 wide
BANDS = "intervals at each point over groups, not for the curve as a whole."
MOST_BANDS = 3  # more of them hide one another; then the two contenders of the answer have them


def curve_figures(
    verdict: Verdict, order: Sequence[str], pair: Sequence[str] = ()
) -> tuple[ReportFigure, ...]:
    """Return ROC and precision-recall curves: of the positive class, or of each class beyond two.

    Args:
        verdict: of the run. order: contenders. pair: those of the answer, which alone have bands where there are many.
    """
    from headtohead.report.figures import plot_precision_recall, plot_roc

    details = verdict.details
    figures: tuple[ReportFigure, ...] = ()
    labels = [details.positive] if details.positive else list(details.classes)
    for label in labels:
        curves, words = _banded(_of_class(details.roc, label), pair)
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
                f"Dashed: chance. {words}: {BANDS} {_aurocs(verdict, list(curves))}",
            )
        recall, words = _banded(_of_class(details.precision_recall, label), pair)
        if recall:
            figures += svg_figure(
                f"Precision and recall{which}",
                plot_precision_recall(
                    recall,
                    order=order,
                    legend=False,
                    points=_points(verdict, "sensitivity", "ppv") if details.positive else None,
                ),
                f"Dashed: a random answer, the prevalence in these images. {words}: {BANDS} "
                f"{_averages(verdict, list(recall))}",
            )
    return figures


def calibration_figures(
    verdict: Verdict, order: Sequence[str], cases: CaseTable, pair: Sequence[str] = (), *, slopes: bool = True
) -> tuple[ReportFigure, ...]:
    """Return the calibration curves of all contenders in one figure, none where they are not defined.

    Args:
        verdict: of the run. order: contenders. cases: the predictions, for the histograms below.
        pair: contenders of the answer, which alone have bands where there are many.
        slopes: whether the note gives slope and intercept.
    """
    from headtohead.report.figures import plot_calibration

    details = verdict.details
    figures: tuple[ReportFigure, ...] = ()
    labels = [details.positive] if details.positive else list(details.classes)
    curves_shown = {
        name: c for name, c in details.calibration.items() if name in order and name != "majority"
    }
    if any(curve.bins for curve in curves_shown.values()):
        curves_shown, words = _banded(curves_shown, pair)
        note = f"Dashed: perfect calibration. {words}: 95 % intervals, resampling groups. Below: images by probability"
        note += ", first repeat." if cases.n_repeats > 1 else "."
        warnings = {curve.note for curve in details.calibration.values() if curve.note}
        note += "".join(f" Caution: {word}." for word in sorted(warnings))
        if len(labels) > 1:
            note = f"Probability of the most probable class against how often it is right. {note}"
        note += f" {_slopes(verdict, list(curves_shown))}" if slopes else ""
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


def _banded(curves: dict[str, C], pair: Sequence[str]) -> tuple[dict[str, C], str]:
    """Return the curves, where there are many without the bands of all but a pair, and whose bands are drawn."""
    if len(curves) <= MOST_BANDS or not any(name in curves for name in pair):
        return curves, "Bands"
    kept = {name: curve if name in pair else _bare(curve) for name, curve in curves.items()}
    return kept, f"Bands (of {' and '.join(name for name in curves if name in pair)} alone)"


def _bare(curve: C) -> C:
    """Return a curve without its band."""
    if not isinstance(curve, CalibrationCurve):
        return curve.model_copy(update={"band": None})
    bins = tuple(
        one.model_copy(update={"observed": one.observed.model_copy(update={"low": None, "high": None})})
        for one in curve.bins
    )
    return curve.model_copy(update={"bins": bins})


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
