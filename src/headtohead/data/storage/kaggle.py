"""Data sets of Kaggle through kagglehub: kept in kagglehub's own cache and read as a folder."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path

from headtohead.core.errors import DataError, UsageError
from headtohead.core.optional import require

__all__ = ["KAGGLE", "fetch_kaggle"]

KAGGLE = "kaggle:"
"""What a source on Kaggle starts with."""

HANDLE = re.compile(r"\w[\w.-]*/\w[\w.-]*(/versions/\d+)?")


def fetch_kaggle(handle: str) -> tuple[Path, str]:
    """Return the folder of a Kaggle data set, downloading it if it is not in the cache, and a note.

    Args:
        handle: "owner/set", or "owner/set/versions/3", which needs no network once cached.

    The token is kagglehub's business (`~/.kaggle/access_token`, `~/.kaggle/kaggle.json` or the
    KAGGLE_… environment variables); it is neither read nor passed on here.

    Raises:
        UsageError: the handle is not of that form.
        MissingExtraError: kagglehub is not installed.
        DataError: the data set is not available.
    """
    if not HANDLE.fullmatch(handle):
        raise UsageError(
            f"Got kaggle:{handle}; expected kaggle:owner/set or kaggle:owner/set/versions/<number>."
        )
    hub = require("kagglehub", "kaggle", "download data sets from Kaggle")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # kagglehub talks; stdout is for results
            folder = Path(hub.dataset_download(handle))
    except Exception as error:  # kagglehub and requests raise many kinds
        raise DataError(
            f"The Kaggle data set {handle!r} is not available: {type(error).__name__}: {_one_line(error)} Check "
            "the name, the network and your Kaggle token (kaggle.com, Settings, API). Without network, name "
            "the version that was downloaded before (kaggle:owner/set/versions/<number>), or give the path "
            "of a folder."
        ) from error
    return folder, f"Kaggle data set {handle}, {_version(folder)}, in kagglehub's cache."


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text[:300] + ("" if text.endswith(".") else ".")) if text else ""


def _version(folder: Path) -> str:
    """Return which version a folder of kagglehub's cache holds: it ends in versions/<number>."""
    return f"version {folder.name}" if folder.parent.name == "versions" else "version unknown"
