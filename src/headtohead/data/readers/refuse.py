"""Turning whatever a library raises into a reason, without passing on its words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headtohead.core.errors import HeadToHeadError, UnreadableError

__all__ = ["refused"]


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """Raise `UnreadableError` with this reason in place of anything that goes wrong inside the block.

    Decoders given hostile bytes raise anything (struct.error, KeyError, MemoryError, and Rust panics,
    which derive from BaseException), so everything is caught save what ends the program. Only the type
    of the error is told: pydicom's messages quote the values of elements, a patient's name among them.

    Args:
        reason: what could not be done, in the words of the user's world, completing "the file is
            refused because …".

    Raises:
        UnreadableError: whatever happened; a reason already found passes through unchanged.
    """
    try:
        yield
    except (HeadToHeadError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - see above
        raise UnreadableError(f"{reason} ({type(error).__name__})") from None
