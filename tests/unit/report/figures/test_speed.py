"""Speed: a bar for each network and arithmetic, within an axis that holds all of them."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.patches import Rectangle
from tests.planting.reported import words

from headtohead.report.figures import to_svg
from headtohead.report.figures.speed import plot_speed


def line(name: str, **shares: float) -> dict[str, Any]:
    rates = {kind: {"share_of_ceiling": s, "images_per_second": 1234.5 * s} for kind, s in shares.items()}
    return {"name": name, "rates": rates}


def rectangle(bar: Any) -> Rectangle:
    assert isinstance(bar, Rectangle)
    return bar


def test_bars_are_as_long_as_the_share_and_stand_in_the_row_of_their_network() -> None:
    ax = plot_speed([line("vit", fp32=0.4, bf16=0.25), line("cnn", fp32=0.1)])
    bars = [
        (round(bar.get_width(), 6), round(bar.get_y() + bar.get_height() / 2, 6))
        for bar in map(rectangle, ax.patches)
    ]
    assert bars == [(40.0, -0.17), (25.0, 0.17), (10.0, 1.0)]
    assert ax.get_ylim() == (1.5, -0.5) and ax.get_xlim() == (0.0, 100.0)
    said = words(to_svg(ax.figure))
    assert [one for one in said if one.strip().endswith("/s")] == [" 494/s", " 309/s", " 123/s"]
    assert said.count("fp32") == 1 and said.count("bf16") == 1, "the key names each arithmetic once"


def test_a_share_above_the_ceiling_widens_the_axis() -> None:
    assert plot_speed([line("vit", fp32=1.3)]).get_xlim()[1] == pytest.approx(130)


def test_an_arithmetic_keeps_its_colour_where_a_network_lacks_another() -> None:
    ax = plot_speed([line("vit", fp32=0.4, bf16=0.2), line("cnn", bf16=0.1)])
    first, second, third = (bar.get_facecolor() for bar in ax.patches)
    assert second == third != first
