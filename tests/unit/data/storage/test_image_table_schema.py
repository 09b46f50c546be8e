"""Cells and columns of Parquet and Arrow files: what is an image, what is a label, and how both are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headtohead.data.storage.image_tables.schema import (
    arrow_table,
    cell_text,
    chosen_image,
    class_names,
    has_field,
    image_bytes,
    image_columns,
    is_plain,
    schema_of,
)

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.mark.parametrize(
    ("value", "names", "text"),
    [
        (1, ["no", "yes"], "yes"),
        (0, ["no", "yes"], "no"),
        (-1, ["no", "yes"], ""),  # how `datasets` writes an unknown class, and no place from behind
        (2, ["no", "yes"], ""),
        (1, None, "1"),
        (1.0, None, "1"),
        (1.5, None, "1.5"),
        (float("nan"), None, ""),
        (float("inf"), None, "inf"),
        (None, ["no"], ""),
        ([1, 0], ["no", "yes"], "yes|no"),
        ([], ["no", "yes"], ""),
        ("text", ["no"], "text"),
        (b"m\xc3\xbc\xff", None, "mü\ufffd"),
        (True, None, "True"),
    ],
)
def test_values_as_cells(value: Any, names: list[str] | None, text: str) -> None:
    assert cell_text(value, names) == text


def test_which_columns_are_images() -> None:
    schema = pa.schema([
        ("a", STRUCT), ("IMG", pa.binary()), ("jpg", pa.large_binary()), ("blob", pa.binary()), ("image", pa.string()),
        ("box", pa.struct([("bytes", pa.string())])),
    ])  # fmt: skip
    assert image_columns(schema) == ["a", "IMG", "jpg"]


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        (["scan"], "scan"),
        (["scan", "scan_mask"], "scan"),
        (["image_seg", "label_image", "scan"], "scan"),
        (["image_mask"], "image_mask"),  # the only one there is
        (["thumb", "image"], "image"),
    ],
)
def test_the_column_of_the_images(columns: list[str], chosen: str) -> None:
    assert chosen_image(pa.schema([(name, STRUCT) for name in columns]), "a.parquet") == chosen


@pytest.mark.parametrize("columns", [["left", "right"], ["image", "img"], ["a_mask", "b_mask"]])
def test_several_that_could_be_meant_are_listed(columns: list[str]) -> None:
    with pytest.raises(
        ValueError, match=rf"a.parquet holds several columns of images: {columns[0]}, {columns[1]};"
    ):
        chosen_image(pa.schema([(name, STRUCT) for name in columns]), "a.parquet")


def with_features(features: Any) -> Any:
    return pa.schema([]).with_metadata(
        {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    )


def test_names_of_classes_stand_in_the_schema() -> None:
    found = class_names(with_features({
        "label": {"_type": "ClassLabel", "names": ["no", "yes"]},
        "many": {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["a", 1]}},
        "other": {"_type": "Value", "names": ["x"]}, "odd": {"_type": "ClassLabel", "names": "ab"}, "text": "x",
    }))  # fmt: skip
    assert found == {"label": ["no", "yes"], "many": ["a", "1"]}


@pytest.mark.parametrize(
    "metadata", [None, {}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}, {b"huggingface": b"{}"}]
)
def test_a_schema_without_them_has_none(metadata: Any) -> None:
    assert class_names(pa.schema([]).with_metadata(metadata)) == {}
    assert class_names(with_features([1])) == {}


def test_which_columns_are_cells_of_a_table() -> None:
    yes = (pa.int8(), pa.string(), pa.float64(), pa.bool_(), pa.list_(pa.int64()), pa.large_list(pa.string()))
    no = (STRUCT, pa.binary(), pa.large_binary(), pa.list_(pa.float32()), pa.list_(pa.list_(pa.int8())))
    assert all(map(is_plain, yes)) and not any(map(is_plain, no))


def test_both_kinds_of_arrow_files_and_parquet_have_one_schema(tmp_path: Path) -> None:
    table = pa.table({"label": [0, 1], "text": ["a", "b"]})
    with pa.ipc.new_stream(tmp_path / "stream.arrow", table.schema) as stream:
        stream.write_table(table)
    with pa.ipc.new_file(tmp_path / "file.arrow", table.schema) as file:
        file.write_table(table)
    pq.write_table(table, tmp_path / "a.parquet")
    for name in ("stream.arrow", "file.arrow", "a.parquet"):
        assert schema_of(tmp_path / name).names == ["label", "text"]
    assert arrow_table(tmp_path / "file.arrow") == table == arrow_table(tmp_path / "stream.arrow")


def test_bytes_of_an_image() -> None:
    assert image_bytes({"bytes": b"x", "path": None}) == b"x" == image_bytes(b"x")
    assert image_bytes({"bytes": None, "path": "a.png"}) is image_bytes(None) is image_bytes("x") is None


def test_fields_of_a_struct() -> None:
    assert has_field(STRUCT, "bytes") and has_field(STRUCT, "path") and not has_field(STRUCT, "byte")
