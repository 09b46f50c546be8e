"""The figures of the report, each a pure function from records to inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.records import Comparison, Score
from headtohead.report.figures.svg import Axes, band, circle, colour, figure, line, path, rect, text

__all__ = ["calibration", "confusion", "curves", "differences", "forest", "learning", "roc"]

WIDTH = 440  # of figures with rows; fits a phone without shrinking the letters much
ROW, TALL = 44, 62
FITS = 40  # letters beside the figures of a difference
TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def forest(scores: Sequence[Score], order: Sequence[str], *, chance: float | None = None) -> str:
    """Return one metric of every contender as dots with intervals.

    Args:
        scores: scores of one metric.
        order: contender names; the colour follows the place in this list.
        chance: where a coin would stand, drawn dashed.
    """
    by_name = {score.contender: score for score in scores}
    rows = [(i, by_name[name]) for i, name in enumerate(order) if name in by_name]
    bounds = [b for _, s in rows for b in (s.low, s.high, s.value) if b is not None]
    bounds += [chance] if chance is not None else []
    low, high = _nice_range(bounds)
    frame = Axes(10, 8, WIDTH - 20, ROW * len(rows), (low, high))
    parts = _vertical_grid(frame, low, high)
    if chance is not None:
        x = frame.x(chance)
        parts.append(line(x, frame.top, x, frame.top + frame.height, stroke="var(--muted)", dash="4 3"))
    for place, (index, score) in enumerate(rows):
        y = frame.top + ROW * place + 30
        parts += _heading(y - 13, _short(score.contender, 38), _figures(score.value, score.low, score.high))
        said = f"{score.contender}: {score}"
        parts += _interval(frame, y, score.value, score.low, score.high, colour(index), said)
    height = frame.top + frame.height + 28
    return figure(WIDTH, height, parts, label=f"Scores with intervals: {_metric(scores)}")


def differences(comparisons: Sequence[Comparison]) -> str:
    """Return the paired differences with their intervals around zero."""
    rows = [c for c in comparisons if c.low is not None and c.high is not None]
    if not rows:
        return ""
    bounds = [b for c in rows for b in (c.low, c.high) if b is not None]
    reach = max(0.02, *(abs(b) for b in bounds)) * 1.1
    long = any(len(f"{one.a} − {one.b}") > FITS for one in rows)
    row = TALL if long else ROW  # a long pair has a line of its own, above its figures
    frame = Axes(10, 8, WIDTH - 20, row * len(rows), (-reach, reach))
    parts = _vertical_grid(frame, -reach, reach, signed=True)
    parts.append(line(frame.x(0), frame.top, frame.x(0), frame.top + frame.height, stroke="var(--ink)"))
    for place, one in enumerate(rows):
        y = frame.top + row * place + row - 14
        figures = _figures(one.difference, one.low, one.high, signed=True)
        if long:
            parts += _heading(y - 30, f"{_short(one.a, 28)} − {_short(one.b, 28)}", "")
        parts += _heading(y - 13, "" if long else f"{one.a} − {one.b}", figures)
        parts += _interval(frame, y, one.difference, one.low, one.high, "var(--accent)", one.sentence)
    return figure(WIDTH, frame.top + frame.height + 28, parts, label="Paired differences with intervals")


def roc(curves_by_name: Mapping[str, Mapping[str, Sequence[float]]], order: Sequence[str]) -> str:
    """Return ROC curves; each entry has `false_positive_rate` and `true_positive_rate` in [0, 1]."""
    frame = Axes(46, 28, 330, 330, (0, 1))
    parts = frame.axes(TENTHS, TENTHS, "1 − specificity", "sensitivity")
    parts.append(line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), stroke="var(--muted)", dash="4 3"))
    for index, name in enumerate(order):
        if name in curves_by_name:
            one = curves_by_name[name]
            points = frame.points(one["false_positive_rate"], one["true_positive_rate"])
            parts.append(path(points, stroke=colour(index)))
    return figure(390, 410, parts, label="ROC curves")


def calibration(bins_by_name: Mapping[str, Sequence[Mapping[str, Any]]], order: Sequence[str]) -> str:
    """Return calibration curves with bands.

    Args:
        bins_by_name: contender -> bins with `mean_probability` and `observed` (value, low, high).
    """
    frame = Axes(46, 28, 330, 330, (0, 1))
    parts = frame.axes(TENTHS, TENTHS, "predicted probability", "observed frequency")
    parts.append(line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), stroke="var(--muted)", dash="4 3"))
    for index, name in enumerate(order):
        bins = [b for b in bins_by_name.get(name, ()) if b["observed"]["value"] is not None]
        xs = [b["mean_probability"] for b in bins]
        seen = [b["observed"] for b in bins]
        if len(bins) > 1 and all(o["low"] is not None for o in seen):
            lower, upper = (frame.points(xs, [o[end] for o in seen]) for end in ("low", "high"))
            parts.append(band(lower, upper, fill=colour(index)))
        points = frame.points(xs, [o["value"] for o in seen])
        parts.append(path(points, stroke=colour(index)))
        for (x, y), one in zip(points, bins, strict=True):
            said = f"{name}: {one['n_groups']} groups"
            parts.append(circle(x, y, 3, fill=colour(index), title=said))
    return figure(390, 410, parts, label="Calibration curves")


def confusion(matrix: Sequence[Sequence[float]], classes: Sequence[str]) -> str:
    """Return a confusion matrix; rows are the truth, columns the answer, shaded by row share."""
    k = len(classes)
    side = 74 if k <= 3 else max(26, 260 // k)
    left, top = 96, 44
    parts = [text(left + side * k / 2, 14, "answer", anchor="middle", fill="var(--muted)", size=11)]
    for j, name in enumerate(classes):
        parts.append(text(left + side * (j + 0.5), 34, _short(name, 11), anchor="middle", size=11))
    for i, name in enumerate(classes):
        total = sum(matrix[i]) or 1
        parts.append(text(left - 8, top + side * (i + 0.5) + 4, _short(name, 13), anchor="end", size=11))
        for j in range(k):
            share = matrix[i][j] / total
            x, y = left + side * j, top + side * i
            tone = "var(--good)" if i == j else "var(--bad)"
            parts.append(
                rect(x + 1, y + 1, side - 2, side - 2, fill=tone, opacity=0.08 + 0.6 * share, radius=4)
            )
            parts.append(
                text(
                    x + side / 2,
                    y + side / 2 + 1,
                    _count(matrix[i][j]),
                    anchor="middle",
                    size=15 if k <= 3 else 11,
                    weight=600,
                )
            )
            if k <= 3:
                parts.append(
                    text(
                        x + side / 2,
                        y + side / 2 + 17,
                        f"{share:.0%}",
                        anchor="middle",
                        size=11,
                        fill="var(--muted)",
                    )
                )
    return figure(
        left + side * k + 10, top + side * k + 8, parts, label="Confusion matrix, rows truth, columns answer"
    )


def learning(epochs: Sequence[Mapping[str, Any]], key: str, title: str) -> str:
    """Return train (solid) and inner-validation (dashed) curves of one cell against the epoch.

    Args:
        key: "loss" or "accuracy".
    """
    xs = [float(e["epoch"]) for e in epochs]
    train = [float(e[f"train_{key}"]) for e in epochs]
    inner = [
        (float(e["epoch"]), float(e[f"inner_{key}"])) for e in epochs if e.get(f"inner_{key}") is not None
    ]
    high = 1.0 if key == "accuracy" else max([*train, *(v for _, v in inner), 0.1]) * 1.05
    frame = Axes(46, 28, 300, 160, (min(xs), max(max(xs), min(xs) + 1)), (0, high))
    ticks = TENTHS if key == "accuracy" else tuple(high * t for t in (0, 0.5, 1))
    parts = frame.axes([min(xs), max(xs)], [round(t, 2) for t in ticks], "epoch", title)
    parts.append(path(frame.points(xs, train), stroke=colour(0)))
    parts.append(path([(frame.x(a), frame.y(b)) for a, b in inner], stroke=colour(1), dash="5 3"))
    return figure(360, 240, parts, label=title)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    order: Sequence[str],
    floor: float | None = None,
) -> str:
    """Return a family of curves on common axes; names that are not in `order` are grey and dashed.

    Args:
        floor: curves are cut off there (one that falls without end would flatten the others).
    """
    ys = [y for _, values in lines.values() for y in values if math.isfinite(y)]
    xs = [x for given, _ in lines.values() for x in given]
    if not xs or not ys:
        return ""
    low = min(0.0, min(ys)) if floor is None else max(floor, min(0.0, min(ys)))
    high = max(*ys, low + 0.01) * 1.05
    frame = Axes(56, 28, 320, 250, (min(xs), max(xs)), (low, high))
    parts = frame.axes(_ticks(min(xs), max(xs)), _ticks(low, high), xlabel, ylabel)
    for name, (given, values) in lines.items():
        tone = colour(list(order).index(name)) if name in order else "var(--muted)"
        for run in _above(given, values, low):
            points = frame.points([x for x, _ in run], [y for _, y in run])
            parts.append(path(points, stroke=tone, dash="" if name in order else "4 3"))
    return figure(390, 330, parts, label=ylabel)


def _above(xs: Sequence[float], ys: Sequence[float], floor: float) -> list[list[tuple[float, float]]]:
    """Return the runs of a curve that lie above the floor, each cut where it crosses."""
    runs: list[list[tuple[float, float]]] = [[]]
    before: tuple[float, float] | None = None
    for x, y in zip(xs, ys, strict=True):
        here = (x, y) if math.isfinite(y) else None
        if here and before and (y < floor) != (before[1] < floor):
            share = (floor - before[1]) / (y - before[1])
            runs[-1].append((before[0] + share * (x - before[0]), floor))
        if here and y >= floor:
            runs[-1].append(here)
        else:
            runs.append([])
        before = here
    return [run for run in runs if run]


def _heading(y: float, name: str, figures: str) -> list[str]:
    """Return a row's name on the left and its figures on the right, above its interval; either may be empty."""
    left = [text(10, y, name, size=12.5)] if name else []
    right = [text(WIDTH - 10, y, figures, anchor="end", size=12, fill="var(--muted)")] if figures else []
    return [*left, *right]


def _interval(
    frame: Axes, y: float, value: float | None, low: float | None, high: float | None, tone: str, title: str
) -> list[str]:
    parts = []
    if low is not None and high is not None:
        parts.append(line(frame.x(low), y, frame.x(high), y, stroke=tone, width=3))
        parts += [line(frame.x(end), y - 5, frame.x(end), y + 5, stroke=tone, width=2) for end in (low, high)]
    if value is not None:
        parts.append(circle(frame.x(value), y, 5.5, fill=tone, title=title))
    return parts


def _vertical_grid(frame: Axes, low: float, high: float, *, signed: bool = False) -> list[str]:
    parts = []
    for tick in _ticks(low, high):
        x = frame.x(tick)
        parts.append(line(x, frame.top, x, frame.top + frame.height))
        words = f"{tick:+.3g}" if signed and tick else f"{tick:.3g}"
        parts.append(
            text(x, frame.top + frame.height + 18, words, anchor="middle", size=11, fill="var(--muted)")
        )
    return parts


def _ticks(low: float, high: float) -> list[float]:
    span = high - low
    step = next(
        s
        for s in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100, 1e4, 1e9)
        if span / s <= 7
    )
    first = math.ceil(low / step - 1e-9)
    return [round(step * i, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _nice_range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = max(0.02, (high - low) * 0.06)
    inside = low >= 0 and high <= 1
    return (max(0.0, low - pad), min(1.0, high + pad)) if inside else (low - pad, high + pad)


def _figures(value: float | None, low: float | None, high: float | None, *, signed: bool = False) -> str:
    if value is None or low is None or high is None:
        return "not defined"
    sign = "+" if signed else ""
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _metric(scores: Sequence[Score]) -> str:
    return scores[0].metric if scores else ""


def _count(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def _short(name: str, limit: int) -> str:
    """Return a name with its middle left out where it is too long; both ends tell contenders apart."""
    if len(name) <= limit:
        return name
    end = (limit - 1) // 2
    return f"{name[: limit - 1 - end]}…{name[-end:]}"
