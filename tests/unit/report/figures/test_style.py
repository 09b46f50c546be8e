"""SVG output: stable bytes, text as text, colours of the page, safe against any name."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.planting.reported import HOSTILE, parsed, score, titles, words

from headtohead.report.figures import plot_scores, to_svg
from headtohead.report.figures.palette import DARK, LIGHT, css_variables
from headtohead.report.figures.style import SvgFigure, add_text, add_tooltip, color, new_axes, shorten


def drawing() -> str:
    ax = new_axes(100, 50, label=HOSTILE)
    add_text(ax, f"$x$ {HOSTILE}", (0.5, 0.5), color=color("ink"))
    add_tooltip(ax.plot([0, 1], [0, 1], color=color(0), marker="o")[0], HOSTILE)
    return to_svg(ax.figure)


def test_names_are_escaped_and_never_read_as_mathematics() -> None:
    svg = drawing()
    assert "<script" not in svg
    assert f"$x$ {HOSTILE}" in words(svg) and titles(svg) == [HOSTILE]
    assert parsed(svg).get("aria-label") == HOSTILE


def test_colors_are_css_variables_and_fonts_are_those_of_the_page() -> None:
    svg = drawing()
    assert f"var(--s0, {LIGHT['s0']})" in svg and f"var(--ink, {LIGHT['ink']})" in svg
    assert "font-family" not in svg and "<style" not in svg
    assert "<metadata" not in svg and not re.search(r"20\d\d-\d\d-\d\d", svg), "no date"


def test_no_id_is_shared_by_two_figures_of_a_page() -> None:
    first, second = (to_svg(plot_scores([score(name)]).figure) for name in ("a", "b"))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', first))
    assert used and used <= ids[0]


def test_the_same_figure_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "from tests.planting.reported import score; from headtohead.report.figures import plot_scores, to_svg; "
        "import sys; sys.stdout.write(to_svg(plot_scores([score('a')], chance=0.5).figure)); "
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout == to_svg(plot_scores([score("a")], chance=0.5).figure)


def test_a_notebook_shows_the_figure_without_a_backend() -> None:
    figure = plot_scores([score("a")]).figure
    assert isinstance(figure, SvgFigure) and figure._repr_svg_().startswith("<svg")


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.1)."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colors_can_be_seen_and_text_can_be_read() -> None:
    for palette in (LIGHT, DARK):
        for role in ("ink", "muted", "accent", "good", "bad", "warn"):
            assert contrast(palette[role], palette["card"]) >= 4.5, role
            assert contrast(palette[role], palette["shade"]) >= 4.5, role
        for index in range(8):
            assert contrast(palette[f"s{index}"], palette["card"]) >= 3, index
    assert len(set(LIGHT.values())) == len(LIGHT), (
        "a colour stands for one role, or the CSS would mix them up"
    )
    assert set(LIGHT) == set(DARK) and "prefers-color-scheme: dark" in css_variables()


def test_long_names_lose_their_middle() -> None:
    assert shorten("short", 10) == "short"
    assert shorten("efficientnet-lite0", 9) == "effi…ite0"
