"""Confusion matrix and rank diagram: places and numbers follow the tables."""

from __future__ import annotations

import re

import numpy as np
from tests.planting.reported import CLASSES, HOSTILE, words

from headtohead.core.tables.comparison import ContenderRank, RankTable
from headtohead.report.figures import plot_confusion, plot_rank_diagram, to_svg


def ranks(mean_ranks: dict[str, float], cliques: tuple[tuple[str, ...], ...]) -> RankTable:
    entries = {
        name: ContenderRank(rank=1.0, mean_rank=rank, low=1.0, high=3.0, share_first=0.5)
        for name, rank in mean_ranks.items()
    }
    return RankTable(contenders=entries, cliques=cliques)


def test_confusion_has_truth_in_rows() -> None:
    said = words(to_svg(plot_confusion([[18, 2], [5.5, 14.5]], (HOSTILE, "yes")).figure))
    cells = [word for word in said if re.fullmatch(r"[\d.]+%?", word)]
    assert cells == ["18", "90%", "2", "10%", "5.5", "28%", "14.5", "72%"]
    assert said.count("yes") == 2
    assert len(words(to_svg(plot_confusion([[1, 0, 0, 0]] * 4, "abcd").figure))) == 1 + 4 + 4 + 16
    empty = words(to_svg(plot_confusion([[0, 0], [0, 3]], CLASSES).figure))
    assert "0%" in empty, "an empty row divides by nothing"


def test_markers_follow_the_ranks_and_bars_join_the_cliques() -> None:
    ax = plot_rank_diagram(ranks({"b": 2.5, "a": 1.5, "c": 3.0}, (("a", "b"),)), order=["a", "b", "c"])
    assert ax is not None
    bars = [np.asarray(line.get_xdata()).tolist() for line in ax.get_lines() if line.get_gid() == "clique"]
    assert bars == [[1.5, 2.5]]
    markers = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert sorted(float(np.asarray(m.get_xdata())[0]) for m in markers) == [1.5, 2.5, 3.0]
    assert "1.50 (1 to 3)" in words(to_svg(ax.figure))


def test_two_contenders_need_no_diagram_and_names_are_escaped() -> None:
    assert plot_rank_diagram(ranks({"a": 1.0, "b": 2.0}, ())) is None
    odd = plot_rank_diagram(ranks({"<a>": 1.0, "b" * 60: 2.0, "c": 3.0, "d": 3.0}, ()), order=["c"])
    assert odd is not None
    svg = to_svg(odd.figure)
    assert "<a>" in words(svg) and "<a>" not in svg
    assert "b" * 60 not in words(svg)
