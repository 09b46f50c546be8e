"""Measure one image, here or in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from headtohead.audit.descriptors.image_pass import find_foreground, summarise_image
from headtohead.audit.duplicates.fingerprint import fingerprint, to_grey
from headtohead.audit.duplicates.keypoints import Keypoints, coarse_keypoints, find_keypoints
from headtohead.audit.stored_measures import ImageMeasures
from headtohead.audit.thumbnails import data_uri
from headtohead.core.errors import HeadToHeadError
from headtohead.core.parallel import process_map
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import read_sample
from headtohead.preprocess.suggest import appearance_of

T = TypeVar("T")

__all__ = [
    "MeasuredImage",
    "Measuring",
    "PackedMask",
    "Source",
    "in_processes",
    "measure_image",
    "processes_pay",
]

Mask = npt.NDArray[np.bool_]

PROCESS_FROM = 600
"""Fewer images than these are measured before processes have started (about a second)."""

PROCESS_PIXELS, PROCESS_BYTES = 1 << 22, 1 << 24
"""A process may decode one image beside the others; larger ones stay in threads, which share one bound on memory."""

PASSED_PIXELS = 1 << 18
"""Images of archives and arrays are decoded here and passed to a process: at most 128 at once, 100 MB of this size."""

_CHUNK = 16  # images a task: one takes about 10 ms, handing a task over about 1 ms


class Source(Protocol):
    """What is needed of a dataset: its samples, and their pixels on demand."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All samples."""

    def read(self, sample: Sample) -> Image:
        """Decode one."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """What is measured of each image.

    Attributes:
        classical: the box of the classical crop, too.
        whole: everything; without it only what the duplicate search needs.
        features: local features to be made ready in the same pass: "keypoints", "coarse" or "".
    """

    classical: bool
    whole: bool
    features: str


@dataclass(frozen=True, slots=True)
class PackedMask:
    """A mask of pixels, eight to a byte."""

    height: int
    width: int
    bits: bytes

    @classmethod
    def of(cls, mask: Mask) -> PackedMask:
        """Pack a mask (H, W)."""
        return cls(mask.shape[0], mask.shape[1], np.packbits(mask).tobytes())

    def unpacked(self) -> Mask:
        """Return the mask, bool (height, width)."""
        flat = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=self.height * self.width)
        return flat.reshape(self.height, self.width) > 0


@dataclass(frozen=True, slots=True)
class MeasuredImage:
    """Everything that one decoding of an image gives.

    Attributes:
        measures: figures and fingerprint.
        thumbnail: a small JPEG as a data URI, or "" where none was asked for.
        features: the local features that were asked for.
        mask: where the subject is; None where it was not found.
    """

    measures: ImageMeasures
    thumbnail: str
    features: Keypoints | None
    mask: PackedMask | None


def measure_image(sample: Sample, image: Image, what: Measuring) -> MeasuredImage:
    """Measure a decoded image.

    Args:
        sample: whose image it is.
        image: its pixels.
        what: which parts.
    """
    grey = to_grey(image)
    where = find_foreground(image)
    summary, appearance, thumbnail = None, None, ""
    if what.whole:
        summary = summarise_image(sample.id, image, classical=what.classical, foreground=where)
        appearance, thumbnail = appearance_of(image), data_uri(image)
    features = None
    if what.features:
        make = find_keypoints if what.features == "keypoints" else coarse_keypoints
        features = make(grey, where.mask)
    mask = None if where.mask is None else PackedMask.of(where.mask)
    return MeasuredImage(
        ImageMeasures(summary, fingerprint(image, grey, where.box), appearance), thumbnail, features, mask
    )


def processes_pay(root: str, samples: Sequence[Sample], workers: int) -> bool:
    """Return whether these images are better measured in processes than in threads.

    Many small images are: their work is short calls between which threads wait for one another, so that two
    threads are hardly faster than one. A process reads the images of a folder itself; others are passed to it.

    Args:
        root: of the dataset.
        samples: what is to be measured.
        workers: how many at once.
    """
    return (
        workers > 1
        and len(samples) >= PROCESS_FROM
        and max(sample.width * sample.height for sample in samples)
        <= (PROCESS_PIXELS if _is_folder(root) else PASSED_PIXELS)
        and max(sample.n_bytes for sample in samples) <= PROCESS_BYTES
    )


def in_processes(
    root: str, samples: Sequence[Sample], what: Measuring, workers: int, read: Callable[[Sample], Image]
) -> Iterator[MeasuredImage | str]:
    """Yield what is measured of each sample, or why it could not be read.

    Args:
        root, samples: of the dataset. what: is measured. workers: number of processes.
        read: decodes a sample here, where the data is no folder in which a process finds it.

    Raises:
        ProcessLostError: a process was killed; what was yielded before is right.
    """
    chunks = (tuple(samples[i : i + _CHUNK]) for i in range(0, len(samples), _CHUNK))
    reads_itself = _is_folder(root)

    def passed(chunk: Sequence[Sample]) -> tuple[Image | str, ...] | None:
        return None if reads_itself else tuple(_attempt(partial(read, sample)) for sample in chunk)

    for found in process_map(
        _measured, (_Task(root, chunk, what, passed(chunk)) for chunk in chunks), workers=workers
    ):
        yield from found


@dataclass(frozen=True, slots=True)
class _Task:
    root: str
    samples: tuple[Sample, ...]
    what: Measuring
    images: tuple[Image | str, ...] | None  # or why one cannot be read; None where the process reads them


def _is_folder(root: str) -> bool:
    return bool(root) and Path(root).is_dir()


def _attempt(make: Callable[[], T]) -> T | str:
    """Return what is made of an image, or why it cannot be read."""
    try:
        return make()
    except (HeadToHeadError, OSError) as error:
        return str(error)


def _measured(task: _Task) -> list[MeasuredImage | str]:
    found: list[MeasuredImage | str] = []
    for place, sample in enumerate(task.samples):
        # one by one, so that a process holds one decoded image of a folder
        image = (
            _attempt(partial(read_sample, task.root, sample)) if task.images is None else task.images[place]
        )
        found.append(
            image if isinstance(image, str) else _attempt(partial(measure_image, sample, image, task.what))
        )
    return found
