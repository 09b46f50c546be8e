"""Contenders whose predictions are the same, line by line: probably one file given twice."""

from __future__ import annotations

import numpy as np

from headtohead.stats.predictions import PredictionTable

__all__ = ["same_predictions", "same_sentence"]


def same_predictions(table: PredictionTable, a: str, b: str) -> bool:
    """Tell whether two contenders give each sample the same probabilities in each repeat."""
    return all(
        np.array_equal(first.prob, second.prob)
        for first, second in zip(table.of(a), table.of(b), strict=True)
    )


def same_sentence(table: PredictionTable, a: str, b: str) -> str:
    """Return what is said of such a pair."""
    n = table.n_samples
    return f"{a} and {b} are the same predictions ({n} of {n} samples): nothing was compared. Is it one file twice?"
