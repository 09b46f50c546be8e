"""TIFF directories that do not hold what they claim."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image

Array = npt.NDArray[Any]


Maker = Callable[..., bytes]


def scene(height: int = 33, width: int = 47) -> Array:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_tiff_directories_that_lie(tiff: Maker) -> None:
    sound = bytearray(tiff(scene()[..., 0]))
    (count,) = struct.unpack_from("<H", sound, 8)
    circle = bytearray(sound)
    struct.pack_into("<I", circle, 10 + 12 * count, 8)
    with pytest.raises(UnreadableError, match="run in a circle"):
        read_image(bytes(circle))
    greedy = bytearray(sound)
    struct.pack_into("<HHII", greedy, 10, 256, 2, 900_000_000, 8)
    with pytest.raises(UnreadableError, match="claims 900,000,000 bytes"):
        read_image(bytes(greedy))
    with pytest.raises(UnreadableError, match="4000000000 x 4000000000"):
        read_image(tiff(scene()[..., 0], {322: 4_000_000_000, 323: 4_000_000_000}))
