"""A statistic with its interval, and the base of every record of a verdict's tables."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import SerializerFunctionWrapHandler, model_serializer

from headtohead.core.tables.score import Record

__all__ = [
    "Estimate",
    "TableRecord",
]


class TableRecord(Record):
    """A record of a verdict's table.

    Attributes:
        omitted: fields that are left out of the JSON where they are None.
    """

    omitted: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_omitted(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = dump(self)
        return {k: v for k, v in content.items() if v is not None or k not in self.omitted}


class Estimate(TableRecord):
    """A statistic with its interval; None where the statistic, or its interval, is not defined."""

    value: float | None
    low: float | None
    high: float | None
