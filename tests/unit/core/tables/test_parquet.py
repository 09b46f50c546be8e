"""Parquet from elsewhere: limits are asked before a page is read, and cells come back as they were."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtohead.core.errors import ManifestError
from headtohead.core.safety.limits import ENVIRONMENT
from headtohead.core.tables.parquet import parquet_cells, read_parquet_frame, read_parquet_table


def stored(table: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), buffer, **options)
    return buffer.getvalue()


TABLE = {
    "name": ["a", None, "größer", "a"],
    "raw": pa.array([b"x", b"", None, b"\xff"], pa.binary()),
    "large": pa.array(["p", "q", None, ""], pa.large_string()),
    "n": [1, 2, None, 4],
    "p": [0.1, float("nan"), float("inf"), None],
}


def test_a_frame_is_what_pandas_reads() -> None:
    content = stored(TABLE)
    pd.testing.assert_frame_equal(read_parquet_frame("t", content), pd.read_parquet(io.BytesIO(content)))


def test_text_comes_as_dictionaries_and_numbers_do_not() -> None:
    table = read_parquet_table("t", stored(TABLE))
    folded = {field.name: pa.types.is_dictionary(field.type) for field in table.schema}
    assert folded == {"name": True, "raw": True, "large": True, "n": False, "p": False}


@pytest.mark.parametrize("row_group_size", [1, 3, 100])
def test_cells_are_plain_values_over_all_row_groups(row_group_size: int) -> None:
    table = read_parquet_table("t", stored(TABLE, row_group_size=row_group_size))
    cells = parquet_cells("t", table)
    assert cells[0] == ["a", None, "größer", "a"]
    assert cells[1] == [b"x", b"", None, b"\xff"]
    assert cells[2] == ["p", "q", None, ""]
    assert cells[3] == [1, 2, None, 4]
    assert cells[4][0] == 0.1 and cells[4][3] is None


def test_an_empty_table_has_its_columns() -> None:
    content = stored({"name": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
    frame = read_parquet_frame("t", content)
    assert list(frame.columns) == ["name", "n"] and len(frame) == 0
    assert parquet_cells("t", read_parquet_table("t", content)) == [[], []]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", stored(TABLE)[:-5], b"PAR1" * 40])
def test_other_bytes_are_refused_by_name(content: bytes) -> None:
    for read in (read_parquet_table, read_parquet_frame):
        with pytest.raises(ManifestError, match=r"^t.parquet is not a readable Parquet file: "):
            read("t.parquet", content)


def test_bytes_that_are_no_text_are_refused() -> None:
    """Arrow reads a page without a look at its UTF-8."""
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )
    with pytest.raises(ManifestError, match="not a readable Parquet file"):
        read_parquet_table("t", stored({"a": text}))


@pytest.mark.parametrize(
    ("name", "most", "said"),
    [
        ("table-rows", 4, "has 4 rows"),
        ("table-columns", 5, "has 5 columns"),
        ("table-cells", 20, "has 20 cells"),
    ],
)
def test_the_limit_itself_passes_and_one_less_does_not(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int, said: str
) -> None:
    content = stored(TABLE)
    monkeypatch.setenv(ENVIRONMENT, f"{name}={most}")
    assert read_parquet_table("t", content).num_rows == 4
    monkeypatch.setenv(ENVIRONMENT, f"{name}={most - 1}")
    with pytest.raises(ManifestError, match=rf"t {said}; the limit is {most - 1} \(--limit {name}="):
        read_parquet_table("t", content)


def test_bytes_are_bounded_folded_and_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = stored({"a": list(range(3000))}, use_dictionary=False, compression="gzip")
    monkeypatch.setenv(ENVIRONMENT, f"table-bytes={len(content) - 1}")
    with pytest.raises(ManifestError, match=f"t has {len(content):,} bytes"):
        read_parquet_table("t", content)
    unfolded = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).total_byte_size
    monkeypatch.setenv(ENVIRONMENT, f"table-unfolded-bytes={unfolded}")
    assert read_parquet_table("t", content).num_rows == 3000
    monkeypatch.setenv(ENVIRONMENT, f"table-unfolded-bytes={unfolded - 1}")
    with pytest.raises(ManifestError, match=f"claims to unfold from {len(content):,} to {unfolded:,} bytes"):
        read_parquet_table("t", content)


def test_a_long_cell_that_many_rows_repeat_is_counted_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    content = stored({"a": ["x" * 1000] * 50 + [None]})
    table = read_parquet_table("t", content)
    monkeypatch.setenv(ENVIRONMENT, "table-unfolded-bytes=50000")
    assert len(parquet_cells("t", table)[0]) == 51
    monkeypatch.setenv(ENVIRONMENT, "table-unfolded-bytes=49999")
    for read in (lambda: parquet_cells("t", table), lambda: read_parquet_frame("t", content)):
        with pytest.raises(ManifestError, match="t repeats its cells to 50,000 bytes of text"):
            read()


def test_dates_beyond_those_of_python_are_refused() -> None:
    far = pa.array([2**62], pa.timestamp("s"))
    table = pa.table({"when": far})
    with pytest.raises(ManifestError, match="not a readable Parquet file"):
        parquet_cells("t", table)
