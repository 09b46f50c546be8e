"""Figures: well-formed, in the right colours, honest about gaps."""

from __future__ import annotations

import re

import pytest
from tests.planting.reported import (
    CLASSES,
    HOSTILE,
    ORDER,
    comparison,
    parsed,
    score,
    titles,
    words,
)

from headtohead.report.figures import plots as figures
from headtohead.report.figures import svg


def test_building_blocks_escape_what_they_are_given() -> None:
    parts = [
        svg.text(1, 2, HOSTILE),
        svg.circle(1, 2, 3, fill="red", title=HOSTILE),
        svg.rect(1, 2, -3, 4, fill="red", title=HOSTILE),
        svg.path([(0, 0), (1, 1)], stroke="red"),
        svg.band([(0, 0)], [(0, 1)], fill="red"),
        svg.line(0, 0, 1, 1, dash="4 3"),
    ]
    whole = svg.figure(10, 10, parts, label=HOSTILE)
    assert "<script" not in whole
    assert words(whole) == [HOSTILE] and titles(whole) == [HOSTILE, HOSTILE]
    assert parsed(whole).get("aria-label") == HOSTILE
    assert parsed(whole).find("rect").get("width") == "0.0"  # type: ignore[union-attr]  # never negative
    assert svg.path([], stroke="red") == ""


def test_a_frame_puts_data_where_it_belongs() -> None:
    frame = svg.Axes(10, 20, 100, 50, (0, 2), (0, 1))
    assert (frame.x(0), frame.x(1), frame.x(2)) == (10, 60, 110)
    assert (frame.y(0), frame.y(1)) == (70, 20), "y grows upwards"
    assert svg.colour(0) == svg.colour(svg.N_SERIES)


def test_forest_shows_each_contender_with_its_three_figures() -> None:
    drawing = figures.forest([score("vit-b16"), score("majority", value=0.5)], ORDER, chance=0.5)
    said = words(drawing)
    assert said[said.index("vit-b16") + 1] == "0.812 [0.712, 0.862]"
    assert said[said.index("majority") + 1] == "0.500 [0.400, 0.550]"
    assert HOSTILE not in said, "without a score there is no row"
    dots = [node.get("fill") for node in parsed(drawing).iter("circle")]
    assert dots == [svg.colour(0), svg.colour(2)], "the colour follows the place in the order"
    assert titles(drawing)[0] == "vit-b16: 0.812 [0.712, 0.862]"


def test_forest_says_not_defined_and_draws_no_dot_for_it() -> None:
    drawing = figures.forest([score("vit-b16", value=None), score(HOSTILE)], ORDER)
    said = words(drawing)
    assert said[said.index("vit-b16") + 1] == "not defined"
    assert len(list(parsed(drawing).iter("circle"))) == 1
    assert "<script" not in drawing
    only = figures.forest([score("vit-b16", value=None)], ORDER)
    assert "not defined" in words(only)


def test_long_names_lose_their_middle_so_that_contenders_stay_apart() -> None:
    long = ["ensemble(efficientnet-lite0@probe:symmetry,a)", "ensemble(efficientnet-lite0@probe:symmetry,b)"]
    drawing = figures.forest([score(name) for name in long], long)
    shown = [said for said in words(drawing) if said.startswith("ensemble(")]
    assert len(set(shown)) == 2 and all(len(said) == 38 and "…" in said for said in shown)
    assert [said[-2:] for said in shown] == ["a)", "b)"]
    assert titles(drawing)[0].startswith(long[0]), "the whole name is in the tooltip"


def test_differences_are_signed_and_leave_out_what_has_no_interval() -> None:
    drawing = figures.differences([comparison("vit-b16", HOSTILE), comparison("vit-b16", "majority", None)])
    assert "+0.030 [-0.020, +0.080]" in words(drawing)
    assert len(list(parsed(drawing).iter("circle"))) == 1 and "<script" not in drawing
    assert figures.differences([comparison("a", "b", None)]) == ""


def test_a_long_pair_has_a_line_of_its_own_with_both_whole_names() -> None:
    a, b = "efficientnet-lite0@finetune", "dinov2-small@probe:symmetry"
    short = figures.differences([comparison("vit-b16", "majority")])
    long = figures.differences([comparison("vit-b16", "majority"), comparison(a, b)])
    assert "vit-b16 − majority" in words(short) and f"{a} − {b}" in words(long)
    assert "" not in words(long)
    heights = [float(str(parsed(one).get("viewBox")).split()[3]) for one in (short, long)]
    assert heights[1] > 2 * (heights[0] - 36) + 36 + 20, "taller rows, not letters over figures"


def test_confusion_has_truth_in_rows() -> None:
    said = words(figures.confusion([[18, 2], [5.5, 14.5]], (HOSTILE, "yes")))
    cells = [word for word in said if re.fullmatch(r"[\d.]+%?", word)]
    assert cells == ["18", "90%", "2", "10%", "5.5", "28%", "14.5", "72%"]
    assert said.count("yes") == 2
    assert len(words(figures.confusion([[1, 0, 0, 0]] * 4, "abcd"))) == 1 + 4 + 4 + 16
    assert "0%" in words(figures.confusion([[0, 0], [0, 3]], CLASSES)), "an empty row divides by nothing"


def test_curves_are_well_formed_with_any_names() -> None:
    ends = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]}
    assert len(list(parsed(figures.roc({HOSTILE: ends, "stranger": ends}, ORDER)).iter("path"))) == 1
    bins = [
        {"mean_probability": p, "n_groups": 9, "observed": {"value": p, "low": p - 0.1, "high": p + 0.1}}
        for p in (0.2, 0.5, 0.8)
    ]
    empty = {"mean_probability": 0.9, "n_groups": 0, "observed": {"value": None, "low": None, "high": None}}
    drawing = figures.calibration({HOSTILE: [*bins, empty]}, ORDER)
    assert titles(drawing) == [f"{HOSTILE}: 9 groups"] * 3
    lines = {HOSTILE: ([0.0, 1.0], [0.3, float("nan")]), "treat all": ([0.0, 1.0], [0.3, -5.0])}
    parsed(figures.curves(lines, xlabel="x", ylabel=HOSTILE, order=ORDER, floor=-0.05))
    assert figures.curves({}, xlabel="x", ylabel="y", order=ORDER) == ""


@pytest.mark.parametrize("key", ["loss", "accuracy"])
def test_learning_curves_stand_a_single_epoch_and_no_inner_part(key: str) -> None:
    one = {"epoch": 1, f"train_{key}": 0.5, f"inner_{key}": None}
    two = {"epoch": 2, f"train_{key}": 0.4, f"inner_{key}": 0.6}
    assert len(list(parsed(figures.learning([one], key, key)).iter("path"))) == 1
    assert len(list(parsed(figures.learning([one, two], key, key)).iter("path"))) == 2
