"""Figures with two numeric axes: ROC, calibration, net benefit, risk-coverage, learning and sample-size curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from headtohead.core.tables.comparison import RocCurve
from headtohead.core.tables.probability import CalibrationCurve, DecisionCurves, RiskCoverage
from headtohead.report.figures.style import (
    add_text,
    add_tooltip,
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
    "plot_risk_coverage",
    "plot_roc",
    "plot_size_curve",
]

_BASELINE = "majority"
_TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_MARGINS = {"left": 50.0, "right": 12.0, "top": 10.0, "bottom": 44.0}
_WORTH_SHOWING = (
    0.02  # of the largest net benefit; beyond the last threshold that reaches it nothing is drawn
)


def plot_roc(
    curves: Mapping[str, RocCurve],
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    points: Mapping[str, tuple[Any, Any]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot ROC curves by contender, with chance dashed.

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
            ax.plot(curve.false_positive_rate, curve.true_positive_rate, color=color(index), label=name, lw=2)
        if points and name in points and name in curves:
            right, found = points[name]
            across = ([1 - right.high, 1 - right.low], [found.value] * 2)
            for xs, ys in (across, ([1 - right.value] * 2, [found.low, found.high])):
                ax.plot(xs, ys, color=color(index), lw=1, alpha=0.8)
            ax.plot([1 - right.value], [found.value], color=color(index), marker=marker(index), ms=7)
    return _with_legend(ax, legend, "lower right")


def plot_calibration(
    curves: Mapping[str, CalibrationCurve],
    *,
    order: Sequence[str] | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Plot observed frequency against predicted probability, with bands; the diagonal is perfect calibration.

    Args:
        curves: contender -> curve, such as `verdict.details.calibration`.
        order: contenders; the colour follows the place in this list.
        legend: whether to name the contenders in the figure.
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(330, 330, **_MARGINS, label="Calibration curves")
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
    return _with_legend(ax, legend, "upper left")


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
    names = [name for name in ordered(curves.contenders, order) if name in curves.contenders]
    lines = {
        name: [math.nan if p.value is None else p.value for p in curves.contenders[name]] for name in names
    }
    own = [values for name, values in lines.items() if name != _BASELINE] or list(lines.values())
    lines |= {"treat all": list(curves.treat_all), "treat none": list(curves.treat_none)}
    top = max(0.001, *(v for values in lines.values() for v in values if math.isfinite(v)))
    xs, prevalence = curves.thresholds, curves.prevalence
    useful = [x for x, *values in zip(xs, *own, strict=True) if max(values) > _WORTH_SHOWING * top]
    end = min(max([*useful, 2 * prevalence]), max(0.2, 10 * prevalence), xs[-1])
    n = sum(x <= end for x in xs)
    ax = ax or new_axes(330, 250, **_MARGINS, label="Net benefit by threshold probability")
    grid_axes(ax, "threshold probability", "net benefit")
    colors = ordered(names, order)
    for name, values in lines.items():
        tone = color(colors.index(name)) if name in colors else color("muted")
        style = "-" if name in colors else "--" if name == "treat all" else ":"
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
    top = 0.01
    for index, name in enumerate(ordered(curves, order)):
        if name not in curves or name == _BASELINE:
            continue
        points = [(p.kept, p.risk.value) for p in curves[name].points if p.risk.value is not None]
        ax.plot([x for x, _ in points], [y for _, y in points], color=color(index), lw=2, label=name)
        top = max([top, *(y for _, y in points)])
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


def plot_size_curve(points: Sequence[tuple[int, float]], *, ax: Axes | None = None) -> Axes:
    """Plot the smallest AUROC difference that a study could show against its number of groups.

    Args:
        points: (number of groups, difference), by number of groups.
        ax: axes to draw on; new ones by default.
    """
    label = "Smallest AUROC difference that would be shown, by number of groups"
    ax = ax or new_axes(430, 200, **_MARGINS, label=label)
    grid_axes(ax, "groups", "AUROC difference")
    places, values = range(len(points)), [y for _, y in points]
    ax.plot(places, values, color=color(0), marker=marker(0), ms=7, lw=2)
    ax.set_xticks(list(places), [str(n) for n, _ in points])
    for x, y in zip(places, values, strict=True):
        add_text(ax, f"{y:.3f}", (x, y), offset=(6, 6), fontsize=11)
    ax.set_ylim(0, 1.15 * max(values))
    ax.set_xlim(-0.3, len(points) - 0.4)
    return ax


def _unit_square(ax: Axes, xlabel: str, ylabel: str) -> None:
    grid_axes(ax, xlabel, ylabel)
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_xticks(_TENTHS)
    ax.set_yticks(_TENTHS)
    ax.plot([0, 1], [0, 1], color=color("muted"), linestyle="--", linewidth=1)


def _with_legend(ax: Axes, legend: bool, place: Literal["lower right", "upper left", "upper right"]) -> Axes:
    if legend and ax.get_legend_handles_labels()[0]:
        for entry in ax.legend(loc=place, frameon=False, fontsize=10, labelcolor=color("ink")).get_texts():
            entry.set_parse_math(False)
    return ax
