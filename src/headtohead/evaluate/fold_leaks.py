"""Predictions whose folds split a group: what was tested there had been trained on."""

from __future__ import annotations

import numpy as np

from headtohead.stats.predictions import PredictionTable

__all__ = ["split_groups_leak"]

_NAMED = 3


def split_groups_leak(table: PredictionTable) -> tuple[str, ...]:
    """Return the sentence on groups that are spread over several folds of one repeat, none where each is in one."""
    split: set[int] = set()
    for lines in table.of(table.contenders[0]):
        pairs = np.unique(np.stack([lines.group, lines.fold]), axis=1)
        groups, folds = np.unique(pairs[0], return_counts=True)
        split |= set(groups[folds > 1].tolist())
    if not split:
        return ()
    names = ", ".join(str(table.groups[g]) for g in sorted(split)[:_NAMED]) + (
        " …" if len(split) > _NAMED else ""
    )
    return (
        f"{len(split)} of {table.n_groups} groups are spread over several folds of one repeat ({names}), so that "
        "images of a tested patient were trained on; keep each group in one fold, or correct the column 'group'",
    )
