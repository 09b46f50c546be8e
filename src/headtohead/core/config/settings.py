"""Settings as plain values: into a record with every misfit named, and out of one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from headtohead.core.errors import UsageError
from headtohead.core.records import Record

__all__ = ["explain", "flatten", "parse_record", "without_none"]

R = TypeVar("R", bound=Record)


def parse_record(record: type[R], settings: Mapping[str, Any]) -> R:
    """Return a configuration record from setting -> value; what is left out has its default.

    Raises:
        UsageError: names each setting that does not fit.
    """
    try:
        return record.model_validate(settings)
    except ValidationError as error:
        raise UsageError(f"These settings do not fit: {explain(error)}.") from error


def explain(error: Exception) -> str:
    """Return a validation error in one line: each setting and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return str(error)
    parts = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    return "; ".join(parts)


def without_none(value: Any) -> Any:
    """Return nested settings without those that are None, which TOML cannot hold."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return value


def flatten(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level, {"train": {"epochs": 5}} as {"train.epochs": 5}."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict) and item:
            flat.update(flatten(item, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = item
    return flat
