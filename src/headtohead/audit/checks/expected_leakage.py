"""What a plain random split of the files would leak, worked out without drawing any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headtohead.audit.check import Observation, issue, passed
from headtohead.audit.context import AuditContext
from headtohead.core.formatting import format_percent

__all__ = ["expected_leaked_fraction", "random_split_leakage"]


def expected_leaked_fraction(sizes: Sequence[int], test: float = 0.2) -> float:
    """Return the expected share of test images with a copy in training under a plain random split.

    For an image with g - 1 copies among n, drawn into the test part, at least one copy is in
    training with probability 1 - C(t-1, g-1) / C(n-1, g-1), where t is the size of the test part.

    Args:
        sizes: of all groups.
        test: share of the test part.

    >>> round(expected_leaked_fraction([2, 2, 1, 1, 1, 1, 1, 1]), 2)
    0.36
    """
    n = sum(sizes)
    held = max(1, round(test * n))
    expected = 0.0
    for g in sizes:
        # a group larger than the test part is certain to have a copy in training
        alone = float(np.prod([(held - 1 - j) / (n - 1 - j) for j in range(g - 1)])) if held >= g else 0.0
        expected += g * (1 - alone)
    return expected / n


def random_split_leakage(context: AuditContext) -> Observation:
    """Say what a plain random 80:20 split of these files would leak."""
    share = expected_leaked_fraction(list(context.group_sizes.values()))
    data: dict[str, Any] = {"share": round(share, 4), "n_groups": len(context.group_sizes)}
    if share < 0.01:
        return passed(
            f"a plain random 80:20 split would leave {format_percent(share, 1)} of test images with a copy",
            **data,
        )
    return issue(
        f"a plain random 80:20 split would leave {format_percent(share)} of the test images with a copy (or the same "
        "patient) in training",
        "Published scores from plain random splits of this set are inflated; headtohead splits by group.",
        **data,
    )
