"""Linear algebra on one thread: small matrices are faster so, and the digits do not depend on the cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["single_threaded_blas"]


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread inside the block; libraries are loaded first, so that all are held."""
    import importlib

    from threadpoolctl import threadpool_limits

    for name in ("scipy.linalg", "sklearn.linear_model"):
        importlib.import_module(name)
    with threadpool_limits(limits=1):
        yield
