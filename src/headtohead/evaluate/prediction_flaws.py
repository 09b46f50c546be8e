"""Flaws of prediction tables: groups split over folds, one file given twice, scores that are no probabilities."""

from __future__ import annotations

import numpy as np

from headtohead.stats.predictions import PredictionTable

__all__ = [
    "kind_caveat",
    "same_predictions",
    "same_sentence",
    "split_groups_leak",
    "table_caveats",
]

_NAMED = 3  # examples in one sentence
# A group with more than a tenth of the samples is named, where that is also more than twice an even share.
_LARGE_SHARE, _LARGE_MULTIPLE = 0.1, 2


def split_groups_leak(table: PredictionTable) -> tuple[str, ...]:
    """Return the sentence on groups that are spread over several folds of one repeat, none where each is in one."""
    split: set[int] = set()
    for lines in table.of(table.contenders[0]):  # the folds are the same for all, or the table is refused
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


def same_predictions(table: PredictionTable, a: str, b: str) -> bool:
    """Return whether two contenders give each sample the same probabilities in each repeat."""
    return all(
        np.array_equal(first.prob, second.prob)  # exactly: the same file has the same digits
        for first, second in zip(table.of(a), table.of(b), strict=True)
    )


def same_sentence(table: PredictionTable, a: str, b: str) -> str:
    """Return the sentence on a pair of which `same_predictions` holds."""
    n = table.n_samples
    alike = (
        f"put all {n} samples in the same order"
        if table.ranks_only
        else f"have the same predictions ({n} of {n} samples)"
    )
    return f"{a} and {b} {alike}, so there is nothing to compare. Was one file given twice?"


def kind_caveat(table: PredictionTable) -> list[str]:
    """Return the sentence on contenders that give no probabilities, none where all do."""
    if table.ranks_only:
        return [
            "The scores were read as grades: only their order counts (--score ordinal). What needs probabilities or a "
            "threshold (calibration, net benefit, Brier score, log loss, accuracy, confusion matrix) is not defined."
        ]
    names = [name for name in table.contenders if table.kind(name) == "labels"]
    if not names:
        return []
    return [
        f"The scores of {', '.join(names)} are all 0 or 1: answers, not probabilities. What needs probabilities (Brier "
        "score, log loss, calibration, parts of the curve) is not defined for them; their AUROC is the mean of "
        "sensitivity and specificity."
    ]


def table_caveats(table: PredictionTable, noun: str) -> list[str]:
    """Return the sentences on how the samples are spread over groups and repeats, none where nothing is unusual.

    Args:
        noun: what a group is called.
    """
    found = []
    counts = np.bincount(table.sample_group, minlength=table.n_groups)
    largest, n = int(counts.max()), table.n_samples
    if largest > max(_LARGE_SHARE, _LARGE_MULTIPLE / table.n_groups) * n:
        pairs = np.unique(np.stack([table.sample_group, table.sample_label]), axis=1)
        advice = ""
        if pairs.shape[1] == table.n_groups:  # --per case needs one label for each case
            advice = f" `headtohead verdict FILE --per case` counts each {noun} once."
        found.append(
            f"One {noun}, {table.groups[int(counts.argmax())]}, has {largest} of {n} samples "
            f"({100 * largest / n:.0f} %), and every sample counts the same.{advice}"
        )
    if table.hold_out:
        found.append(
            f"The repeats test different samples (repeated hold-out), and do not say how many trained each "
            f"model. That was taken to be the rest of the {n} samples tested at all, so the intervals may be too long."
        )
    return found
