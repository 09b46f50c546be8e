"""Curves of a verdict as its tables hold them, short enough to follow by eye."""

from __future__ import annotations

__all__ = ["BIN", "PARTS", "RECALL", "ROC"]

ROC = {"false_positive_rate": (0.0, 0.2, 1.0), "true_positive_rate": (0.0, 0.8, 1.0)}
RECALL = {"recall": (0.5, 1.0), "precision": (0.9, 0.6), "prevalence": 0.4}
PARTS = dict.fromkeys(("reliability", "resolution", "uncertainty", "within_bin", "brier"), 0.1)
BIN = {
    "mean_probability": 0.5,
    "n_lines": 9,
    "n_groups": 9,
    "observed": {"value": 0.4, "low": 0.2, "high": 0.6},
}
