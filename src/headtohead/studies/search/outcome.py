"""What a search could finish in its time, and how often it chose each candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold
    from headtohead.heads.base import FoldResult

__all__ = ["SearchOutcome", "times_chosen"]


@dataclass(frozen=True)
class SearchOutcome:
    """What the search could finish in its time.

    Attributes:
        folds: the outer folds of the finished repeats.
        rows: names of the contenders that the ablation table shows, in its order.
        model: the entry "model" of `best.json`.
        notes: what was left out for lack of time, in sentences.
        complete: whether nothing was left out.
    """

    folds: tuple[Fold, ...]
    rows: tuple[str, ...]
    model: dict[str, Any]
    notes: tuple[str, ...]
    complete: bool


def times_chosen(cells: Iterable[tuple[str, Fold, FoldResult]]) -> dict[str, int]:
    """Return candidate -> in how many outer cells of the search it has a weight, most often first."""
    counts: dict[str, int] = {}
    for _, _, result in cells:
        for member, weight in zip(result.chosen["members"], result.chosen["weights"], strict=True):
            counts[member] = counts.get(member, 0) + (weight > 0)
    return {name: n for name, n in sorted(counts.items(), key=lambda item: -item[1]) if n}
