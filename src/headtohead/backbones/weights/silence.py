"""Keeps the libraries that load weights from talking in between."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["hidden_bars", "suppress_library_output"]


@contextmanager
def suppress_library_output() -> Iterator[None]:
    """Keep timm, transformers and the hub's client from logging and drawing bars while they load."""
    loggers = [logging.getLogger(name) for name in ("timm", "transformers", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with _no_bars():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _no_bars() -> Iterator[None]:
    import sys

    # where transformers is not loaded it draws no bars, and importing it is slow
    shown = sys.modules.get("transformers.utils.logging")
    was_on = shown is not None and shown.is_progress_bar_enabled()
    if shown is not None:
        shown.disable_progress_bar()
    try:
        yield
    finally:
        if shown is not None and was_on:
            shown.enable_progress_bar()


@contextmanager
def hidden_bars(hub: Any) -> Iterator[None]:
    """Hide the progress bars of `huggingface_hub` inside the block."""
    was_off = hub.utils.are_progress_bars_disabled()
    hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        if not was_off:
            hub.utils.enable_progress_bars()
