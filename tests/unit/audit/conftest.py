"""Images in memory, for tests that need no files."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy.typing as npt
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image, Sample


class InMemory:
    """Stands for a dataset; the label is the id's first letter; `broken` ones cannot be read again."""

    def __init__(
        self,
        images: dict[str, npt.NDArray[Any]],
        groups: dict[str, str] | None = None,
        broken: tuple[str, ...] = (),
    ) -> None:
        self._pixels, self._groups, self._broken = images, groups or {}, broken
        self.reads = 0
        self.samples = tuple(self._sample(name, pixels) for name, pixels in images.items())

    def _sample(self, name: str, pixels: npt.NDArray[Any]) -> Sample:
        mark = hashlib.sha256(repr((pixels.shape, pixels.dtype)).encode() + pixels.tobytes()).hexdigest()
        return Sample(
            id=name,
            path=name,
            label=name[0],
            group=self._groups.get(name, name),
            sha256=mark,
            pixel_hash=mark,
            width=pixels.shape[1],
            height=pixels.shape[0],
            n_bytes=pixels.nbytes,
            mode="L",
            format="PNG",
            suffix=".png",
            bit_depth=8,
        )

    def read(self, sample: Sample) -> Image:
        self.reads += 1
        if sample.id in self._broken:
            raise UnreadableError(f"{sample.id}: truncated")
        return Image(self._pixels[sample.id], 8, "L", "PNG")


@pytest.fixture(scope="session")
def in_memory() -> type[InMemory]:
    """The class itself: `in_memory({"a1": pixels, …})` is a dataset."""
    return InMemory
