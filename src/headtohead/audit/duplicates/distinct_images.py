"""The distinct images of a dataset, one for each set of equal pixels, as the duplicate search sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.keypoints import Keypoints
from headtohead.core.records import Sample

__all__ = ["DistinctImages", "Measured"]


class Measured(Protocol):
    """What the search asks of the images (`headtohead.audit.image_index.ImageIndex`)."""

    workers: int

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All samples."""

    def fingerprints(self, samples: tuple[Sample, ...]) -> Iterator[tuple[npt.NDArray[np.float16], str]]:
        """Yield the fingerprint of each sample, and why it could not be read."""

    def keypoints(self, sample: Sample) -> Keypoints:
        """Return local features for an alignment."""

    def coarse_keypoints(self, sample: Sample) -> Keypoints:
        """Return local features for a quick try."""


class DistinctImages:
    """One representative per pixel hash, in the order of the hashes, whatever the order on disk.

    Args:
        measured: the measures of all images.

    Attributes:
        samples: the representatives (the smallest id of each hash).
        members: the ids behind each, sorted.
        unread: sample id -> why it could not be read; such images match by their hash alone.
        featureless: how many have no contrast; they match by their hash alone, too.
    """

    def __init__(self, measured: Measured) -> None:
        behind: dict[str, list[Sample]] = {}
        for sample in sorted(measured.samples, key=lambda one: one.id):
            behind.setdefault(sample.pixel_hash, []).append(sample)
        ordered = [behind[key] for key in sorted(behind)]
        self._measured = measured
        self.samples = tuple(same[0] for same in ordered)
        self.members = [[one.id for one in same] for same in ordered]
        self.unread: dict[str, str] = {}
        self.featureless = 0
        self.workers = measured.workers

    def __len__(self) -> int:
        return len(self.samples)

    def id(self, index: int) -> str:
        """Return the id that stands for a distinct image."""
        return self.samples[index].id

    def describe(self) -> Iterator[npt.NDArray[np.float16]]:
        """Yield the fingerprint of each distinct image."""
        described = self._measured.fingerprints(self.samples)
        for sample, (blocks, reason) in zip(self.samples, described, strict=True):
            if reason:
                self.unread[sample.id] = reason
            elif not blocks.any():
                self.featureless += 1
            yield blocks

    def keypoints(self, index: int) -> Keypoints:
        """Return an image's local features, made ready for alignment."""
        return self._measured.keypoints(self.samples[index])

    def coarse_keypoints(self, index: int) -> Keypoints:
        """Return an image's local features, made ready for a quick try."""
        return self._measured.coarse_keypoints(self.samples[index])
