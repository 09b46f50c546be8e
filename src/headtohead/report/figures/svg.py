"""Small building blocks for figures as inline SVG: they follow the page's colours and print sharply.

Colours are CSS variables of the page (`--ink`, `--muted`, `--line`, `--s0` … `--s7`), so one figure
serves the light and the dark scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["N_SERIES", "Axes", "band", "circle", "colour", "figure", "line", "path", "rect", "text"]

N_SERIES = 8


def colour(index: int) -> str:
    """Return the CSS colour of the i-th series; the palette repeats after eight."""
    return f"var(--s{index % N_SERIES})"


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: float = 12,
    fill: str = "var(--ink)",
    weight: int = 400,
) -> str:
    """Return a line of text; `anchor` is start, middle or end."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    stroke: str = "var(--line)",
    width: float = 1,
    dash: str = "",
) -> str:
    """Return a straight line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{stroke}" stroke-width="{width}"{dashes}/>'


def rect(
    x: float,
    y: float,
    w: float,
    h: float,
    *,
    fill: str,
    opacity: float = 1,
    title: str = "",
    radius: float = 0,
) -> str:
    """Return a filled rectangle; `title` shows on hover."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" height="{max(h, 0):.1f}" rx="{radius}" '
        f'fill="{fill}" fill-opacity="{opacity:.3f}">{inside}</rect>'
    )


def circle(x: float, y: float, r: float, *, fill: str, title: str = "") -> str:
    """Return a dot; `title` shows on hover."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{fill}">{inside}</circle>'


def path(points: Sequence[tuple[float, float]], *, stroke: str, width: float = 2, dash: str = "") -> str:
    """Return a polyline through points in figure units."""
    if not points:
        return ""
    d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width}" stroke-linejoin="round"{dashes}/>'


def band(lower: Sequence[tuple[float, float]], upper: Sequence[tuple[float, float]], *, fill: str) -> str:
    """Return the area between two polylines, faintly filled."""
    points = [*lower, *reversed(upper)]
    d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + "Z"
    return f'<path d="{d}" fill="{fill}" fill-opacity="0.15" stroke="none"/>'


def figure(width: float, height: float, parts: Sequence[str], *, label: str) -> str:
    """Return a whole figure that scales with the page; `label` is read aloud by a screen reader."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'preserveAspectRatio="xMinYMin meet" style="max-width:{width:.0f}px">{"".join(parts)}</svg>'
    )


class Axes:
    """A plotting area with linear axes from (x0, y0) to (x1, y1) in data units.

    Args:
        left, top, width, height: the area in figure units.
        x, y: data ranges (low, high); y grows upwards.
    """

    def __init__(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        x: tuple[float, float],
        y: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.left, self.top, self.width, self.height = left, top, width, height
        self.x_range, self.y_range = x, y

    def x(self, value: float) -> float:
        """Return where a value lies from left to right."""
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * self.width

    def y(self, value: float) -> float:
        """Return where a value lies from top to bottom."""
        low, high = self.y_range
        return self.top + self.height - (value - low) / (high - low) * self.height

    def points(self, xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
        """Return data points in figure units."""
        return [(self.x(a), self.y(b)) for a, b in zip(xs, ys, strict=True)]

    def axes(self, xticks: Sequence[float], yticks: Sequence[float], xlabel: str, ylabel: str) -> list[str]:
        """Return grid lines, tick labels and axis titles."""
        bottom, right = self.top + self.height, self.left + self.width
        parts = []
        for tick in xticks:
            parts.append(line(self.x(tick), self.top, self.x(tick), bottom))
            parts.append(
                text(self.x(tick), bottom + 16, f"{tick:g}", anchor="middle", size=11, fill="var(--muted)")
            )
        for tick in yticks:
            parts.append(line(self.left, self.y(tick), right, self.y(tick)))
            parts.append(
                text(self.left - 6, self.y(tick) + 4, f"{tick:g}", anchor="end", size=11, fill="var(--muted)")
            )
        parts.append(
            text(self.left + self.width / 2, bottom + 34, xlabel, anchor="middle", fill="var(--muted)")
        )
        parts.append(text(self.left, self.top - 10, ylabel, fill="var(--muted)"))
        return parts
