"""Labels that are measurements (an age, a score) and no classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from headtohead.core.errors import DataError
from headtohead.data.entry import Entry
from headtohead.data.listing.negative_names import as_number

__all__ = ["refuse_measurements"]

# A grading scale has up to about ten steps; in tenths that are more than this, it is a measurement.
_MOST_FRACTIONS = 10
# Whole numbers are more often codes of classes, so they must be many and rarely repeat.
_MOST_NUMBERS = 20
_MOST_REPEATS = 5


def refuse_measurements(entries: Iterable[Entry]) -> None:
    """Refuse labels that are many different numbers.

    Raises:
        DataError: names the numbers, and how to make classes of them.
    """
    counts = Counter(entry.label for entry in entries)
    numbers = {label: number for label in counts if (number := as_number(label)) is not None}
    if not counts or len(numbers) < len(counts):
        return
    fractions = sum(not number.is_integer() for number in numbers.values())
    many_fractions = len(numbers) > _MOST_FRACTIONS and 2 * fractions > len(numbers)
    rarely_repeated = counts.total() < _MOST_REPEATS * len(counts)
    if not many_fractions and not (len(numbers) > _MOST_NUMBERS and rarely_repeated):
        return
    low, high = min(numbers, key=lambda name: numbers[name]), max(numbers, key=lambda name: numbers[name])
    raise DataError(
        f"The labels look like a measurement, not like classes: {len(numbers)} different numbers for "
        f"{counts.total()} images, from {low} to {high}. Expected a few classes. Make a column of classes by cut "
        "points (such as below 30 and from 30 on) and name it with --columns 'label=<column>', or merge the numbers "
        "with --map-labels."
    )
