"""Measure one image, here or in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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

__all__ = ["MeasuredImage", "Measuring", "PackedMask", "in_processes", "measure_image", "processes_pay"]

Mask = npt.NDArray[np.bool_]

PROCESS_FROM = 600
"""Fewer images than these are measured before processes have started (about a second)."""

PROCESS_PIXELS, PROCESS_BYTES = 1 << 22, 1 << 24
"""A process may decode one image beside the others; larger ones stay in threads, which share one bound on memory."""

_CHUNK = 16  # images a task: one takes about 10 ms, handing a task over about 1 ms


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
    threads are hardly faster than one. The data must be a folder, which every process opens for nothing.

    Args:
        root: of the dataset.
        samples: what is to be measured.
        workers: how many at once.
    """
    return (
        workers > 1
        and len(samples) >= PROCESS_FROM
        and bool(root)
        and Path(root).is_dir()
        and max(sample.width * sample.height for sample in samples) <= PROCESS_PIXELS
        and max(sample.n_bytes for sample in samples) <= PROCESS_BYTES
    )


def in_processes(
    root: str, samples: Sequence[Sample], what: Measuring, workers: int
) -> Iterator[MeasuredImage | str]:
    """Yield what is measured of each sample, or why it could not be read; each process reads its own.

    Raises:
        ProcessLostError: a process was killed; what was yielded before is right.
    """
    tasks = [_Task(root, tuple(samples[i : i + _CHUNK]), what) for i in range(0, len(samples), _CHUNK)]
    for chunk in process_map(_measured, tasks, workers=workers):
        yield from chunk


@dataclass(frozen=True, slots=True)
class _Task:
    root: str
    samples: tuple[Sample, ...]
    what: Measuring


def _measured(task: _Task) -> list[MeasuredImage | str]:
    found: list[MeasuredImage | str] = []
    for sample in task.samples:
        try:
            found.append(measure_image(sample, read_sample(task.root, sample), task.what))
        except (HeadToHeadError, OSError) as error:
            found.append(str(error))
    return found
