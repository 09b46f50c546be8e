"""Prepared images on disk, for data sets that do not fit into memory: read through a memory map, made once.

The images lie in blocks under the cache folder, by recipe, size and images, so that contenders, epochs, cells, shards
and workers share them. A block is whole or absent. Values are those that a small data set keeps in memory (float16),
so the digits of a training do not depend on where its images are kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.parallel import ordered_map
from headtohead.core.progress import Reporter

__all__ = ["BLOCK_BYTES", "Crop", "CropStore"]

Crop = npt.NDArray[np.float16]
BLOCK_BYTES = 64 << 20  # few files for many images, and little memory to write one
OPEN_BLOCKS = 4096  # maps held at a time; an address range each, no memory
SPARE = 1.1  # free space to be left, as a share of what is needed


class CropStore:
    """The prepared images of one data set, recipe and size.

    Args:
        folder: of the blocks, named by all that decides the pixels.
        keys: of the images, in their order.
        side: of the square images in pixels.
    """

    def __init__(self, folder: Path, keys: Sequence[str], side: int) -> None:
        self._folder, self._side = folder, side
        self._per_block = max(1, BLOCK_BYTES // (6 * side * side))  # three channels of float16
        self._keys = tuple(keys)
        # one per store: a cache on the method itself would keep every store alive
        self._block = lru_cache(OPEN_BLOCKS)(self._open)

    @property
    def bytes_needed(self) -> int:
        """Upper bound of the space on disk: every image in colour."""
        return len(self._keys) * 6 * self._side**2

    def has_space(self) -> bool:
        """Return whether what is missing fits on the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = len(self._missing()) * self._per_block * 6 * self._side**2
        return shutil.disk_usage(self._folder).free > SPARE * min(missing, self.bytes_needed)

    def fill(self, prepare: Callable[[int], Crop], reporter: Reporter) -> None:
        """Prepare the images of all missing blocks; one process at a time, the others wait and find them.

        Args:
            prepare: returns (S, S) or (S, S, 3) of the image at a place.
            reporter: hears how far it is.
        """
        from filelock import FileLock

        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / ".lock"):
            missing = self._missing()
            for number in reporter.progress(missing, "prepare images", len(missing)):
                places = range(*self._range(number))
                self._write(number, list(ordered_map(prepare, places, workers=os.cpu_count() or 1)))

    def get(self, index: int) -> Crop:
        """Return the image at a place, (S, S) or (S, S, 3)."""
        values, offsets, colours = self._block(index // self._per_block)
        place = index % self._per_block
        shape = (self._side, self._side, 3) if colours[place] else (self._side, self._side)
        return values[offsets[place] : offsets[place + 1]].reshape(shape)

    def _range(self, number: int) -> tuple[int, int]:
        start = number * self._per_block
        return start, min(start + self._per_block, len(self._keys))

    def _path(self, number: int) -> Path:
        """Return the file of a block: named by its images, so that other images have other blocks."""
        start, end = self._range(number)
        digest = hashlib.sha256("\n".join(self._keys[start:end]).encode()).hexdigest()
        return self._folder / f"crops-{digest[:20]}.npy"

    def _missing(self) -> list[int]:
        blocks = -(-len(self._keys) // self._per_block)
        return [number for number in range(blocks) if not self._path(number).is_file()]

    def _write(self, number: int, crops: Sequence[Crop]) -> None:
        path, buffer = self._path(number), io.BytesIO()
        np.save(buffer, np.concatenate([crop.reshape(-1) for crop in crops]), allow_pickle=False)
        write_atomic(path.with_suffix(".json"), json.dumps([crop.ndim == 3 for crop in crops]))
        # last: a block counts as there where its pixels are
        write_atomic(path, buffer.getvalue())

    def _open(self, number: int) -> tuple[Crop, npt.NDArray[np.int64], list[bool]]:
        path = self._path(number)
        colours = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        sizes = [self._side**2 * (3 if colour else 1) for colour in colours]
        return np.load(path, mmap_mode="r"), np.cumsum([0, *sizes]), colours
