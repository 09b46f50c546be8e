"""What is taken of files that hold more than one image can: which volume, which channels, and how many pixels."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from headtohead.core.errors import UsageError
from headtohead.data.readers.limits import Limits

__all__ = ["AS_STORED", "CHANNEL_KINDS", "Reading"]

CHANNEL_KINDS = frozenset({"TIFF", "NPY", "MAT", "HDF5"})
"""Kinds of files that may hold more channels than a colour image has."""

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What is taken of a file.

    Attributes:
        volume: which volume (from 0) of a file that holds a series of them (4-D); None for the first.
        channels: which channels (from 0) become grey (one) or red, green and blue (three); () as stored.
        max_megapixels: the most million pixels that one image may have; None for the usual limit.

    Raises:
        UsageError: a number below 0, or neither one nor three channels.

    >>> Reading.parse(Reading(volume=2, channels=(0, 2, 4)).text()) == Reading(volume=2, channels=(0, 2, 4))
    True
    """

    volume: int | None = None
    channels: tuple[int, ...] = ()
    max_megapixels: float | None = None

    def __post_init__(self) -> None:
        if self.channels and (len(self.channels) not in (1, 3) or min(self.channels) < 0):
            raise UsageError(
                f"Got the channels {','.join(map(str, self.channels))}; expected one (grey) or three (red, green, "
                "blue), counted from 0, such as --channels 0,2,4."
            )
        if self.volume is not None and self.volume < 0:
            raise UsageError(f"Got volume {self.volume}; volumes are counted from 0.")

    def within(self, limits: Limits) -> Limits:
        """Return the limits on one file, with that on pixels as stated."""
        if self.max_megapixels is None:
            return limits
        return replace(limits, pixels=max(1, round(self.max_megapixels * _MILLION)))

    def text(self) -> str:
        """Return what was stated as text, "" where nothing was."""
        stated = {name: value for name, value in asdict(self).items() if value not in (None, (), [])}
        return json.dumps(stated, sort_keys=True) if stated else ""

    @classmethod
    def parse(cls, text: str) -> Reading:
        """Read what `text` returned."""
        found: dict[str, Any] = json.loads(text) if text else {}
        return cls(found.get("volume"), tuple(found.get("channels", ())), found.get("max_megapixels"))


AS_STORED = Reading()
"""Nothing was stated."""
