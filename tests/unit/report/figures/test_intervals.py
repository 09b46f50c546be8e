"""Scores and differences: every contender with its figures, gaps said, colours by order."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.planting.reported import HOSTILE, ORDER, comparison, parsed, score, titles, words

from headtohead.report.figures import plot_differences, plot_scores, plot_shortcuts, to_svg
from headtohead.report.figures.style import new_axes


def test_scores_show_each_contender_with_its_figures() -> None:
    svg = to_svg(
        plot_scores([score("vit-b16"), score("majority", value=0.5)], order=ORDER, chance=0.5).figure
    )
    said = words(svg)
    assert said[said.index("vit-b16") + 1] == "0.812 [0.712, 0.862]"
    assert said[said.index("majority") + 1] == "0.500 [0.400, 0.550]"
    assert HOSTILE not in said, "without a score there is no row"
    assert "var(--s0," in svg and "var(--s2," in svg, "the colour follows the place in the order"
    assert "var(--s1," not in svg
    assert titles(svg)[0] == "vit-b16: 0.812 [0.712, 0.862]"


def test_a_frame_gives_the_same_figure_as_records() -> None:
    scores = [score("a"), score("b", value=None)]
    frame = pd.DataFrame([s.model_dump() for s in scores])
    assert to_svg(plot_scores(frame).figure) == to_svg(plot_scores(scores).figure)


def test_scores_that_are_not_defined_have_no_marker() -> None:
    svg = to_svg(plot_scores([score("vit-b16", value=None), score(HOSTILE)], order=ORDER).figure)
    said = words(svg)
    assert said[said.index("vit-b16") + 1] == "not defined"
    assert len(titles(svg)) == 1 and "<script" not in svg
    assert "not defined" in words(to_svg(plot_scores([score("vit-b16", value=None)]).figure))


def test_long_names_stay_apart() -> None:
    long = ["ensemble(efficientnet-lite0@probe:symmetry,a)", "ensemble(efficientnet-lite0@probe:symmetry,b)"]
    svg = to_svg(plot_scores([score(name) for name in long]).figure)
    shown = [said for said in words(svg) if said.startswith("ensemble(")]
    assert len(set(shown)) == 2 and all(len(said) == 38 and "…" in said for said in shown)
    assert titles(svg)[0].startswith(long[0]), "the whole name is in the tooltip"


def test_differences_are_signed_and_leave_out_what_has_no_interval() -> None:
    svg = to_svg(
        plot_differences([comparison("vit-b16", HOSTILE), comparison("a", "b", None)], rope=0.02).figure
    )
    assert "+0.030 [−0.020, +0.080]" in words(svg)
    assert len(titles(svg)) == 1 and "<script" not in svg
    assert "var(--shade," in svg and "var(--shade," not in to_svg(
        plot_differences([comparison("a", "b")]).figure
    )


def test_a_long_pair_has_a_line_of_its_own() -> None:
    a, b = "efficientnet-lite0@finetune", "dinov2-small@probe:symmetry"
    short = to_svg(plot_differences([comparison("vit-b16", "majority")]).figure)
    long = to_svg(plot_differences([comparison(a, b)]).figure)
    assert f"{a} − {b}" in words(long)
    heights = [float(str(parsed(svg).get("viewBox")).split()[3]) for svg in (short, long)]
    assert heights[1] > heights[0] + 10


def test_functions_draw_on_the_axes_that_they_are_given() -> None:
    ax = new_axes(200, 100)
    assert plot_scores([score("a")], ax=ax) is ax
    assert plot_differences([comparison("a", "b")], ax=new_axes(9, 9)) is not ax


def test_shortcuts_stand_beside_chance_and_the_best_contender() -> None:
    probe = {"name": "border", "value": 0.75, "low": 0.2, "high": 0.8}
    ax = plot_shortcuts([probe], best=0.9)
    assert "0.75 [0.20, 0.80]" in words(to_svg(ax.figure))
    assert ax.get_xlim()[0] == pytest.approx(0.2), "an interval below 0.3 is not cut off"
    assert "var(--good," in to_svg(ax.figure)
