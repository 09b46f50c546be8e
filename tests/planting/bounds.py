"""How much memory a call takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

__all__ = ["peak_of"]


def peak_of(job: Callable[[], object]) -> int:
    """Return the peak of the bytes that Python and NumPy hold while a call runs, above what they held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        job()
        _, peak = tracemalloc.get_traced_memory()
        return peak - before
    finally:
        tracemalloc.stop()
