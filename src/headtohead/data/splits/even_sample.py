"""A few items that stand for all of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["evenly_spaced"]

T = TypeVar("T")


def evenly_spaced(items: Sequence[T], most: int) -> Sequence[T]:
    """Return at most so many items, evenly spaced over the whole sequence."""
    # A step of whole items would leave out the end: of 79 items by class, 40 would be the first class alone.
    return [items[i * len(items) // most] for i in range(most)] if len(items) > most else items
