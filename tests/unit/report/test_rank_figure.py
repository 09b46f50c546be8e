"""The figure of mean ranks: places, bars and names follow the verdict's details."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from headtohead.report.figures.rank_diagram import critical_difference


def details(mean_ranks: dict[str, float], cliques: list[list[str]]) -> dict[str, Any]:
    entries = {name: {"mean_rank": rank, "low": 1.0, "high": 3.0} for name, rank in mean_ranks.items()}
    return {"ranks": {"contenders": entries, "cliques": cliques}}


def dots(drawing: str) -> list[float]:
    return [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', drawing)]


def test_places_follow_the_ranks_and_bars_join_the_cliques() -> None:
    found = critical_difference(details({"b": 2.5, "a": 1.5, "c": 3.0}, [["a", "b"]]), ["a", "b", "c"])
    ElementTree.fromstring(found)
    bars = re.findall(r'<line x1="([0-9.]+)"[^>]*x2="([0-9.]+)"[^>]*stroke-width="4"', found)
    a, b, c = sorted(dots(found))
    assert c - b < b - a
    assert [tuple(map(float, bar)) for bar in bars] == [(a - 5, b + 5)]
    assert "1.50 (1 to 3)" in found


def test_two_contenders_need_no_figure_and_names_are_escaped() -> None:
    assert critical_difference(details({"a": 1.0, "b": 2.0}, []), ["a", "b"]) == ""
    assert critical_difference({}, []) == ""
    odd = critical_difference(details({"<a>": 1.0, "b" * 60: 2.0, "c": 3.0, "d": 3.0}, []), ["c"])
    ElementTree.fromstring(odd)
    assert "<a>" not in odd
    assert "b" * 60 + "<" not in odd
