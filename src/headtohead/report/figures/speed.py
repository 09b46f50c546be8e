"""The figure of `headtohead bench`: how much of the machine's ceiling each network reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from headtohead.report.figures.style import clear_frame, color, new_axes

__all__ = ["plot_speed"]

_ROW = 34  # points of a network
_BAR = 0.34  # of a row, for one arithmetic


def plot_speed(backbones: Sequence[Mapping[str, Any]]) -> Axes:
    """Draw a bar for each network and arithmetic: its share of the ceiling, with images per second next to it.

    Args:
        backbones: lines of `bench.json`.
    """
    kinds = list(dict.fromkeys(kind for line in backbones for kind in line["rates"]))
    label = "Share of the machine's matrix-product ceiling that each network reaches"
    ax = new_axes(360, _ROW * len(backbones), left=180, right=90, top=30, bottom=34, label=label)
    clear_frame(ax)
    for row, line in enumerate(backbones):
        for place, (kind, rate) in enumerate(line["rates"].items()):
            at = row + (place - (len(line["rates"]) - 1) / 2) * _BAR
            share = 100 * rate["share_of_ceiling"]
            series = kinds.index(kind)
            ax.barh(at, share, height=_BAR * 0.9, color=color(series), label=kind if row == 0 else None)
            told = f" {rate['images_per_second']:.3g}/s"
            ax.text(share, at, told, va="center", fontsize=10, color=color("ink"))
    ax.set_yticks(range(len(backbones)), [str(line["name"]) for line in backbones])
    ax.set_ylim(len(backbones) - 0.5, -0.5)
    ax.set_xlim(
        0, max(100.0, *(100 * r["share_of_ceiling"] for line in backbones for r in line["rates"].values()))
    )
    ax.set_xlabel(
        "% of the ceiling (large matrix product in the same arithmetic)", color=color("muted"), fontsize=12
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=max(1, len(kinds)), frameon=False, fontsize=11)
    return ax
