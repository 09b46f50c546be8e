"""Run folders whose files do not fit together: one error that names the folder, in place of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headtohead.core.errors import RunFolderError

__all__ = ["damaged_run"]

# What views raise on records of other shapes than those that headtohead writes: a key that is missing, a text where a
# number was, a list where a table was, a number out of bounds.
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, MemoryError)


@contextmanager
def damaged_run(folder: Path) -> Iterator[None]:
    """Turn what records of another shape raise into an error that names the folder.

    Raises:
        RunFolderError: names the kind of misfit, and what to do.
    """
    from jinja2 import TemplateError

    try:
        yield
    except (*_MISFITS, TemplateError) as error:
        told = " ".join(str(error).split())[:160] or "no message"
        raise RunFolderError(
            f"The files in {folder} do not fit together ({type(error).__name__}: {told}). The folder is damaged, was "
            "changed, or comes from another version; run the study again, or get the folder again."
        ) from error
