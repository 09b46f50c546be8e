"""Whether a higher or a lower value of a metric is better."""

from __future__ import annotations

__all__ = ["LOWER_IS_BETTER", "metric_sign"]

# Pages rest on `core` alone, so the names stand here again; a test compares them with the catalogue of metrics.
LOWER_IS_BETTER = ("brier", "log_loss", "ece", "ace")


def metric_sign(metric: str) -> int:
    """Return +1 for a metric of which more is better, -1 for one of which less is.

    >>> metric_sign("auroc"), metric_sign("brier")
    (1, -1)
    """
    return -1 if metric in LOWER_IS_BETTER else 1
