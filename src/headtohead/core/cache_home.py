"""Where headtohead keeps what it may use again: weights, features, image summaries."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_home"]


def cache_home() -> Path:
    """Return the cache folder: `HEADTOHEAD_HOME`, else `headtohead` in the XDG cache folder."""
    own = os.environ.get("HEADTOHEAD_HOME")
    if own:
        return Path(own).expanduser()
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg).expanduser() if xdg else Path.home() / ".cache") / "headtohead"
