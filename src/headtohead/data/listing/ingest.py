"""Turn listed files into samples: decode once, hash bytes and pixels, keep the facts and not the pixels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np

from headtohead.core.errors import UnreadableError, UsageError
from headtohead.core.formatting import is_whole
from headtohead.core.parallel import ordered_map
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import CHOSEN_CHANNELS, GIVEN_GROUP, READING, SLICE_AXIS, sample_record
from headtohead.data.entry import Entry
from headtohead.data.file_problems import FileProblem
from headtohead.data.listing.evidence.mask_pixels import FEW_VALUES, has_few_values
from headtohead.data.listing.personal_data import KINDS
from headtohead.data.options import LoadOptions
from headtohead.data.readers.dicom.placeholders import PLACEHOLDER
from headtohead.data.readers.planes import CHANNELS
from headtohead.data.readers.reading import Reading
from headtohead.data.readers.slices import VOLUMES
from headtohead.data.storage.store import AXES, Store, frame_hash, frame_name

__all__ = ["IngestedFile", "digest_entry", "ingest", "pixel_hash", "read_entry", "select_frames"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """Samples of one listed file, or the reasons why there are none."""

    samples: tuple[Sample, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    format: str = ""
    n_frames: int = 1
    n_volumes: int = 1
    """How many volumes the file holds (4-D), of which one is read."""
    n_channels: int = 0
    """How many channels the file holds, where some of them were chosen."""
    patient_unknown: bool = False
    """DICOM file with an empty or placeholder PatientID, and no group was given."""


def pixel_hash(image: Image) -> str:
    """Return the sha256 of shape, type and decoded pixels, the same on every machine."""
    pixels = np.ascontiguousarray(image.pixels)
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    # equal bytes of another shape or type are other pixels
    whole = hashlib.sha256(f"{little.shape}{little.dtype.str}".encode())
    whole.update(little.data)
    return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class FrameSelection:
    """Which frames of a file become samples (`(None,)` for a file with one image), and of how many."""

    numbers: tuple[int | None, ...]
    kind: str = ""
    count: int = 1
    axis: str = "axial"


def select_frames(store: Store, entry: Entry, content: bytes, options: LoadOptions) -> FrameSelection:
    """Return which frames of a file become samples.

    Raises:
        UnreadableError: the content is no image, or has no such frame.
    """
    rule: str | int | None
    axis, rule = split_slices(options.slices)
    kind, count = store.frames(entry.path, content, axis, options.reading)
    if kind in VOLUMES:
        default = "middle"
    else:
        rule, default, axis = options.pages, "first", "axial"
    if entry.frame is not None:
        return FrameSelection((entry.frame,), kind, count, axis)
    if count <= 1:
        return FrameSelection((None,), kind, count, axis)
    return FrameSelection(tuple(_pick(str(default if rule is None else rule), count)), kind, count, axis)


def split_slices(slices: str | int | None) -> tuple[str, str | None]:
    """Return the axis and the rest of the option `slices`.

    >>> split_slices("coronal:middle:5"), split_slices(7), split_slices("sagittal"), split_slices(None)
    (('coronal', 'middle:5'), ('axial', '7'), ('sagittal', None), ('axial', None))
    """
    if slices is None:
        return "axial", None
    head, _, rest = str(slices).partition(":")
    return (head, rest or None) if head in AXES else ("axial", str(slices))


def _pick(rule: str, count: int) -> list[int]:
    """Return the frame numbers that a rule picks of `count`."""
    from headtohead.data.readers.slices import SliceOptions, choose

    word, _, number = rule.partition(":")
    if is_whole(number) and word in ("middle", "count"):
        k = int(number)
        return choose(count, SliceOptions(middle=k) if word == "middle" else SliceOptions(count=k))
    if rule == "middle":
        return choose(count, SliceOptions(middle=1))
    if rule == "all":
        return list(range(count))
    if rule == "first":
        return [0]
    if not is_whole(rule):
        raise UsageError(
            f"Got frames {rule!r}; expected 'first', 'all', 'middle', 'middle:<k>', 'count:<k>' or "
            f"a number, for volumes with the axis in front if wanted ({', '.join(f'{axis}:…' for axis in AXES)})."
        )
    if int(rule) >= count:
        raise UnreadableError(f"frame {rule} was requested; the file holds {count} (0 to {count - 1})")
    return [int(rule)]


def read_entry(store: Store, entry: Entry, options: LoadOptions) -> IngestedFile:
    """Read one listed file into samples, or into the reasons why it cannot be read."""
    try:
        content = store.content(entry.path)
    except UnreadableError as error:
        return IngestedFile(problems=(FileProblem(entry.path, str(error)),))
    try:
        frames = select_frames(store, entry, content, options)
    except UnreadableError as error:
        return IngestedFile(
            # the line of `digest_entry`, or a finished run would take the same data for changed
            problems=(FileProblem(entry.path, str(error), _line(entry, entry.frame, content, "axial")),)
        )
    samples, problems, patient_unknown, n_volumes, n_channels = [], [], False, 1, 0
    for number in frames.numbers:
        try:
            image = store.image(
                entry.path, number, axis=frames.axis, content=content, reading=options.reading
            )
            samples.append(_sample(entry, content, number, image, frames, options.reading))
            patient_unknown = entry.group is None and PLACEHOLDER in image.facts
            n_volumes = int(image.facts.get("volumes", 1))
            n_channels = int(image.facts.get(CHANNELS, 0))
        except UnreadableError as error:  # the other frames of the file stay usable
            line = _line(entry, number, content, frames.axis)
            problems.append(FileProblem(entry.path, _framed(number, str(error)), line))
    return IngestedFile(
        tuple(samples), tuple(problems), frames.kind, frames.count, n_volumes, n_channels, patient_unknown
    )


def digest_entry(store: Store, entry: Entry, options: LoadOptions) -> list[str]:
    """Return the digest lines of one listed file without decoding its pixels."""
    try:
        content = store.content(entry.path)
    except UnreadableError:
        return []
    try:
        frames = select_frames(store, entry, content, options)
    except UnreadableError:
        return [_line(entry, entry.frame, content, "axial")]
    return [_line(entry, number, content, frames.axis) for number in frames.numbers]


def ingest(
    work: Callable[[T], R], items: Sequence[T], *, workers: int | None, label: str, reporter: Reporter = QUIET
) -> Iterator[R]:
    """Yield `work(item)` for all items in their order, computed by threads with bounded read-ahead.

    Args:
        work: called once per item.
        items: listed files.
        workers: number of threads; one per core and at most 8 if None.
        label: shown with the progress.
        reporter: hears the progress.

    Raises:
        UsageError: fewer than one worker.
    """
    n_workers = workers if workers is not None else min(8, os.cpu_count() or 1)
    results = ordered_map(work, items, workers=n_workers)
    yield from reporter.progress(results, label, len(items))


def _sample(
    entry: Entry,
    content: bytes,
    frame: int | None,
    image: Image,
    frames: FrameSelection,
    reading: Reading,
) -> Sample:
    height, width = image.size
    extra = dict(entry.extra)
    if entry.group is not None:
        extra[GIVEN_GROUP] = entry.group
    if frames.axis != "axial":
        extra[SLICE_AXIS] = frames.axis
    if stated := reading.text():
        extra[READING] = stated
    if CHANNELS in image.facts:
        extra[CHOSEN_CHANNELS] = image.facts[CHANNELS]
    if has_few_values(image):
        extra[FEW_VALUES] = "yes"
    return Sample(
        id=entry.path if frame is None else f"{entry.path}#{frame_name(frame, frames.axis)}",
        path=entry.path,
        label=entry.label,
        group=_group(entry, image),
        frame=frame,
        split=entry.split,
        sha256=frame_hash(content, frame, frames.axis),
        pixel_hash=pixel_hash(image),
        width=width,
        height=height,
        n_bytes=len(content),
        mode=image.mode,
        format=image.format,
        suffix=PurePosixPath(entry.path).suffix.lower(),
        bit_depth=image.bit_depth,
        extra=extra,
    )


def _group(entry: Entry, image: Image) -> str:
    """Return the group: as given, else the patient that a DICOM file names, else its series, else the file."""
    if entry.group is not None:
        return entry.group
    for kind in KINDS:
        if kind in image.facts:
            return f"{kind} {image.facts[kind]}"
    return entry.path


def _line(entry: Entry, frame: int | None, content: bytes, axis: str) -> str:
    return sample_record(
        entry.path, frame, entry.label, entry.split, entry.group, frame_hash(content, frame, axis)
    )


def _framed(frame: int | None, reason: str) -> str:
    return reason if frame is None else f"frame {frame}: {reason}"
