"""Many contenders on one line: mean ranks when groups are resampled, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.report.figures.svg import Axes, circle, colour, figure, line, text

__all__ = ["NOTE", "critical_difference"]

NOTE = (
    "Mean rank of each contender (1 is best) when the groups are resampled; in brackets the ranks of 95 % of the "
    "resamples. A bar joins contenders of whom the rule above tells no pair apart. Drawn after Demšar 2006; his test "
    "over folds is in the tables below: folds share training images, groups do not."
)
WIDTH, LEFT, PLOT = 600.0, 190.0, 220.0
AXIS, BAR, ROW = 30.0, 9.0, 36.0
LONGEST = 26


def critical_difference(details: Mapping[str, Any], order: Sequence[str]) -> str:
    """Return the figure as SVG, or "" for fewer than three contenders.

    Args:
        details: of a verdict, with `ranks`: per contender mean_rank, low and high, and the cliques.
        order: contender names; the colour follows the place in this list.
    """
    found = details.get("ranks") or {}
    ranks = {n: r for n, r in (found.get("contenders") or {}).items() if r.get("mean_rank") is not None}
    if len(ranks) < 3:
        return ""
    names = sorted(ranks, key=lambda name: (ranks[name]["mean_rank"], name))
    frame = Axes(LEFT, AXIS, PLOT, 0, (1.0, float(len(names))))
    cliques = [[n for n in clique if n in ranks] for clique in found.get("cliques") or ()]
    top = AXIS + 18 + BAR * len(cliques) + 22
    half = (len(names) + 1) // 2
    parts = [*_axis(frame, len(names)), *_bars(frame, cliques, ranks)]
    for side, members in (("left", names[:half]), ("right", names[: half - 1 : -1])):
        for row, name in enumerate(members):
            tone = colour(list(order).index(name)) if name in order else "var(--muted)"
            parts += _label(frame, name, ranks[name], top + ROW * row, side, tone)
    return figure(WIDTH, top + ROW * half - 10, parts, label="Mean ranks under resampling of groups")


def _axis(frame: Axes, n: int) -> list[str]:
    parts = [line(frame.x(1), AXIS, frame.x(n), AXIS, stroke="var(--ink)", width=1.5)]
    step = max(1, n // 8)
    for tick in range(1, n + 1, step):
        x = frame.x(tick)
        parts.append(line(x, AXIS - 5, x, AXIS, stroke="var(--ink)", width=1.5))
        parts.append(text(x, AXIS - 10, str(tick), anchor="middle", size=11, fill="var(--muted)"))
    parts.append(text(LEFT - 14, AXIS + 4, "best", anchor="end", size=11, fill="var(--muted)"))
    parts.append(text(LEFT + PLOT + 14, AXIS + 4, "worst", size=11, fill="var(--muted)"))
    return parts


def _bars(frame: Axes, cliques: Sequence[Sequence[str]], ranks: Mapping[str, Any]) -> list[str]:
    parts = []
    for place, clique in enumerate(cliques):
        at = [frame.x(ranks[name]["mean_rank"]) for name in clique]
        y = AXIS + 14 + BAR * place
        parts.append(line(min(at) - 5, y, max(at) + 5, y, stroke="var(--ink)", width=4))
    return parts


def _label(frame: Axes, name: str, rank: Mapping[str, Any], y: float, side: str, tone: str) -> list[str]:
    """Return a line from the axis down to the row and out to the name, with the rank below the name."""
    x, edge = frame.x(rank["mean_rank"]), LEFT - 10 if side == "left" else LEFT + PLOT + 10
    anchor, at = ("end", edge - 6) if side == "left" else ("start", edge + 6)
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    figures = f"{rank['mean_rank']:.2f} ({rank['low']:.0f} to {rank['high']:.0f})"
    return [
        line(x, AXIS, x, y, stroke=tone, width=1.5),
        line(x, y, edge, y, stroke=tone, width=1.5),
        circle(x, AXIS, 4.5, fill=tone, title=f"{name}: mean rank {figures}"),
        text(at, y + 4, short, anchor=anchor, size=12.5),
        text(at, y + 18, figures, anchor=anchor, size=11, fill="var(--muted)"),
    ]
