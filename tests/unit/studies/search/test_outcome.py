"""How often a search chose each candidate."""

from __future__ import annotations

import numpy as np

from headtohead.data.splits.folds import Fold
from headtohead.heads.base import FoldResult
from headtohead.studies.search.outcome import times_chosen
from headtohead.training.records import FitMetrics


def cell(number: int, **weights: float) -> tuple[str, Fold, FoldResult]:
    rows, nothing = np.zeros((0, 2)), FitMetrics(None, None)
    chosen = {"members": list(weights), "weights": list(weights.values())}
    fold = Fold(0, number, np.array([0]), np.array([1]))
    return "searched", fold, FoldResult(rows, rows, nothing, nothing, chosen)


def test_a_candidate_counts_in_the_cells_where_it_has_a_weight() -> None:
    cells = [cell(0, a=0.2, b=0.8, c=0.0), cell(1, a=0.0, b=1.0, c=0.0)]
    assert list(times_chosen(cells).items()) == [("b", 2), ("a", 1)]
