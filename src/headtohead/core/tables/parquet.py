"""Parquet from elsewhere: what its metadata claims is looked at before a page is read, and text stays folded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import ManifestError
from headtohead.core.safety.limits import limit
from headtohead.core.tables.table_limits import check_cells, check_size

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parquet_cells", "read_parquet_frame", "read_parquet_table"]


def read_parquet_table(name: str, content: bytes) -> Any:
    """Return the Arrow table of a Parquet file; columns of text come as dictionaries.

    A file of kilobytes can claim millions of rows that all repeat one long cell. As a dictionary such a column takes a
    number per row, and each distinct cell once.

    Args:
        name: of the file, for messages.
        content: of the whole file.

    Raises:
        ManifestError: it is no Parquet file, or claims more rows, columns, cells or bytes than the limits.
    """
    import pyarrow
    import pyarrow.parquet

    check_size(name, len(content))
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        facts = file.metadata
        check_cells(name, facts.num_rows, facts.num_columns)
        # total_byte_size is that of the pages once unpacked.
        unfolded = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
        if facts.num_rows < 0 or unfolded < 0:
            raise ValueError("its metadata claims negative counts")
        if unfolded > limit("table-unfolded-bytes"):
            raise ManifestError(
                f"{name} claims to unfold from {len(content):,} to {unfolded:,} bytes; the limit is "
                f"{limit('table-unfolded-bytes'):,} (--limit table-unfolded-bytes=NUMBER raises it)."
            )
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        table = pyarrow.parquet.read_table(io.BytesIO(content), read_dictionary=texts)
        table.validate(full=True)  # offsets and UTF-8, which nothing else looks at before a cell is used
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise ManifestError(
            f"{name} is not a readable Parquet file: {' '.join(str(error).split())}."
        ) from error
    # the pages may hold other counts than the metadata claims
    check_cells(name, table.num_rows, table.num_columns)
    return table


def read_parquet_frame(name: str, content: bytes) -> pd.DataFrame:
    """Return the table of a Parquet file as a frame of plain columns, as `pandas.read_parquet` does.

    Raises:
        ManifestError: as `read_parquet_table`; or cells that are no valid text or dates.
    """
    import pyarrow

    table = read_parquet_table(name, content)
    try:
        _check_letters(name, table)
        for at, kind in enumerate(table.schema):
            if pyarrow.types.is_dictionary(kind.type) and _is_text(kind.type.value_type):
                table = table.set_column(at, kind.name, table.column(at).cast(kind.type.value_type))
        frame: pd.DataFrame = table.to_pandas()
    except (pyarrow.ArrowException, ValueError, OverflowError, TypeError, KeyError, MemoryError) as error:
        raise ManifestError(
            f"{name} is not a readable Parquet file: {' '.join(str(error).split())}."
        ) from error
    return frame


def parquet_cells(name: str, table: Any) -> list[list[Any]]:
    """Return the columns of an Arrow table as lists of Python values; equal cells of text are one object.

    Raises:
        ManifestError: cells that are no valid text or dates, or text beyond the limit.
    """
    import pyarrow

    try:
        _check_letters(name, table)
        return [_values(column) for column in table.columns]
    except (pyarrow.ArrowException, ValueError, OverflowError, TypeError, MemoryError) as error:
        raise ManifestError(
            f"{name} is not a readable Parquet file: {' '.join(str(error).split())}."
        ) from error


def _values(column: Any) -> list[Any]:
    import pyarrow

    found: list[Any] = []
    for chunk in column.chunks:
        if isinstance(chunk, pyarrow.DictionaryArray):
            known = chunk.dictionary.to_pylist()
            found += [None if place is None else known[place] for place in chunk.indices.to_pylist()]
        else:
            found += chunk.to_pylist()
    return found


def _check_letters(name: str, table: Any) -> None:
    """Refuse text that would take far more than it does folded, once cells are stripped, joined or written."""
    import numpy as np
    import pyarrow
    import pyarrow.compute

    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            if isinstance(chunk, pyarrow.DictionaryArray) and len(chunk.dictionary):
                lengths = (
                    pyarrow.compute.binary_length(chunk.dictionary)
                    .fill_null(0)
                    .to_numpy(zero_copy_only=False)
                )
                places = chunk.indices.drop_null().to_numpy(zero_copy_only=False)
                total += int(lengths[places].astype(np.int64).sum())
    if total > limit("table-unfolded-bytes"):
        raise ManifestError(
            f"{name} repeats its cells to {total:,} bytes of text; the limit is "
            f"{limit('table-unfolded-bytes'):,} (--limit table-unfolded-bytes=NUMBER raises it)."
        )


def _is_text(kind: Any) -> bool:
    import pyarrow

    return bool(
        pyarrow.types.is_string(kind)
        or pyarrow.types.is_large_string(kind)
        or pyarrow.types.is_binary(kind)
        or pyarrow.types.is_large_binary(kind)
    )
