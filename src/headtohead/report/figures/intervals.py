"""Figures of estimates with intervals, one row each: scores, paired differences, shortcut classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from headtohead.report.figures.style import (
    add_text,
    add_tooltip,
    clear_frame,
    color,
    marker,
    new_axes,
    ordered,
    rows_of,
    shorten,
)
from headtohead.report.tables.format import digits, signed_digits

__all__ = ["plot_differences", "plot_scores", "plot_shortcuts", "row_axes"]

_WIDTH = 420  # fits a phone without shrinking the letters much
_ROW, _TALL = 44, 62
_LONG = 38  # letters of a pair that fit beside its figures


def plot_scores(
    scores: Any, *, order: Sequence[str] | None = None, chance: float | None = None, ax: Axes | None = None
) -> Axes:
    """Plot one metric of every contender as dots with intervals.

    Args:
        scores: DataFrame or records with contender, metric, value, low and high, of one metric.
        order: contenders from top to bottom; the colour follows the place in this list.
        chance: value of a random answer, drawn dashed.
        ax: axes to draw on; new ones by default.
    """
    rows = rows_of(scores)
    names = ordered([row["contender"] for row in rows], order)
    by_name = {row["contender"]: row for row in rows}
    places = [(i, by_name[name]) for i, name in enumerate(names) if name in by_name]
    metric = rows[0].get("metric", "") if rows else ""
    ax = ax or new_axes(_WIDTH, _ROW * max(1, len(places)), label=f"Scores with intervals: {metric}")
    ends = [row[end] for _, row in places for end in ("low", "high", "value") if row[end] is not None]
    row_axes(ax, len(places), _padded([*ends, *([] if chance is None else [chance])]))
    for y, (index, row) in enumerate(places):
        if chance is not None:
            ax.plot([chance] * 2, [y - 0.2, y + 0.2], color=color("muted"), linestyle="--", linewidth=1)
        words = _estimate(row["value"], row["low"], row["high"])
        _headings(ax, y, shorten(row["contender"], _LONG), words)
        _interval(ax, y, row, row["value"], index, f"{row['contender']}: {words}")
    return ax


def plot_differences(comparisons: Any, *, rope: float | None = None, ax: Axes | None = None) -> Axes:
    """Plot paired differences (first contender minus second) with their intervals around zero.

    Args:
        comparisons: DataFrame or records with a, b, metric, difference, low and high; rows without
            an interval are left out.
        rope: half-width of the region of practical equivalence, shaded.
        ax: axes to draw on; new ones by default.
    """
    rows = [r for r in rows_of(comparisons) if r["low"] is not None and r["high"] is not None]
    long = any(len(f"{row['a']} − {row['b']}") > _LONG for row in rows)
    height = (_TALL if long else _ROW) * max(1, len(rows))
    ax = ax or new_axes(_WIDTH, height, bottom=46, label="Paired differences with intervals")
    # At least 0.02, so that tiny intervals are not blown up.
    reach = 1.1 * max(0.02, rope or 0, *(abs(row[end]) for row in rows for end in ("low", "high")))
    row_axes(ax, len(rows), (-reach, reach), signed=True)
    ax.set_xlabel("difference, first − second", color=color("muted"), fontsize=11)
    if rope is not None:
        ax.axvspan(-rope, rope, facecolor=color("shade"), edgecolor="none", zorder=0)
    for y, row in enumerate(rows):
        ax.plot([0, 0], [y - 0.16, y + 0.2], color=color("ink"), linewidth=1)
        words = _estimate(row["difference"], row["low"], row["high"], signed=True)
        pair = f"{shorten(row['a'], 28)} − {shorten(row['b'], 28)}"
        _headings(ax, y, pair, words, below=long)
        _interval(ax, y, row, row["difference"], None, row.get("sentence") or f"{pair}: {words}")
    return ax


def plot_shortcuts(
    probes: Sequence[Mapping[str, Any]], *, best: float | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the AUROC of classifiers that never see the organ.

    Args:
        probes: name, value, low and high of each, in [0, 1].
        best: AUROC of the best contender, drawn as a line.
        ax: axes to draw on; new ones by default.
    """
    label = "AUROC of classifiers that never see the organ"
    ax = ax or new_axes(390, 36 * len(probes), left=130, right=140, label=label)
    low = min([0.3, *(float(probe["low"]) for probe in probes)])
    row_axes(ax, len(probes), (low, 1.0))
    ax.axvline(0.5, color=color("muted"), linestyle="--", linewidth=1)
    if best is not None:
        ax.axvline(best, color=color("good"), linewidth=2)
    sides = ax.get_yaxis_transform()
    for y, probe in enumerate(probes):
        words = f"{probe['value']:.2f} [{probe['low']:.2f}, {probe['high']:.2f}]"
        add_text(ax, probe["name"], (0, y), coords=sides, offset=(-10, 0), ha="right", va="center")
        add_text(ax, words, (1, y), coords=sides, offset=(12, 0), va="center")
        _interval(ax, y, probe, probe["value"], y, f"{probe['name']}: {words}")
    return ax


def row_axes(ax: Axes, n_rows: int, x_range: tuple[float, float], *, signed: bool = False) -> None:
    """Set the axes up for rows from top to bottom, with a grid of vertical lines."""
    clear_frame(ax)
    ax.set_xlim(*x_range)
    ax.set_ylim(max(n_rows, 1) - 0.68, -0.68)  # the text of a row stands above its interval
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    words = (
        # the tick at zero may be off by rounding
        (lambda x, _: f"{x:+.3g}".replace("-", "−") if round(x, 9) else "0")
        if signed
        else (lambda x, _: f"{x:.3g}")
    )
    ax.xaxis.set_major_formatter(FuncFormatter(words))
    ax.grid(visible=True, axis="x", color=color("line"), linewidth=1)


def _headings(ax: Axes, y: float, name: str, figures: str, *, below: bool = False) -> None:
    """Write a row's name on the left and its figures on the right, above its interval (or one below the other)."""
    sides = ax.get_yaxis_transform()
    add_text(ax, name, (0, y), coords=sides, offset=(0, 28 if below else 12), fontsize=12.5)
    right = {"coords": sides, "offset": (0, 12), "ha": "right", "color": color("muted")}
    add_text(ax, figures, (1, y), **right)


def _interval(
    ax: Axes, y: float, row: Mapping[str, Any], value: float | None, index: int | None, tooltip: str
) -> None:
    tone = color("accent") if index is None else color(index)
    low, high = row["low"], row["high"]
    if low is not None and high is not None:
        ax.plot([low, high], [y, y], color=tone, linewidth=3, solid_capstyle="butt")
        ax.plot([low, high], [y, y], color=tone, linestyle="none", marker="|", markersize=10, mew=2)
    if value is not None:
        shape = "o" if index is None else marker(index)
        dot = ax.plot([value], [y], color=tone, linestyle="none", marker=shape, markersize=9)[0]
        add_tooltip(dot, tooltip)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = max(0.02, (high - low) * 0.06)
    inside = low >= 0 and high <= 1  # no axis beyond what a rate can be
    return (max(0.0, low - pad), min(1.0, high + pad)) if inside else (low - pad, high + pad)


def _estimate(value: float | None, low: float | None, high: float | None, *, signed: bool = False) -> str:
    if value is None or low is None or high is None:
        return "not defined"
    told = signed_digits if signed else digits
    return f"{told(value)} [{told(low)}, {told(high)}]"
