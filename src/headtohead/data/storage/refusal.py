"""Why a file is no source of images, and what to do with it."""

from __future__ import annotations

from pathlib import Path

from headtohead.core.errors import DataError, UnreadableError
from headtohead.data.readers import is_candidate

__all__ = ["not_data"]

_BYTES_READ = 4096  # enough for any signature and an HTML head
_SIGNATURES = (
    (
        b"PK\x03\x04",
        "is a damaged zip archive: its list of members, which stands at the end, is missing. Perhaps it was not "
        "downloaded completely; get it again",
    ),
    (b"Rar!", "is a RAR archive, which is not read. Unpack it and point at the folder"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read. Unpack it and point at the folder"),
)
_EXPECTED = (
    "Expected a folder, a table (.csv, .tsv, .parquet), an archive (zip, tar, also compressed) or arrays (.npz, .npy, "
    ".h5, .mat) of images and labels."
)


def not_data(path: Path) -> DataError:
    """Return the error for a file that is neither a table nor an archive, with what it seems to be."""
    try:
        with path.open("rb") as file:
            head = file.read(_BYTES_READ)
    except OSError as error:
        return DataError(f"{path.name} cannot be opened: {error.strerror or error}.")
    for signature, words in _SIGNATURES:
        if head.startswith(signature):
            return DataError(f"{path.name} {words}.")
    if path.suffix.casefold() in (".txt", ".lst", ".list"):
        return DataError(
            f"{path.name} is a text file, which is not understood as data. If it lists images, give it a header line "
            "(such as path,label, with commas between the cells) and the suffix .csv."
        )
    try:
        if is_candidate(path.name, head):
            return DataError(
                f"{path.name} is one image. A comparison needs images of two classes: point at the folder that holds "
                "the class folders."
            )
    except UnreadableError:
        pass
    return DataError(f"{path.name} is not understood as data. {_EXPECTED}")
