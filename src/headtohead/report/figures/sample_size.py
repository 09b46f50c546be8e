"""Figures of scores over what they cost: number of groups, training groups, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from headtohead.report.figures.style import add_text, add_tooltip, color, grid_axes, marker, new_axes, ordered

__all__ = ["plot_cost", "plot_group_curve", "plot_size_curve"]

_MARGINS = {"left": 50.0, "right": 12.0, "top": 10.0, "bottom": 44.0}
_APART = 0.012  # of the width, between the bars of two contenders at one size


def plot_size_curve(points: Sequence[tuple[int, float]], *, ax: Axes | None = None) -> Axes:
    """Plot the smallest AUROC difference that a study could show against its number of groups.

    Args:
        points: (number of groups, difference), by number of groups.
        ax: axes to draw on; new ones by default.
    """
    label = "Smallest AUROC difference that would be shown, by number of groups"
    ax = ax or new_axes(430, 200, **_MARGINS, label=label)
    grid_axes(ax, "groups", "AUROC difference")
    # by place, since the small numbers of groups would lie on one another
    places, values = range(len(points)), [y for _, y in points]
    ax.plot(places, values, color=color(0), marker=marker(0), ms=7, lw=2)
    ax.set_xticks(list(places), [str(n) for n, _ in points])
    for x, y in zip(places, values, strict=True):
        add_text(ax, f"{y:.3f}", (x, y), offset=(6, 6), fontsize=11)
    ax.set_ylim(0, 1.15 * max(values))
    ax.set_xlim(-0.3, len(points) - 0.4)
    return ax


def plot_group_curve(
    content: Mapping[str, Any], *, order: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the score of each probe against its number of training groups, and what a power law leads to, dashed.

    Args:
        content: of `learning_curve.json`.
        order: contenders; the colour follows the place in this list.
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(430, 260, **_MARGINS, label="Score by number of training groups")
    grid_axes(ax, "training groups", str(content["title"]))
    points = [point for point in content["points"] if point["value"] is not None]
    names = list(dict.fromkeys(point["contender"] for point in points))
    ahead = {row["contender"]: row for row in content["extrapolation"]}
    widest = max([*(p["groups"] for p in points), *(row["groups"] for row in ahead.values())], default=1)
    listed = ordered(names, order)
    for place, name in enumerate(names):
        index = listed.index(name)
        own = [point for point in points if point["contender"] == name]
        shift = (place - (len(names) - 1) / 2) * _APART * widest
        xs, ys = [point["groups"] + shift for point in own], [point["value"] for point in own]
        ax.plot(xs, ys, color=color(index), lw=2, label=name)
        for x, point in zip(xs, own, strict=True):
            _bar(ax, x, point, index, filled=True)
        if name in ahead:
            x = ahead[name]["groups"] + shift
            ax.plot([xs[-1], x], [ys[-1], ahead[name]["value"]], color=color(index), ls="--", lw=1.5)
            _bar(ax, x, ahead[name], index, filled=False)
    ax.set_xlim(0, 1.05 * widest)
    return ax


def _bar(ax: Axes, x: float, point: Mapping[str, Any], index: int, *, filled: bool) -> None:
    """Draw one score with its interval; an extrapolated one is hollow."""
    if point["low"] is not None:
        ax.plot([x, x], [point["low"], point["high"]], color=color(index), lw=1, alpha=0.7)
    face = color(index) if filled else color("card")
    dot = ax.plot([x], [point["value"]], color=color(index), marker=marker(index), ms=6, mfc=face)[0]
    words = "" if point["low"] is None else f" [{point['low']:.3f}, {point['high']:.3f}]"
    size = point["groups"] if isinstance(point["groups"], str) else f"{point['groups']} groups"
    add_tooltip(dot, f"{point['contender']}, {size}: {point['value']:.3f}{words}")


def plot_cost(
    known: Mapping[str, tuple[float, Any]],
    *,
    order: Sequence[str] | None = None,
    metric: str = "score",
    ax: Axes | None = None,
) -> Axes:
    """Plot the score of each contender with its interval against the time of its fitting.

    Args:
        known: contender -> (seconds, score with value, low and high).
        order: contenders; the colour follows the place in this list.
        metric: title of the vertical axis. ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(430, 260, **_MARGINS, label=f"{metric} against time of fitting")
    grid_axes(ax, "seconds of fitting", metric.partition(" (")[0])
    ax.set_xscale("log")
    listed = ordered(known, order)
    for name, (seconds, score) in known.items():
        index = listed.index(name)
        point = {"contender": name, "groups": f"{seconds:.1f} s", "value": score.value, "low": score.low}
        _bar(ax, seconds, {**point, "high": score.high}, index, filled=True)
    ends = [seconds for seconds, _ in known.values()]
    ax.set_xlim(min(ends) / 2, 2 * max(ends))
    ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    return ax
