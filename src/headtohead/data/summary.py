"""What was understood from a data source: classes, positive class, split, patients, and what was left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from headtohead.core.data_record import data_rows
from headtohead.core.formatting import pluralize
from headtohead.data.listing.left_out import one_sided

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset

__all__ = ["data_record", "loss_warnings", "understood"]


def data_record(dataset: Dataset, n_groups: int | None = None) -> dict[str, Any]:
    """Return what was understood as plain values, for `audit.json`.

    Args:
        n_groups: groups after the search for copies; those of the listing if None.
    """
    labels = Counter(sample.label for sample in dataset.samples)
    splits = Counter(sample.split for sample in dataset.samples if sample.split is not None)
    return {
        "classes": {name: labels[name] for name in dataset.classes},
        "positive": dataset.positive,
        "split": dict(sorted(splits.items())) or None,
        "n_samples": len(dataset.samples),
        "n_groups": len({sample.group for sample in dataset.samples}) if n_groups is None else n_groups,
        "groups_from": dataset.groups_from,
        "left_out": [left.record() for left in dataset.left_out],
    }


def understood(dataset: Dataset) -> str:
    """Return what was understood as a block of lines for people."""
    rest = data_rows(data_record(dataset), dataset.positive_doubt)[1:]
    if dataset.labels_from:
        rest.insert(1, ("labels", f"from {dataset.labels_from}"))
    width = max(len(what) for what, _ in rest)
    lines = [f"  {what:<{width}}  {text}" for what, text in rest]
    return "\n".join([f"Data: {pluralize(len(dataset), 'image')} in {len(dataset.classes)} classes", *lines])


def loss_warnings(dataset: Dataset) -> list[str]:
    """Return a warning for each reason that takes images of mostly one class."""
    return [
        f"{left.counted}: {left.per_class[name]} of them are of class {name!r}, so that a class loses more than "
        "the others. What is lost that way may be what distinguishes the classes."
        for left in dataset.left_out
        if left.counts_as_loss and (name := one_sided(left))
    ]
