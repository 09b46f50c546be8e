"""Turn any exception of a decoder into `UnreadableError`, without passing on its message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headtohead.core.errors import HeadToHeadError, UnreadableError

__all__ = ["decoding_errors", "missing_decoder"]


_PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "openjpeg": "pylibjpeg-openjpeg",
    "jpeg_ls": "pyjpegls",
    "_CharLS": "pyjpegls",
}
"""Packages whose modules have another name."""


def missing_decoder(package: str, stored_as: str = "") -> UnreadableError:
    """Return the error for a file that is sound, but whose decoder is not installed.

    Args:
        package: what has to be installed.
        stored_as: how the pixels are stored, where that is known.
    """
    kind = f" (its pixels are stored as {stored_as})" if stored_as else ""
    return UnreadableError(
        f"the decoder {package} is missing; install it with `pip install {package}`: the file itself is not "
        f"found damaged{kind}"
    )


@contextmanager
def decoding_errors(reason: str) -> Iterator[None]:
    """Raise `UnreadableError` with this reason in place of anything that goes wrong inside the block.

    Decoders given hostile bytes raise anything (struct.error, KeyError, MemoryError, and Rust panics,
    which derive from BaseException), so everything is caught save what ends the program. Only the type
    of the error is given: pydicom's messages quote the values of elements, a patient's name among them.

    Args:
        reason: what could not be done, in the words of the user's world, completing "the file is
            refused because …".

    Raises:
        UnreadableError: whatever happened; a reason already found passes through unchanged. A module
            that cannot be imported is reported as such: nothing is wrong with the file.
    """
    try:
        yield
    except (HeadToHeadError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except ImportError as error:
        name = (error.name or "of this format").partition(".")[0]
        raise missing_decoder(_PACKAGES.get(name, name)) from None
    except BaseException as error:  # noqa: BLE001 - see above
        raise UnreadableError(f"{reason} ({type(error).__name__})") from None
