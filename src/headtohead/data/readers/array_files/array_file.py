"""Interface of a file of named arrays: what it holds is known before any value is read."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import Limits

__all__ = ["ArrayFile", "ArrayInFile", "check_claim"]

Array = npt.NDArray[Any]

MAX_DIMENSIONS = 8
"""More axes than any array of images has."""


@dataclass(frozen=True, slots=True)
class ArrayInFile:
    """What the file says of one array: its shape and the type of its numbers; `is_text` for characters."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_text: bool = False

    @property
    def n_values(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers."""
        return not self.is_text and self.dtype.kind in "buif"


class ArrayFile(ABC):
    """Named arrays of one file.

    Attributes:
        arrays: name -> what the file says of it.
    """

    arrays: Mapping[str, ArrayInFile]

    @abstractmethod
    def whole(self, name: str) -> Array:
        """Return one array.

        Raises:
            UnreadableError: damaged, or beyond the limits.
        """

    @abstractmethod
    def row(self, name: str, index: int) -> Array:
        """Return one entry along the first axis (the last in a MATLAB file).

        Raises:
            UnreadableError: damaged, or beyond the limits.
        """


def check_claim(name: str, stored: ArrayInFile, limits: Limits) -> None:
    """Refuse an array whose shape is impossible or beyond the limits.

    Raises:
        UnreadableError: with the reason.
    """
    shape = " x ".join(map(str, stored.shape))
    if len(stored.shape) > MAX_DIMENSIONS or min(stored.shape, default=1) < 0:
        raise UnreadableError(f"the array {name!r} claims the impossible shape {shape}")
    if stored.n_values > limits.voxels or stored.n_values * stored.dtype.itemsize > limits.unfolded:
        raise UnreadableError(
            f"the array {name!r} claims {shape} = {stored.n_values:,} values; the limits are {limits.voxels:,} values "
            f"and {limits.unfolded:,} bytes (Limits.voxels, Limits.unfolded)"
        )
