"""Other figures: confusion matrix, rank diagram, and the waterfall of a reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import offset_copy

from headtohead.core.tables.comparison import ContenderRank, RankTable
from headtohead.report.figures.style import (
    add_text,
    add_tooltip,
    clear_frame,
    color,
    marker,
    new_axes,
    ordered,
    shorten,
)
from headtohead.report.tables.format import signed_digits

__all__ = ["RANK_NOTE", "plot_confusion", "plot_rank_diagram", "plot_waterfall"]

RANK_NOTE = (
    "Mean rank of each contender (1 is best) when the groups are resampled; in brackets the ranks of 95 % of the "
    "resamples. A bar joins contenders among whom the rule finds no pair better. Drawn after Demšar (2006); his "
    "test over folds is in the tables below: folds share training images, groups do not."
)
_FEW_CLASSES = 3  # up to here a cell has room for its percentage
_BAR, _ROW = 9, 36
_STEP = 46  # pixels from row to row
_ARMS = (("cnn", 0, -0.16), ("vit", 1, 0.16))


def plot_confusion(
    matrix: Sequence[Sequence[float]], classes: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Plot a confusion matrix, truth in rows and prediction in columns, shaded by the share of the row.

    Args:
        matrix: (k, k) counts, or their means over repeats. classes: k names.
        ax: axes to draw on; new ones by default.
    """
    k = len(classes)
    side = 78 if k <= _FEW_CLASSES else max(28, 270 // k)
    ax = ax or new_axes(
        side * k, side * k, left=100, top=44, bottom=8, label="Confusion matrix, rows truth, columns prediction"
    )  # fmt: skip
    clear_frame(ax)
    ax.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), xticks=[], yticks=[])
    across, down = ax.get_xaxis_transform(), ax.get_yaxis_transform()
    add_text(ax, "prediction", (0.5, 1), coords="axes fraction", offset=(0, 26), ha="center", fontsize=11,
             color=color("muted"))  # fmt: skip
    for i, name in enumerate(classes):
        add_text(ax, shorten(name, 11), (i, 1), coords=across, offset=(0, 8), ha="center", fontsize=11)
        beside = {"coords": down, "offset": (-8, 0), "ha": "right", "va": "center", "fontsize": 11}
        add_text(ax, shorten(name, 13), (0, i), **beside)
        total = sum(matrix[i]) or 1  # a class may have no images
        for j in range(k):
            _cell(ax, i, j, matrix[i][j], matrix[i][j] / total, with_share=k <= _FEW_CLASSES)
    return ax


def _cell(ax: Axes, row: int, column: int, count: float, share: float, *, with_share: bool) -> None:
    tone = color("good") if row == column else color("bad")
    box = FancyBboxPatch((column - 0.46, row - 0.46), 0.92, 0.92, boxstyle="round,pad=0,rounding_size=0.05",
                         facecolor=tone, edgecolor="none", alpha=0.08 + 0.45 * share)  # fmt: skip
    ax.add_patch(box)
    # means over repeats may be no whole numbers
    words = f"{count:.0f}" if abs(count - round(count)) < 0.05 else f"{count:.1f}"
    size = 15 if with_share else 11
    add_text(ax, words, (column, row), ha="center", va="center", fontsize=size, weight="bold")
    if with_share:
        add_text(ax, f"{share:.0%}", (column, row), offset=(0, -22), ha="center", fontsize=11)


def plot_rank_diagram(
    ranks: RankTable, *, order: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes | None:
    """Plot mean ranks under resampling of groups, joined where no pair differs (after Demšar 2006).

    Args:
        ranks: such as `verdict.details.ranks`.
        order: contenders; the colour follows the place in this list.
        ax: axes to draw on; new ones by default.

    Returns:
        The axes, or None where fewer than three contenders have a rank.
    """
    placed = {name: r for name, r in ranks.contenders.items() if r.mean_rank is not None}
    if len(placed) < 3:
        return None
    names = sorted(placed, key=lambda name: (placed[name].mean_rank, name))
    colors = ordered(ranks.contenders, order)
    cliques = [[name for name in clique if name in placed] for clique in ranks.cliques]
    half, first = (len(names) + 1) // 2, 40 + _BAR * len(cliques)
    height = first + _ROW * half - 4
    label = "Mean ranks under resampling of groups"
    ax = ax or new_axes(220, height, left=200, right=200, top=30, bottom=2, label=label)
    clear_frame(ax)
    ax.set(xlim=(1, len(names)), ylim=(height, 0), yticks=[])
    ax.xaxis.tick_top()
    ax.set_xticks(range(1, len(names) + 1, max(1, len(names) // 8)))
    ax.plot([1, len(names)], [0, 0], color=color("ink"), linewidth=1.5, clip_on=False)
    for place, clique in enumerate(cliques):
        at = [float(placed[name].mean_rank or 0) for name in clique]
        y = 14 + _BAR * place
        ax.plot([min(at), max(at)], [y, y], color=color("ink"), linewidth=4, clip_on=False, gid="clique")
    # The worst stands on top of the right column, so that no lines cross.
    for left, members in ((True, names[:half]), (False, names[: half - 1 : -1])):
        for row, name in enumerate(members):
            tone = color(colors.index(name)) if name in colors else color("muted")
            _rank_label(ax, name, placed[name], first + _ROW * row, left=left, tone=tone)
    return ax


def _rank_label(ax: Axes, name: str, rank: ContenderRank, y: float, *, left: bool, tone: str) -> None:
    """Draw a line from the axis down to the row and out to the name, with the rank below the name."""
    x, edge = float(rank.mean_rank or 0), 0.0 if left else 1.0
    words = f"{rank.mean_rank:.2f} ({rank.low:.0f} to {rank.high:.0f})"
    ax.plot([x, x, ax.get_xlim()[int(edge)]], [0, y, y], color=tone, linewidth=1.5, clip_on=False)
    dot = ax.plot([x], [0], marker="o", color=tone, markersize=8, linestyle="none", clip_on=False)[0]
    add_tooltip(dot, f"{name}: mean rank {words}")
    beside = {"coords": ax.get_yaxis_transform(), "ha": "right" if left else "left"}
    shift = -10 if left else 10
    add_text(ax, shorten(name, 28), (edge, y), offset=(shift, -4), fontsize=12.5, **beside)
    add_text(ax, words, (edge, y), offset=(shift, -18), fontsize=11, color=color("muted"), **beside)


def plot_waterfall(summary: Mapping[str, Any], *, ax: Axes | None = None) -> Axes:
    """Plot the accuracy of both networks as published and after each correction.

    Args:
        summary: the content of `reproduce.json`.
        ax: axes to draw on; new ones by default.
    """
    published = {"name": "published", **summary["published"], "difference": None}
    rows = [published, *summary["steps"]]
    label = f"{summary['title']}: accuracy of both networks after each correction"
    ax = ax or new_axes(400, _STEP * len(rows), left=220, right=190, top=36, bottom=40, label=label)
    low = min(row[arm]["low"] for row in rows for arm, _, _ in _ARMS)
    clear_frame(ax)
    ax.set(xlim=(max(0.0, int(10 * (low - 0.02)) / 10), 1.0), ylim=(len(rows) - 0.5, -0.5), yticks=[])
    ax.grid(visible=True, axis="x", color=color("line"), linewidth=1)
    ax.set_xlabel("accuracy", color=color("muted"), fontsize=12)
    sides = ax.get_yaxis_transform()
    for y, row in enumerate(rows):
        beside = {"coords": sides, "offset": (-14, 0), "ha": "right", "va": "center"}
        add_text(ax, row["name"], (0, y), weight="bold" if y else "normal", **beside)
        words, gap = "on different images", row["difference"]
        if gap is not None:
            words = "{} [{}, {}]".format(*(signed_digits(gap[key]) for key in ("value", "low", "high")))
        add_text(ax, words, (1, y), coords=sides, offset=(14, 0), va="center")
        for arm, index, shift in _ARMS:
            _arm(ax, y + shift, row[arm], index)
    for arm, index, shift in _ARMS:
        for y in range(1, len(rows) - 1):  # the published accuracies are of other images
            values = [rows[y][arm]["value"], rows[y + 1][arm]["value"]]
            ax.plot(values, [y + shift, y + 1 + shift], color=color(index), linewidth=1, linestyle="--")
    _waterfall_head(ax, summary["networks"])
    return ax


def _arm(ax: Axes, y: float, part: Mapping[str, float], index: int) -> None:
    ax.plot([part["low"], part["high"]], [y, y], color=color(index), linewidth=2)
    dot = ax.plot([part["value"]], [y], color=color(index), marker=marker(index), markersize=8, ls="none")[0]
    add_tooltip(dot, f"{part['value']:.3f} [{part['low']:.3f}, {part['high']:.3f}]")


def _waterfall_head(ax: Axes, networks: Mapping[str, str]) -> None:
    for (arm, index, _), x in zip(_ARMS, (0.0, 0.5), strict=True):
        above = {"coords": "axes fraction", "offset": (12, 14)}
        add_text(ax, networks[arm], (x, 1), **above)
        beside = offset_copy(ax.transAxes, fig=ax.get_figure(root=True), x=4, y=18, units="points")
        ax.plot([x], [1], marker=marker(index), color=color(index), ms=8, transform=beside, clip_on=False)
    right = {"coords": "axes fraction", "offset": (14, 14), "color": color("muted")}
    add_text(ax, "transformer − CNN", (1, 1), **right)
