"""HEIC through a decoder that the user has installed.

The wheels of pillow-heif and pi-heif hold libraries under LGPL and GPL, so neither is an extra here.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util

__all__ = ["decoder", "register"]

_MODULES = ("pillow_heif", "pi_heif")


@functools.cache
def decoder() -> str:
    """Return the module that decodes HEIC, "" where none is installed."""
    return next((name for name in _MODULES if importlib.util.find_spec(name) is not None), "")


def register() -> None:
    """Teach Pillow the format."""
    importlib.import_module(decoder()).register_heif_opener()
