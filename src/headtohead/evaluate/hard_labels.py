"""Contenders that give answers (0 or 1) where probabilities are meant."""

from __future__ import annotations

from headtohead.stats.predictions import PredictionTable

__all__ = ["labels_caveat"]


def labels_caveat(table: PredictionTable) -> list[str]:
    """Return the sentence on contenders whose scores are all 0 or 1, none where there is none."""
    names = [name for name in table.contenders if table.gives_labels(name)]
    if not names:
        return []
    return [
        f"The scores of {', '.join(names)} are all 0 or 1: answers, not probabilities. What needs probabilities (Brier "
        "score, log loss, calibration, parts of the curve) is not defined for them; their AUROC is the mean of "
        "sensitivity and specificity."
    ]
