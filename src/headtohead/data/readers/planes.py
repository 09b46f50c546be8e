"""Choose one or three of the channels of an image that has more than a colour image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError

__all__ = ["CHANNELS", "channel_axis", "check_channels", "take_channels"]

Array = npt.NDArray[Any]

CHANNELS = "channels"
"""The fact of an image that tells how many channels its file holds, where some of them were chosen."""


def channel_axis(shape: tuple[int, ...]) -> int | None:
    """Return the axis of three that is shorter than both others, None where there is none or other than three axes.

    >>> channel_axis((64, 64, 5)), channel_axis((7, 64, 48)), channel_axis((64, 64))
    (2, 0, None)
    """
    if len(shape) != 3:
        return None
    shortest = int(np.argmin(shape))
    return shortest if sorted(shape)[0] < sorted(shape)[1] else None


def check_channels(channels: tuple[int, ...], count: int) -> int:
    """Refuse a channel that the image does not have; return 1, the number of images that it is.

    Raises:
        UnreadableError: with how many channels there are.
    """
    if max(channels) >= count:
        raise UnreadableError(
            f"channel {max(channels)} was requested; the file holds {count} (0 to {count - 1})"
        )
    return 1


def take_channels(stored: Array, channels: tuple[int, ...]) -> tuple[Array, tuple[str, ...], dict[str, str]]:
    """Return (H, W) of one or (H, W, 3) of three channels of (H, W, C), the sentence about it, and the fact.

    Raises:
        UnreadableError: there is no such channel.
    """
    count = stored.shape[-1]
    check_channels(channels, count)
    taken = stored[..., channels[0]] if len(channels) == 1 else stored[..., list(channels)]
    names = ", ".join(map(str, channels))
    word = "Channel" if len(channels) == 1 else "Channels"
    note = f"{word} {names} of {count} taken (counted from 0)."
    return np.ascontiguousarray(taken), (note,), {CHANNELS: str(count)}
