"""What the tables of a verdict are made of: a table with its heading, and a number with its interval in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["ReportTable", "digits", "format_estimate", "nearest", "p_words"]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table with its heading and a sentence above it."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def format_estimate(value: Any) -> str:
    """Return a number with its interval in words, "" where there is none.

    >>> format_estimate({"value": 0.9, "low": 0.8, "high": 0.95}), format_estimate({"value": None, "note": "one class"})
    ('0.900 [0.800, 0.950]', 'not defined (one class)')
    """
    if isinstance(value, (int, float)):
        return digits(value)
    if not isinstance(value, Mapping):
        return ""
    if value.get("value") is None:
        return f"not defined ({value['note']})" if value.get("note") else "not defined"
    if value.get("low") is None or value.get("high") is None:
        return digits(value["value"])
    return f"{digits(value['value'])} [{digits(value['low'])}, {digits(value['high'])}]"


def digits(value: float) -> str:
    """Return three decimals, never "-0.000"."""
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def nearest(xs: Sequence[float], wanted: float) -> int:
    """Return the position of the number next to what is wanted; of two, the first."""
    return min(range(len(xs)), key=lambda i: abs(xs[i] - wanted))


def p_words(value: float | None) -> str:
    """Return a p-value with three decimals, "< 0.001" below that and "" for none."""
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
