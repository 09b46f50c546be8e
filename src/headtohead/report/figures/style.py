"""Style of all figures: palette, sizes, and SVG output that follows the colours of the page.

Figures are drawn with matplotlib objects (no pyplot, no global state) in the light palette. `to_svg` replaces each
colour of the palette by a CSS variable with that colour as fallback, so one figure serves both colour schemes.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from headtohead.report.figures.palette import LIGHT, N_SERIES

__all__ = [
    "MARKERS",
    "SvgFigure",
    "add_text",
    "add_tooltip",
    "clear_frame",
    "color",
    "grid_axes",
    "marker",
    "new_axes",
    "ordered",
    "rows_of",
    "shorten",
    "to_svg",
]

MARKERS = "osD^vPX*"
"""Marker shapes by series: a second channel beside colour."""
_POINTS_PER_INCH = 72  # resolution of matplotlib's SVG: one figure point is one user unit
# Text stays text, and the ids and points of one figure are always the same.
_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "headtohead", "path.simplify": False}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # a date would change the bytes
_FONT = re.compile(r"font-family: [^;\"]*;? ?")  # left out, so that the font of the page holds
_TOOLTIP = "tooltip:"


class SvgFigure(Figure):
    """A matplotlib figure that notebooks show as SVG, without a display backend."""

    def _repr_svg_(self) -> str:
        return to_svg(self)


def color(index: int | str) -> str:
    """Return a colour of the light palette: by place of the series (repeats after eight) or by role ("ink")."""
    return LIGHT[f"s{index % N_SERIES}" if isinstance(index, int) else index]


def marker(index: int) -> str:
    """Return the marker shape of a series."""
    return MARKERS[index % len(MARKERS)]


def new_axes(
    width: float,
    height: float,
    *,
    left: float = 10,
    right: float = 10,
    top: float = 8,
    bottom: float = 28,
    label: str = "",
) -> Axes:
    """Return empty axes on a new figure.

    Args:
        width, height: size of the plotting area in points (1/72 inch, one SVG unit).
        left, right, top, bottom: margins in points.
        label: text alternative for screen readers.
    """
    whole = (left + width + right, top + height + bottom)
    figure = SvgFigure(figsize=(whole[0] / _POINTS_PER_INCH, whole[1] / _POINTS_PER_INCH))
    FigureCanvasSVG(figure)
    figure.set_label(label)
    return figure.add_axes((left / whole[0], bottom / whole[1], width / whole[0], height / whole[1]))


def clear_frame(ax: Axes) -> None:
    """Remove frame, tick marks and background; ticks are labelled in the muted colour."""
    ax.set_facecolor("none")
    ax.figure.set_facecolor("none")
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0, labelsize=11, labelcolor=color("muted"))
    ax.set_axisbelow(True)


def grid_axes(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Draw a grid in both directions and title both axes."""
    clear_frame(ax)
    ax.grid(visible=True, color=color("line"), linewidth=1)
    ax.set_xlabel(xlabel, color=color("muted"), fontsize=12)
    ax.set_ylabel(ylabel, color=color("muted"), fontsize=12)


def add_text(ax: Axes, words: str, at: tuple[float, float], **options: Any) -> None:
    """Add one line of text, never read as mathematics.

    Args:
        ax: the axes.
        words: the text.
        at: position in data units, or in those of `coords`.
        options: `coords` (data), `offset` in points, and properties of matplotlib's Text.
    """
    style: dict[str, Any] = {"fontsize": 12, "color": color("ink"), "ha": "left", "va": "baseline"} | options
    coords, offset = style.pop("coords", "data"), style.pop("offset", (0, 0))
    ax.annotate(
        words, at, xycoords=coords, xytext=offset, textcoords="offset points", annotation_clip=False,
        parse_math=False, **style,
    )  # fmt: skip


def add_tooltip(artist: Artist, words: str) -> None:
    """Give an artist a text that shows on hover in the SVG."""
    artist.set_gid(f"{_TOOLTIP}{words}")


def to_svg(figure: Figure | Any, *, label: str = "") -> str:
    """Return a figure as inline SVG: same bytes for the same figure, text as text, colours as CSS variables.

    Args:
        figure: made by `new_axes`, or any other figure.
        label: text alternative; by default that of the figure.
    """
    target = io.StringIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():  # type: ignore[arg-type]
        # Letters are drawn by the browser's fonts; matplotlib's own font is only used to estimate their width.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(target, format="svg", metadata=_NO_METADATA, dpi=_POINTS_PER_INCH)
    return _inline(target.getvalue(), label or str(figure.get_label()))


def _inline(svg: str, label: str) -> str:
    """Return the drawing without XML prolog, with tooltips, CSS colours and ids that are unique in a page."""
    svg = svg[svg.index("<svg") :]
    opened, _, rest = svg.partition(">")
    size = re.search(r'viewBox="0 0 ([\d.]+) [\d.]+"', opened)
    width = float(size[1]) if size else 0
    # Matplotlib's style element is about every element: inline it would be about the whole page.
    rest = _FONT.sub("", re.sub(r"<style.*?</style>", "", rest, flags=re.DOTALL))
    tooltip = rf"<g id=(?:\"{_TOOLTIP}([^\"]*)\"|'{_TOOLTIP}([^']*)')>"
    rest = re.sub(tooltip, lambda m: f"<g><title>{m[1] or m[2]}</title>", rest)
    prefix = "h" + hashlib.sha256((opened + rest + label).encode()).hexdigest()[:8]
    # ids to which nothing refers
    rest = re.sub(r' id="(?:figure|axes|patch|line2d|text|xtick|ytick|matplotlib|[A-Z])[^"]*"', "", rest)
    rest = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}", rest)
    for role, value in LIGHT.items():
        rest = rest.replace(f": {value}", f": var(--{role}, {value})")
    rest = re.sub(r"\s*\n\s*", " ", rest)
    rest = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", rest)
    # markers of one kind in a row: what they share is said once
    marker = r'<use xlink:href="[^"]*" x="[^"]*" y="[^"]*" style="([^"]*)"/>'
    rest = re.sub(rf'{marker}(?: <use xlink:href="[^"]*" x="[^"]*" y="[^"]*" style="\1"/>)+', _once, rest)
    # A hundredth of a point is finer than any screen; texts are left alone.
    rest = re.sub(r' (?:d|x|y|points)="[^"]*"', lambda m: re.sub(r"(\d\.\d\d)\d+", r"\1", m[0]), rest)
    # The page decides on the width, up to that of the figure.
    head = re.sub(r' (?:width|height)="[^"]*pt"', "", opened)
    style = f"max-width:{width:.0f}px;stroke-linejoin:round"
    return f'{head} role="img" aria-label="{escape(label)}" style="{style}">{rest}'.strip()


def _once(found: re.Match[str]) -> str:
    """Return markers of one style as a group that has it."""
    own = f' style="{found[1]}"'
    return f"<g{own}>{found[0].replace(own, '')}</g>"


def rows_of(data: Any) -> list[dict[str, Any]]:
    """Return the rows of a DataFrame, or of a sequence of records, as dictionaries; NaN becomes None."""
    if hasattr(data, "to_dict"):
        rows = data.to_dict("records")
    else:
        rows = [row if isinstance(row, dict) else row.model_dump() for row in data]
    return [{str(k): None if isinstance(v, float) and v != v else v for k, v in row.items()} for row in rows]


def ordered(names: Any, order: Any = None) -> list[str]:
    """Return the order in which contenders take their colours: the given one, or that of appearance."""
    return list(dict.fromkeys(order if order is not None else names))


def shorten(name: str, limit: int) -> str:
    """Return a name with its middle left out where it is too long; both ends distinguish contenders."""
    if len(name) <= limit:
        return name
    end = (limit - 1) // 2
    return f"{name[: limit - 1 - end]}…{name[-end:]}"
