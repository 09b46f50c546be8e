"""Figures of the first screen and of the data: the paired difference as one wide strip, and a map of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from headtohead.report.figures.intervals import row_axes
from headtohead.report.figures.style import add_text, clear_frame, color, marker, new_axes, shorten
from headtohead.report.tables.direction import metric_sign

__all__ = ["plot_feature_map", "plot_strip"]

_WIDE, _TALL = 760, 74
_NARROW = 330  # fits a phone without shrinking the letters; both names then stand on lines of their own
_LEAST = 0.02  # half-width of the axis at least, so that a tiny interval is not blown up


def plot_strip(
    comparison: Any, *, rope: float | None = None, narrow: bool = False, ax: Axes | None = None
) -> Axes:
    """Plot one paired difference on its own axis, with what each side favours.

    Args:
        comparison: a record with a, b, metric, difference, low and high; the interval is defined.
        rope: half-width of the region of practical equivalence, shaded.
        narrow: for a phone.
        ax: axes to draw on; new ones by default.
    """
    label = f"Difference of {comparison.a} and {comparison.b} with its interval"
    width, letters, above = (_NARROW, 30, 20) if narrow else (_WIDE, 38, 0)
    ax = ax or new_axes(width, _TALL, left=14, right=14, top=26 + above, bottom=30, label=label)
    reach = 1.15 * max(_LEAST, rope or 0, abs(comparison.low), abs(comparison.high))
    row_axes(ax, 1, (-reach, reach), signed=True)
    ax.set_ylim(1, -1)
    if rope is not None:
        ax.axvspan(-rope, rope, facecolor=color("shade"), edgecolor=color("line"), zorder=0)
    ax.axvline(0, color=color("ink"), linewidth=1.2)
    ax.plot(
        [comparison.low, comparison.high], [0, 0], color=color("accent"), linewidth=6, solid_capstyle="butt"
    )
    ax.plot([comparison.difference], [0], color=color("accent"), marker="o", markersize=14)
    sides = {"coords": "axes fraction", "color": color("muted"), "fontsize": 13}
    # Where less is better, a negative difference favours the first.
    left, right = (comparison.b, comparison.a)[:: metric_sign(comparison.metric)]
    add_text(ax, f"◄ favours {shorten(left, letters)}", (0, 1), offset=(0, 8 + above), **sides)
    add_text(ax, f"favours {shorten(right, letters)} ►", (1, 1), offset=(0, 8), ha="right", **sides)
    return ax


def plot_feature_map(
    points: Sequence[tuple[float, float, int]],
    wrong: Sequence[bool],
    classes: Sequence[str],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Plot images by two features, colour and shape by class, errors ringed.

    Args:
        points: (x, y, class number) of each image. wrong: which of them are errors. classes: names.
        ax: axes to draw on; new ones by default.
    """
    ax = ax or new_axes(
        330, 260, left=20, right=10, top=10, bottom=26, label="Map of the features, by class; errors ringed"
    )
    clear_frame(ax)
    ax.set_xticks([])
    ax.set_yticks([])
    for number, name in enumerate(classes):
        own = [(x, y) for x, y, k in points if k == number]
        if own:
            xs, ys = zip(*own, strict=True)
            ax.plot(
                xs,
                ys,
                color=color(number),
                linestyle="none",
                marker=marker(number),
                ms=5,
                alpha=0.75,
                label=name,
            )
    ringed = [(x, y) for (x, y, _), bad in zip(points, wrong, strict=True) if bad]
    if ringed:
        xs, ys = zip(*ringed, strict=True)
        ax.plot(
            xs,
            ys,
            color=color("ink"),
            linestyle="none",
            marker="o",
            ms=10,
            mfc="none",
            mew=1.3,
            label="error",
        )
    for entry in ax.legend(loc="best", frameon=False, fontsize=10, labelcolor=color("ink")).get_texts():
        entry.set_parse_math(False)
    ax.set_xlabel("first component", color=color("muted"), fontsize=11)
    ax.set_ylabel("second", color=color("muted"), fontsize=11)
    return ax
