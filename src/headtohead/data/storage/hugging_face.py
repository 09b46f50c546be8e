"""Data sets of the Hugging Face hub through `datasets`: prepared once in its own cache, as Arrow files."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path
from typing import Any

from headtohead.core.errors import DataError, UsageError
from headtohead.core.optional import require

__all__ = ["HF", "fetch_hf"]

HF = "hf:"
"""What a source on the Hugging Face hub starts with."""

HANDLE = re.compile(
    r"(?P<name>\w[\w.-]*/\w[\w.-]*)(:(?P<config>\w[\w.+-]*))?(@(?P<revision>\w[\w./-]*))?", re.ASCII
)
_NO_TELEMETRY = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0", "DO_NOT_TRACK": "1"}


def fetch_hf(handle: str) -> tuple[str, str]:
    """Return the root under which a data set of the hub is opened, downloading it if need be, and a note.

    No code of the data set runs (`datasets` has no scripts any more), nothing is counted or reported, and a data set
    that is in the cache needs no network. The token is `datasets`' own business (`hf auth login`, HF_TOKEN).

    Args:
        handle: "owner/name", with ":config" and "@revision" behind it if wanted.

    Raises:
        UsageError: the handle is not of that form.
        MissingExtraError: `datasets` is not installed.
        DataError: the data set is not available.
    """
    parts = HANDLE.fullmatch(handle)
    if parts is None:
        raise UsageError(
            f"Got hf:{handle}; expected hf:owner/name, hf:owner/name:config or hf:owner/name@revision."
        )
    # before the import, at which datasets and the hub's client read them
    for name, value in _NO_TELEMETRY.items():
        os.environ.setdefault(name, value)
    datasets: Any = require("datasets", "hf", "read data sets of the Hugging Face hub")
    import huggingface_hub

    from headtohead.core.safety.hub_answers import watch_hub

    watch_hub(huggingface_hub)
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # the import may have been earlier
    with contextlib.redirect_stdout(sys.stderr), _quiet(datasets):
        try:
            # with hf://, or a local folder of that name would be read instead
            builder = datasets.load_dataset_builder(
                f"hf://datasets/{parts['name']}", parts["config"], revision=parts["revision"]
            )
            builder.download_and_prepare()
        except Exception as error:  # datasets, the hub's client and arrow raise many kinds
            raise DataError(
                f"The data set hf:{handle} is not available: {type(error).__name__}: {_one_line(error)} Check the "
                "name, the network and your token (hf auth login); where several configurations are listed, name "
                f"one, as hf:{parts['name']}:CONFIG."
            ) from error
    folder = Path(builder.cache_dir)
    return (
        f"{folder}/*.arrow",
        f"Hugging Face data set {handle}, version {folder.name[:12]}, in the cache of datasets.",
    )


@contextlib.contextmanager
def _quiet(datasets: Any) -> Any:
    """Keep `datasets` from drawing bars."""
    shown = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text[:400] + ("" if text.endswith(".") else ".")) if text else ""
