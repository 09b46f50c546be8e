"""The distinct images of a dataset: described once, looked at again only for an alignment."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from headtohead.audit.duplicates.fingerprint import FINE, VIEWS, fingerprint, to_grey
from headtohead.audit.duplicates.keypoints import Keypoints, coarse_keypoints, find_keypoints
from headtohead.core.errors import HeadToHeadError
from headtohead.core.records import Image, Sample

__all__ = ["DistinctImages", "Source", "ordered_map"]

A = TypeVar("A")
B = TypeVar("B")
_CACHED_VIEWS = 3000
"""At up to 130 kB each, 400 MB."""

_CACHED_GLANCES = 8000
"""At up to 40 kB each, 320 MB."""


class Source(Protocol):
    """What is needed of a dataset: its samples, and their pixels on demand."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All samples."""

    def read(self, sample: Sample) -> Image:
        """Decode one."""


def ordered_map(work: Callable[[A], B], items: Iterable[A], workers: int) -> Iterator[B]:
    """Yield `work(item)` in the order of the items, a bounded number ahead, in threads.

    Linear algebra keeps to one thread meanwhile: its matrices are small here, and threads that wait for
    each other cost more than they bring.
    """
    rest = iter(items)
    with threadpool_limits(1, "blas"):
        if workers <= 1:
            yield from map(work, rest)
            return
        with ThreadPoolExecutor(workers) as pool:
            ahead = [pool.submit(work, item) for item in islice(rest, 4 * workers)]
            while ahead:
                yield ahead.pop(0).result()
                ahead += [pool.submit(work, item) for item in islice(rest, 1)]


class DistinctImages:
    """One representative per pixel hash, in the order of the hashes, whatever the order on disk.

    Attributes:
        samples: the representatives (the smallest id of each hash).
        members: the ids behind each, sorted.
        unread: sample id -> why it could not be read; such images match by their hash alone.
        featureless: how many have no contrast; they match by their hash alone, too.
    """

    def __init__(self, source: Source, workers: int | None = None) -> None:
        behind: dict[str, list[Sample]] = {}
        for sample in sorted(source.samples, key=lambda one: one.id):
            behind.setdefault(sample.pixel_hash, []).append(sample)
        ordered = [behind[key] for key in sorted(behind)]
        self._read = source.read
        self.samples = [same[0] for same in ordered]
        self.members = [[one.id for one in same] for same in ordered]
        self.unread: dict[str, str] = {}
        self.featureless = 0
        self.workers = workers or min(8, os.cpu_count() or 1)
        self._views = _Kept(lambda index: find_keypoints(self._grey(index)), _CACHED_VIEWS)
        self._glances = _Kept(lambda index: coarse_keypoints(self._grey(index)), _CACHED_GLANCES)

    def __len__(self) -> int:
        return len(self.samples)

    def id(self, index: int) -> str:
        """Return the id that stands for a distinct image."""
        return self.samples[index].id

    def _describe(self, sample: Sample) -> tuple[npt.NDArray[np.float16], str]:
        try:
            image = self._read(sample)
        except HeadToHeadError as error:
            return np.zeros((VIEWS, FINE, FINE), np.float16), str(error)
        return fingerprint(image, to_grey(image)), ""

    def describe(self) -> Iterator[npt.NDArray[np.float16]]:
        """Yield the fingerprint of each distinct image."""
        for sample, (blocks, reason) in zip(
            self.samples, ordered_map(self._describe, self.samples, self.workers), strict=True
        ):
            if reason:
                self.unread[sample.id] = reason
            elif not blocks.any():
                self.featureless += 1
            yield blocks

    def keypoints(self, index: int) -> Keypoints:
        """Return an image made ready for alignment."""
        return self._views.get(index)

    def coarse_keypoints(self, index: int) -> Keypoints:
        """Return an image made ready for a quick try."""
        return self._glances.get(index)

    def _grey(self, index: int) -> npt.NDArray[np.uint8]:
        return to_grey(self._read(self.samples[index]))


class _Kept:
    """What was made last, up to a number of items; for several threads."""

    def __init__(self, make: Callable[[int], Keypoints], most: int) -> None:
        self._make, self._most = make, most
        self._items: OrderedDict[int, Keypoints] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, index: int) -> Keypoints:
        """Return an item, made anew if it was dropped."""
        with self._lock:
            if index in self._items:
                self._items.move_to_end(index)
                return self._items[index]
        made = self._make(index)
        with self._lock:
            self._items[index] = made
            while len(self._items) > self._most:
                self._items.popitem(last=False)
        return made
