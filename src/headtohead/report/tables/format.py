"""A report table, and the format of its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headtohead.core.tables.estimate import Estimate
from headtohead.core.tables.score import Score

__all__ = ["ReportTable", "digits", "format_estimate", "nearest", "p_words", "signed_digits", "true_minus"]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table with its heading and a sentence above it."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def format_estimate(estimate: Estimate | Score | float | None) -> str:
    """Format a number with its interval, "" where there is none.

    >>> format_estimate(Estimate(value=0.9, low=0.8, high=0.95)), format_estimate(0.25), format_estimate(None)
    ('0.900 [0.800, 0.950]', '0.250', '')
    """
    if estimate is None:
        return ""
    if isinstance(estimate, float):
        return digits(estimate)
    note = estimate.note if isinstance(estimate, Score) else ""
    if estimate.value is None:
        return f"not defined ({note})" if note else "not defined"
    if estimate.low is None or estimate.high is None:
        return digits(estimate.value)
    return f"{digits(estimate.value)} [{digits(estimate.low)}, {digits(estimate.high)}]"


def digits(value: float) -> str:
    """Return three decimals with a true minus, never "-0.000".

    >>> digits(-0.0412), digits(-0.0001)
    ('−0.041', '0.000')
    """
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text.replace("-", "−")


def signed_digits(value: float) -> str:
    """Return three decimals with a sign, a true minus, and no sign for zero.

    >>> signed_digits(0.0412), signed_digits(-0.0412), signed_digits(-0.0001)
    ('+0.041', '−0.041', '0.000')
    """
    text = digits(abs(value))
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def true_minus(text: str) -> str:
    """Return a sentence in which the hyphens before numbers are minus signs.

    >>> true_minus("slope -0.2 [-1, 3] of vit-b16")
    'slope −0.2 [−1, 3] of vit-b16'
    """
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def nearest(values: Sequence[float], target: float) -> int:
    """Return the index of the value closest to the target; of two, the first."""
    return min(range(len(values)), key=lambda i: abs(values[i] - target))


def p_words(value: float | None) -> str:
    """Return a p-value with three decimals, "< 0.001" below that and "" for none."""
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
