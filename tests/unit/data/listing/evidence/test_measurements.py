"""Labels that are measurements are refused; grades, codes and scales are not."""

from __future__ import annotations

import pytest

from headtohead.core.errors import DataError
from headtohead.data.entry import Entry
from headtohead.data.listing.evidence.measurements import refuse_measurements


def labelled(*labels: object) -> list[Entry]:
    return [Entry(f"{i}.png", str(label)) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    "labels",
    [[f"{20 + 1.37 * i:.2f}" for i in range(24)], list(range(20, 80)), [f"{i},5" for i in range(12)]],
    ids=["decimals", "ages", "decimal commas"],
)
def test_measurements_are_refused_with_the_way_on(labels: list[object]) -> None:
    with pytest.raises(DataError, match=rf"{len(labels)} different numbers.*--columns 'label=<column>'"):
        refuse_measurements(labelled(*labels))


@pytest.mark.parametrize(
    "labels",
    [
        list(range(11)) * 3,
        [0, 1] * 9,
        [f"{i / 2:.1f}" for i in range(7)] * 2,
        list(range(30)) * 9,
        [f"g{i}" for i in range(40)],
    ],
    ids=["grades", "binary", "half steps", "codes of many classes", "names with numbers"],
)
def test_classes_that_are_numbers_pass(labels: list[object]) -> None:
    refuse_measurements(labelled(*labels))
