"""Which columns of a Parquet or Arrow file are images, and how the others become text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headtohead.data.file_problems import truncate_list

__all__ = [
    "arrow_table",
    "cell_text",
    "chosen_image",
    "class_names",
    "has_field",
    "image_bytes",
    "image_columns",
    "is_plain",
    "schema_of",
]

_IMAGES = ("image", "img", "images", "picture", "pixel_values", "jpg", "png", "photo")
_NO_IMAGES = ("mask", "seg", "annotation", "label")


def schema_of(path: Path) -> Any:
    """Return the schema of a Parquet or Arrow file."""
    import pyarrow.parquet as pq

    return arrow_table(path).schema if path.suffix.lower() == ".arrow" else pq.read_schema(path)


def arrow_table(path: Path) -> Any:
    """Return an Arrow file of either kind, mapped."""
    import pyarrow as pa

    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(source).read_all()  # what `datasets` writes; others end in a footer
    except pa.ArrowInvalid:
        return pa.ipc.open_file(source).read_all()


def image_columns(schema: Any) -> list[str]:
    """Return the columns that hold images: structs with bytes, and bytes under a usual name."""
    import pyarrow as pa

    binary = (pa.types.is_binary, pa.types.is_large_binary)
    found = []
    for field in schema:
        kind = field.type
        if (
            pa.types.is_struct(kind)
            and any(f.name == "bytes" and any(b(f.type) for b in binary) for f in kind)
        ) or (any(b(kind) for b in binary) and field.name.lower() in _IMAGES):
            found.append(field.name)
    return found


def chosen_image(schema: Any, name: str) -> str:
    """Return the column of the images: the only one, or the only one that is no mask.

    Raises:
        ValueError: several could be meant.
    """
    found = image_columns(schema)
    plain = [column for column in found if not any(word in column.lower() for word in _NO_IMAGES)] or found
    named = [column for column in plain if column.lower() in _IMAGES[:2]] if len(plain) > 1 else plain
    if len(named) != 1:
        raise ValueError(
            f"{name} holds several columns of images: {truncate_list(plain)}; write one of them to a file of its own"
        )
    return named[0]


def class_names(schema: Any) -> Mapping[str, list[str]]:
    """Return column -> names of its classes, as `datasets` writes them into the schema (ClassLabel)."""
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = info["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    found = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else None
        names = inner.get("names") if isinstance(inner, dict) else None
        if isinstance(names, list) and inner is not None and inner.get("_type") == "ClassLabel":
            found[str(column)] = [str(word) for word in names]
    return found


def cell_text(value: Any, names: list[str] | None) -> str:
    """Return a value as the text of a cell: a class by its name, several values as `A|B`, none as ""."""
    if isinstance(value, list):
        return "|".join(cell_text(item, names) for item in value)
    if value is None or value != value:
        return ""
    if names is not None and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def is_plain(kind: Any) -> bool:
    """Tell whether a column's values can be cells of a table."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        # lists of floats are features and no labels
        return not pa.types.is_nested(kind.value_type) and not pa.types.is_floating(kind.value_type)
    return (
        not pa.types.is_nested(kind) and not pa.types.is_binary(kind) and not pa.types.is_large_binary(kind)
    )


def has_field(kind: Any, name: str) -> bool:
    """Tell whether a struct has a field of this name."""
    return any(field.name == name for field in kind)


def image_bytes(value: Any) -> bytes | None:
    """Return the bytes of a value of an image column, None where it holds none."""
    found = value.get("bytes") if isinstance(value, dict) else value
    return found if isinstance(found, bytes) else None
