"""The one style of all figures: colours that are safe for colour-blind readers, and how a figure becomes SVG.

On a page, ink and grid follow the page's light or dark scheme: the SVG carries CSS variables with the light
value as fallback, so that the same file also stands alone.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["INK", "MUTED", "SERIES", "STYLE", "figure_of", "new_axes", "series_colour", "to_svg"]

INK, MUTED, GRID = "#1a2230", "#5b6675", "#d9dee5"
# Okabe and Ito 2008, without yellow (too pale on white) and black (the ink).
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#8c564b")
VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--line"}
STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and follows the page's font
    "svg.hashsalt": "headtohead",  # ids, and so the file, are the same each time
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "lines.linewidth": 1.8,
}


def series_colour(index: int) -> str:
    """Return the colour of a contender by its place in the study; colours repeat after eight."""
    return SERIES[index % len(SERIES)]


def new_axes(width: float, height: float) -> Axes:
    """Return Axes in a figure of their own, without touching matplotlib's global state.

    Args:
        width, height: in inches.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        return figure.add_subplot()


def figure_of(axes: Axes) -> Figure:
    """Return the whole figure that Axes belong to."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("These Axes belong to no figure.")
    return figure


def to_svg(figure: Figure, *, label: str = "") -> str:
    """Return a figure as an inline SVG element.

    Args:
        figure: of any Axes that this package draws.
        label: text alternative for readers who do not see the figure.

    Returns:
        the element, the same bytes for the same figure: no date, no random id.
    """
    from html import escape

    text = io.StringIO()
    with rc_context(STYLE):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for value, variable in VARIABLES.items():
        svg = re.sub(rf"{value}\b", f"var({variable}, {value})", svg)
    svg = re.sub(r"font:? ?([^;\"]*?)px 'sans-serif'[^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    title = f' role="img" aria-label="{escape(label, quote=True)}"' if label else ""
    return svg.replace("<svg", f'<svg style="max-width:100%;height:auto"{title}', 1).strip()
