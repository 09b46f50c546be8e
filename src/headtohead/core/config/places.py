"""Paths as a run folder keeps them: they lead to the same place again, and tell neither user nor machine.

A path below the user's home is kept as `~/…`, any other as `{run}/…`, seen from the run folder. A relative path is kept
as it was given. Whether the images there are still the same is for the data's digest to say.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["kept", "restored", "without_home"]

RUN: Final = "{run}/"
"""What stands for the run folder."""

_LOCAL = re.compile(r"(?<=path:)(?P<path>[^,()?]+)")


def kept(path: str, run: Path) -> str:
    """Return a path as the run folder keeps it.

    Args:
        path: as the user gave it; a name on a hub is no path, and is returned as it is.
        run: the run folder.
    """
    # A relative path that begins like the mark of the run folder would be read as that mark later.
    if not (Path(path).is_absolute() or path.startswith(("..", "~", RUN))):
        return path
    whole = _whole(path)
    if (below := _below_home(whole)) is not None:
        return below
    try:
        return RUN + Path(os.path.relpath(whole, _whole(str(run)))).as_posix()
    except ValueError:  # on another drive of Windows
        return whole


def restored(text: str, run: Path) -> str:
    """Return the path that a run folder keeps; one that was kept whole, as before, is returned as it is.

    Args:
        text: what `kept` returned.
        run: the run folder, where it lies now.
    """
    if text.startswith(RUN):
        return os.path.normpath(Path(_whole(str(run))) / text.removeprefix(RUN))
    # not `Path.expanduser`, which raises where there is no such user: what was written by hand may name any
    return os.path.expanduser(text) if text.startswith("~") else text  # noqa: PTH111


def without_home(expression: str) -> str:
    """Return a contender's expression with `~` for the user's home in the paths of its weights.

    >>> without_home("ensemble(path:models/a.pth?arch=resnet18,b)")
    'ensemble(path:models/a.pth?arch=resnet18,b)'
    """
    return _LOCAL.sub(lambda found: _below_home(found["path"]) or found["path"], expression)


def _whole(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - by name alone: no link is followed


def _below_home(path: str) -> str | None:
    """Return an absolute path as `~/…`, or None where it is not below the home."""
    if not Path(path).is_absolute():
        return None
    home = _whole("~")
    # the home may be a link, and a path lie below either
    for place in dict.fromkeys((home, os.path.realpath(home))):
        # A service's home may be the root, below which everything lies.
        if place != os.path.abspath(os.sep) and (path == place or path.startswith(place + os.sep)):  # noqa: PTH100
            return "~" + path[len(place) :].replace(os.sep, "/")
    return None
