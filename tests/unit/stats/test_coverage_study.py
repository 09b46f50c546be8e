"""The coverage study computes what the product does, and the product keeps its level there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def coverage_rule(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the vectorised coverage coverage_rule and its settings."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("coverage_rule"), importlib.import_module("coverage_cells").Cell


def test_the_study_computes_what_the_product_does(coverage_rule: Any) -> None:
    rule, cell = coverage_rule
    cells = [cell(30, 1, 0.3, 0.9), cell(50, 3, 0.3, 0.99), cell(30, 3, 0.1, 0.9)]
    assert rule.check(cells, 6) < 1e-9


@pytest.mark.parametrize(
    "setting", [(50, 3, 0.3, 0.9), (100, 1, 0.1, 0.75), (60, 1, 0.5, 0.6), (50, 10, 0.5, 0.75)]
)
def test_auroc_covers_and_the_rule_keeps_its_level(
    coverage_rule: Any, setting: tuple[int, int, float, float]
) -> None:
    """The band of the issue, 93 to 97 %, and at most 5 % of false words; three Monte Carlo errors allowed."""
    rule, cell = coverage_rule
    found = rule.rates(cell(*setting), 2000, 3)
    assert 93 - 1.7 <= found["AUROC"] <= 97 + 1.2
    assert found["false better"] <= 5 + 1.5
    assert found["false equivalent"] <= 5 + 1.5


def test_where_auroc_is_short_the_warning_is_frequent(coverage_rule: Any) -> None:
    rule, cell = coverage_rule
    short = rule.rates(cell(50, 10, 0.3, 0.99), 2000, 3)
    sound = rule.rates(cell(200, 3, 0.3, 0.75), 500, 3)
    assert short["AUROC"] < 94
    assert short["warned"] > 50
    assert sound["warned"] < 2
