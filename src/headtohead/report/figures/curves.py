"""Figures with two numeric axes: ROC, calibration, net benefit, risk-coverage, learning and sample-size curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from headtohead.core.tables.comparison import CurveBand, PrecisionRecallCurve, RocCurve
from headtohead.core.tables.probability import CalibrationCurve, DecisionCurves, RiskCoverage
from headtohead.report.figures.style import (
    add_tooltip,
    clear_frame,
    color,
    grid_axes,
    marker,
    new_axes,
    ordered,
)

__all__ = [
    "plot_calibration",
    "plot_decision_curve",
    "plot_learning_curves",
    "plot_precision_recall",
    "plot_risk_coverage",
    "plot_roc",
]

Place = Literal["lower left", "lower right", "upper left", "upper right"]
_BASELINE = "majority"
# In points: a histogram, the space above the first one, and the words of the axis.
_STRIP, _GAP, _AXIS_WORDS = 26.0, 6.0, 46.0
_TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_MARGINS = {"left": 50.0, "right": 12.0, "top": 10.0, "bottom": 44.0}
# Of the largest net benefit; beyond the last threshold that reaches it nothing is drawn.
_WORTH_SHOWING = 0.02


def plot_roc(
    curves: Mapping[str, RocCurve],
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    points: Mapping[str, tuple[Any, Any]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot ROC curves by contender with their pointwise bands, chance dashed.

    Args:
        curves: contender -> curve, such as `{name: by_class["yes"] for name, by_class in verdict.details.roc.items()}`.
        order: contenders; the colour follows the place in this list.
        legend: whether to name the contenders in the figure.
        points: contender -> (specificity, sensitivity) of an operating point, each with value, low and high.
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(330, 330, **_MARGINS, label="ROC curves")
    _unit_square(ax, "1 − specificity", "sensitivity")
    for index, name in enumerate(ordered(curves, order)):
        if name in curves:
            curve = curves[name]
            _shade(ax, curve.band, index)
            ax.plot(curve.false_positive_rate, curve.true_positive_rate, color=color(index), label=name, lw=2)
        if points and name in points and name in curves:
            right, found = points[name]
            across = (1 - right.value, 1 - right.high, 1 - right.low)  # 1 − x turns the interval round
            _cross(ax, across, (found.value, found.low, found.high), index)
    return _with_legend(ax, legend, "lower right")


def plot_precision_recall(
    curves: Mapping[str, PrecisionRecallCurve],
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    points: Mapping[str, tuple[Any, Any]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot precision against recall by contender with pointwise bands; dashed is the precision of a random answer.

    Args:
        curves: contender -> curve, such as `{n: by["yes"] for n, by in verdict.details.precision_recall.items()}`.
        order: contenders; the colour follows the place in this list.
        legend: whether to name the contenders in the figure.
        points: contender -> (recall, precision) of an operating point, each with value, low and high.
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(330, 330, **_MARGINS, label="Precision-recall curves")
    _unit_square(ax, "recall (sensitivity)", "precision (PPV)", diagonal=False)
    for prevalence in sorted({curve.prevalence for curve in curves.values()}):
        ax.plot([0, 1], [prevalence] * 2, color=color("muted"), linestyle="--", linewidth=1)
    for index, name in enumerate(ordered(curves, order)):
        if name in curves:
            curve = curves[name]
            _shade(ax, curve.band, index)
            ys = [math.nan if y is None else y for y in curve.precision]  # a gap where it is not defined
            ax.plot(curve.recall, ys, color=color(index), label=name, lw=2)
        if points and name in points and name in curves:
            found, right = points[name]
            _cross(ax, (found.value, found.low, found.high), (right.value, right.low, right.high), index)
    return _with_legend(ax, legend, "lower left")


def plot_calibration(
    curves: Mapping[str, CalibrationCurve],
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    counts: Mapping[str, Sequence[int]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot observed frequency against predicted probability, with bands; the diagonal is perfect calibration.

    Args:
        curves: contender -> curve, such as `verdict.details.calibration`.
        counts: contender -> numbers of images in equal bins of the predicted probability, drawn below the curves.
        order: contenders; the colour follows the place in this list.
        legend: whether to name the contenders in the figure.
        ax: axes to draw on; new ones by default.
    """
    below = 0 if not counts else _STRIP * sum(name in counts for name in ordered(curves, order)) + _GAP
    margins = {**_MARGINS, "bottom": _MARGINS["bottom"] + below}
    ax = ax or new_axes(330, 330, **margins, label="Calibration curves")
    _unit_square(ax, "predicted probability", "observed frequency")
    for index, name in enumerate(ordered(curves, order)):
        bins = [b for b in curves[name].bins if b.observed.value is not None] if name in curves else []
        if not bins:
            continue
        xs = [b.mean_probability for b in bins]
        lows, highs = [b.observed.low for b in bins], [b.observed.high for b in bins]
        if len(bins) > 1 and None not in lows and None not in highs:
            band = np.array([lows, highs], float)
            ax.fill_between(xs, band[0], band[1], color=color(index), alpha=0.15, linewidth=0)
        ax.plot(xs, [float(b.observed.value or 0) for b in bins], color=color(index), lw=2, label=name)
        for b in bins:
            dot = ax.plot(
                [b.mean_probability],
                [float(b.observed.value or 0)],
                color=color(index),
                marker=marker(index),
                ms=6,
            )[0]
            add_tooltip(dot, f"{name}: {b.n_groups} groups")
    if counts:
        _histograms(ax, {n: counts[n] for n in ordered(curves, order) if n in counts}, ordered(curves, order))
    return _with_legend(ax, legend, "upper left")


def _histograms(ax: Axes, counts: Mapping[str, Sequence[int]], order: Sequence[str]) -> None:
    """Draw below the axes how many images have each predicted probability: a strip for each contender, one scale."""
    top = max(1, *(n for numbers in counts.values() for n in numbers))
    height = 330.0  # of the plotting area, in points
    for place, (name, numbers) in enumerate(counts.items()):
        start = -(_AXIS_WORDS + (place + 1) * _STRIP) / height
        strip = ax.inset_axes((0, start, 1, 0.85 * _STRIP / height))
        clear_frame(strip)
        edges = np.linspace(0, 1, len(numbers) + 1)
        strip.bar(
            edges[:-1], numbers, width=0.9 / len(numbers), align="edge", color=color(order.index(name)), lw=0
        )
        strip.set_xlim(-0.01, 1.01)
        strip.set_ylim(0, top)
        strip.set_xticks([])
        strip.set_yticks([top])
        strip.tick_params(labelsize=9)
        strip.axhline(0, color=color("line"), lw=1)


def plot_decision_curve(
    curves: DecisionCurves,
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Plot net benefit against the threshold probability (Vickers and Elkin 2006).

    The axes show where a contender is worth something: thresholds up to the last one with a benefit, at most
    ten times the prevalence (or 0.2), and down to a third of the largest benefit below zero.

    Args:
        curves: such as `verdict.details.decision_curves`.
        order: contenders; the colour follows the place in this list. Treat all and treat none are grey.
        legend: whether to name the curves in the figure.
        ax: axes to draw on; new ones by default.
    """
    listed = ordered(curves.contenders, order)
    names = [name for name in listed if name in curves.contenders and name != _BASELINE]
    lines = {
        name: [math.nan if p.value is None else p.value for p in curves.contenders[name]] for name in names
    }
    own = list(lines.values()) or [list(curves.treat_none)]
    lines |= {"treat all": list(curves.treat_all), "treat none": list(curves.treat_none)}
    top = max(0.001, *(v for values in lines.values() for v in values if math.isfinite(v)))
    xs, prevalence = curves.thresholds, curves.prevalence
    useful = [x for x, *values in zip(xs, *own, strict=True) if max(values) > _WORTH_SHOWING * top]
    end = min(max([*useful, 2 * prevalence]), max(0.2, 10 * prevalence), xs[-1])
    n = max(
        2, sum(x <= end for x in xs)
    )  # of a rare class both may lie above the end: a line needs two points
    ax = ax or new_axes(330, 250, **_MARGINS, label="Net benefit by threshold probability")
    grid_axes(ax, "threshold probability", "net benefit")
    for name, values in lines.items():
        tone = color(listed.index(name)) if name in listed else color("muted")
        style = "-" if name in listed else "--" if name == "treat all" else ":"
        ax.plot(xs[:n], values[:n], color=tone, ls=style, lw=2, label=name)
    ax.set_xlim(xs[0], xs[n - 1])
    ax.set_ylim(-top / 3, 1.05 * top)
    return _with_legend(ax, legend, "upper right")


def plot_risk_coverage(
    curves: Mapping[str, RiskCoverage],
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Plot the error rate among the images that are answered when the least sure are left to a person.

    Args:
        curves: contender -> curve, such as `verdict.details.risk_coverage`.
        order: contenders; the colour follows the place in this list.
        legend: whether to name the contenders in the figure.
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(330, 250, **_MARGINS, label="Error rate by share of images answered")
    grid_axes(ax, "share of images answered", "error rate among them")
    top, least = 0.01, 0.95  # keep the axes where no contender errs, or all answer every image
    for index, name in enumerate(ordered(curves, order)):
        if name not in curves or name == _BASELINE:
            continue
        points = [(p.kept, p.risk.value) for p in curves[name].points if p.risk.value is not None]
        ax.plot([x for x, _ in points], [y for _, y in points], color=color(index), lw=2, label=name)
        top = max([top, *(y for _, y in points)])
        least = min([least, *(x for x, _ in points)])
    ax.set_xlim(least, 1.0)
    ax.set_ylim(0, 1.05 * top)
    return _with_legend(ax, legend, "upper left")


def plot_learning_curves(epochs: Any, key: str, *, ax: Axes | None = None) -> Axes:
    """Plot training (solid) and inner-validation (dashed) values of one cell against the epoch.

    Args:
        epochs: rows with epoch, train_<key> and, where there is one, inner_<key>.
        key: "loss" or "accuracy".
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(300, 170, **_MARGINS, label=f"Learning curves: {key}")
    grid_axes(ax, "epoch", key)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    for index, part, style in ((0, "train", "-"), (1, "inner", "--")):
        points = [(e["epoch"], e[f"{part}_{key}"]) for e in epochs if e.get(f"{part}_{key}") is not None]
        if points:
            xs, ys = zip(*points, strict=True)
            ax.plot(xs, ys, color=color(index), ls=style, lw=2, marker=".", label=part)
    ax.set_ylim(bottom=0, top=1.02 if key == "accuracy" else None)
    return ax


def _shade(ax: Axes, band: CurveBand | None, index: int) -> None:
    if band is not None:
        ax.fill_between(band.at, band.low, band.high, color=color(index), alpha=0.12, linewidth=0)


def _cross(ax: Axes, x: tuple[float, ...], y: tuple[float, ...], index: int) -> None:
    """Draw a point with its intervals in both directions; x and y hold value, low and high."""
    for xs, ys in (([x[1], x[2]], [y[0]] * 2), ([x[0]] * 2, [y[1], y[2]])):
        ax.plot(xs, ys, color=color(index), lw=1, alpha=0.8)
    ax.plot([x[0]], [y[0]], color=color(index), marker=marker(index), ms=7)


def _unit_square(ax: Axes, xlabel: str, ylabel: str, *, diagonal: bool = True) -> None:
    grid_axes(ax, xlabel, ylabel)
    # a little more than the square, whose edges would cut lines along them in half
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_xticks(_TENTHS)
    ax.set_yticks(_TENTHS)
    if diagonal:
        ax.plot([0, 1], [0, 1], color=color("muted"), linestyle="--", linewidth=1)


def _with_legend(ax: Axes, legend: bool, place: Place) -> Axes:
    if legend and ax.get_legend_handles_labels()[0]:
        for entry in ax.legend(loc=place, frameon=False, fontsize=10, labelcolor=color("ink")).get_texts():
            entry.set_parse_math(False)  # two dollar signs in a name make no formula
    return ax
