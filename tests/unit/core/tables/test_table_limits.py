"""Limits on tables: the limit itself passes, one more does not, and the message names it."""

from __future__ import annotations

import pytest

from headtohead.core.errors import ManifestError
from headtohead.core.safety.limits import ENVIRONMENT
from headtohead.core.tables.table_limits import check_cells, check_size, check_text, repeated_names


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "table-bytes=100,table-rows=9,table-columns=4,table-cells=20")


def test_bytes() -> None:
    check_size("t.csv", 100)
    with pytest.raises(ManifestError, match=r"^t.csv has 101 bytes; the limit is 100 \(--limit table-bytes="):
        check_size("t.csv", 101)


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        (10, 1, "10 rows; the limit is 9"),
        (1, 5, "5 columns; the limit is 4"),
        (7, 3, "21 cells; the limit is 20"),
    ],
)
def test_rows_columns_and_cells(rows: int, columns: int, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        check_cells("t", rows, columns)


def test_what_fits_passes() -> None:
    for rows, columns in ((9, 1), (1, 4), (5, 4), (0, 0)):
        check_cells("t", rows, columns)


def test_marks_between_cells_are_counted_together() -> None:
    check_text("t", ",;" * 10, ",;")
    check_text("t", "a" * 500, ",;")
    with pytest.raises(ManifestError, match="t has about 21 cells"):
        check_text("t", ",;" * 10 + ",", ",;")


def test_repeated_names_are_sorted_and_named_once() -> None:
    assert repeated_names(["z", "a", "z", "z", "b", "a", ""]) == ["a", "z"]
    assert repeated_names([]) == []
    assert repeated_names(["A", "a"]) == [], "case matters"
