"""Everything that is measured of the images, from one decoding of each.

The audit's checks, the duplicate search, the choice of a recipe and the report's thumbnails all ask this index.
It decodes an image once, computes all parts, keeps the small ones in memory and all of them in a
`SummaryStore`, so that parts that were dropped from memory, and whole later studies, read them back.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Protocol

import numpy as np
from cachetools import LRUCache
from threadpoolctl import threadpool_limits

from headtohead.audit.descriptors.image_pass import (
    Foreground,
    ImageSummaries,
    ImageSummary,
    find_foreground,
    summarise_image,
)
from headtohead.audit.duplicates.candidates import IN_FULL, VOTED
from headtohead.audit.duplicates.find import search_groups
from headtohead.audit.duplicates.fingerprint import FINE, VIEWS, fingerprint, to_grey
from headtohead.audit.duplicates.keypoints import Keypoints, coarse_keypoints, find_keypoints
from headtohead.audit.duplicates.records import Grouping
from headtohead.audit.stored_measures import (
    F16,
    ImageMeasures,
    keypoints_from_bytes,
    keypoints_to_bytes,
    measures_from_bytes,
    measures_to_bytes,
)
from headtohead.audit.summary_store import SummaryStore
from headtohead.audit.thumbnails import data_uri
from headtohead.core.errors import HeadToHeadError
from headtohead.core.parallel import ordered_map
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Image, Sample
from headtohead.preprocess.suggest import Appearance, appearance_of

__all__ = ["ImageIndex", "find_groups"]

KEPT_BYTES = 400 << 20  # of keypoints in memory: those of about 2,500 images; the others are read back


class Source(Protocol):
    """What is needed of a dataset: its samples, and their pixels on demand."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All samples."""

    def read(self, sample: Sample) -> Image:
        """Decode one."""


class ImageIndex:
    """What is measured of each image of a dataset; each image is decoded when it is first needed, and once.

    Args:
        source: samples and their pixels.
        store: where parts are kept between studies; None keeps them in memory alone.
        classical: also find the box of the classical crop.
        whole: measure everything; without it only what the duplicate search needs, and nothing is stored.
        workers: threads; the processor's cores and at most 8 if None. No result depends on it.
        reporter: hears how far the pass is.
    """

    def __init__(
        self,
        source: Source,
        *,
        store: SummaryStore | None = None,
        classical: bool = True,
        whole: bool = True,
        workers: int | None = None,
        reporter: Reporter = QUIET,
    ) -> None:
        self._source, self._classical, self._whole = source, classical, whole
        self._store = store if whole else None
        self._reporter = reporter
        self.workers = workers or min(8, os.cpu_count() or 1)
        n = len({sample.pixel_hash for sample in source.samples})
        # What the duplicate search will ask of every image of a set of this size.
        self._eager = "keypoints" if n <= IN_FULL else "coarse" if n <= VOTED else ""
        self._lock = threading.Lock()  # caches of cachetools are not made for several threads
        self._measured: dict[str, ImageMeasures | str] = {}
        self._keypoints: LRUCache[tuple[str, str], Keypoints] = LRUCache(KEPT_BYTES, getsizeof=_size)
        self._thumbnails: dict[str, str] = {}

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples of the dataset."""
        return self._source.samples

    def run(self, samples: tuple[Sample, ...] | None = None) -> None:
        """Make sure that images are measured.

        Args:
            samples: which; all of the dataset if None.
        """
        chosen = self.samples if samples is None else samples
        missing = [sample for sample in chosen if sample.id not in self._measured]
        if not missing:
            return
        # the threads of the pass take the cores already
        with threadpool_limits(1, "blas"):
            results = ordered_map(self._measure, missing, workers=self.workers)
            for sample, result in zip(
                missing, self._reporter.progress(results, "measuring images", len(missing)), strict=True
            ):
                self._measured[sample.id] = result

    def summaries(self) -> ImageSummaries:
        """Return the measures of every image, in the order of the dataset."""
        self.run()
        results = [self._measured[sample.id] for sample in self.samples]
        unread = {s.id: r for s, r in zip(self.samples, results, strict=True) if isinstance(r, str)}
        return ImageSummaries(tuple(None if isinstance(r, str) else r.summary for r in results), unread)

    def fingerprints(self, samples: tuple[Sample, ...]) -> Iterator[tuple[F16, str]]:
        """Yield the fingerprint of each sample, and why it could not be read ("" where it could)."""
        self.run(None if self._whole else samples)
        for sample in samples:
            result = self._measured[sample.id]
            if isinstance(result, str):
                yield np.zeros((VIEWS, FINE, FINE), np.float16), result
            else:
                yield result.fingerprint, ""

    def appearances(self, samples: tuple[Sample, ...]) -> Iterator[Appearance]:
        """Yield what the choice of a recipe asks of each sample that can be read."""
        self.run()
        for sample in samples:
            result = self._measured[sample.id]
            if not isinstance(result, str) and result.appearance is not None:
                yield result.appearance

    def keypoints(self, sample: Sample) -> Keypoints:
        """Return a sample's local features, made ready for alignment."""
        return self._part(sample, "keypoints", find_keypoints)

    def coarse_keypoints(self, sample: Sample) -> Keypoints:
        """Return a sample's local features at half the size, for a quick try."""
        return self._part(sample, "coarse", coarse_keypoints)

    def thumbnail(self, sample: Sample) -> str:
        """Return a small JPEG as a data URI.

        Raises:
            UnreadableError: the image cannot be decoded.
        """
        with self._lock:
            known = self._thumbnails.get(sample.id)
        if known is None and self._store is not None:
            content = self._store.get(self._key(sample), "thumbnail")
            known = None if content is None else content.decode("ascii")
        if known is None:
            known = data_uri(self._source.read(sample))
            self._keep_thumbnail(sample, known)
        return known

    def groups(self, *, similar: bool = False) -> Grouping:
        """Return which samples show the same scene; from the store where the same images were searched before.

        Args:
            similar: also join pairs that are possibly of one patient.
        """
        if self._store is None:
            return search_groups(self, reporter=self._reporter, similar=similar)
        # the label too: whether a group swallows a class is for the search to say
        lines = [
            f"{s.id}\0{s.pixel_hash}\0{s.label}\0{s.group}\0{sorted(s.extra.items())}" for s in self.samples
        ]
        key = hashlib.sha256("\n".join([str(similar), *lines]).encode()).hexdigest()
        content = self._store.get(key, "grouping")
        if content is not None:
            return Grouping.from_record(json.loads(content))
        grouping = search_groups(self, reporter=self._reporter, similar=similar)
        self._store.put(key, "grouping", json.dumps(asdict(grouping)).encode())
        return grouping

    def _part(self, sample: Sample, kind: str, make: Callable[..., Keypoints]) -> Keypoints:
        with self._lock:
            known: Keypoints | None = self._keypoints.get((sample.id, kind))
        if known is None and self._store is not None:
            known = keypoints_from_bytes(self._store.get(self._key(sample), kind))
        if known is None:
            image = self._source.read(sample)
            known = make(to_grey(image), find_foreground(image).mask)
            if self._store is not None:
                self._store.put(self._key(sample), kind, keypoints_to_bytes(known))
        self._remember(sample, kind, known)
        return known

    def _remember(self, sample: Sample, kind: str, keypoints: Keypoints) -> None:
        with self._lock:
            self._keypoints[sample.id, kind] = keypoints

    def _keep_thumbnail(self, sample: Sample, uri: str) -> None:
        if self._store is not None:
            self._store.put(self._key(sample), "thumbnail", uri.encode("ascii"))
        # of small sets alone, since nothing else bounds these
        elif self._eager == "keypoints":
            with self._lock:
                self._thumbnails[sample.id] = uri

    def _key(self, sample: Sample) -> str:
        """Return what identifies the content: bytes of the file with its frame, pixels, and what is asked."""
        return f"{sample.sha256}:{sample.pixel_hash}:{int(self._classical)}"

    def _summary(self, sample: Sample, image: Image, where: Foreground) -> ImageSummary:
        return summarise_image(sample.id, image, classical=self._classical, foreground=where)

    def _measure(self, sample: Sample) -> ImageMeasures | str:
        if self._store is not None:
            kept = measures_from_bytes(sample.id, self._store.get(self._key(sample), "summary"))
            if kept is not None:
                return kept
        try:
            image = self._source.read(sample)
            grey = to_grey(image)
            where = find_foreground(image)
            summary = self._summary(sample, image, where) if self._whole else None
            appearance = appearance_of(image) if self._whole else None
            measured = ImageMeasures(summary, fingerprint(image, grey, where.box), appearance)
        except (HeadToHeadError, OSError) as error:
            return str(error)
        if self._whole:
            self._keep_thumbnail(sample, data_uri(image))
        if self._eager:
            make = find_keypoints if self._eager == "keypoints" else coarse_keypoints
            found = make(grey, where.mask)
            if self._store is not None:
                self._store.put(self._key(sample), self._eager, keypoints_to_bytes(found))
            self._remember(sample, self._eager, found)
        if self._store is not None and summary is not None and appearance is not None:
            # last, so that an image whose summary is stored has its other parts stored, too
            content = measures_to_bytes(summary, measured.fingerprint, appearance)
            self._store.put(self._key(sample), "summary", content)
        return measured


def find_groups(
    dataset: Source, *, reporter: Reporter = QUIET, similar: bool = False, workers: int | None = None
) -> Grouping:
    """Find which samples show the same scene, and join that with the groups that the data bring.

    Args:
        dataset: samples and their pixels (`headtohead.data.dataset.Dataset`).
        reporter: hears how far the work is.
        similar: also join pairs that are possibly of one patient (aligned in part, not copies).
        workers: threads; no result depends on it.

    Returns:
        group per sample, the pairs with their evidence, and what was seen but not joined.
    """
    return ImageIndex(dataset, whole=False, workers=workers, reporter=reporter).groups(similar=similar)


def _size(keypoints: Keypoints) -> int:
    return int(keypoints.grey.nbytes + keypoints.descriptors.nbytes + 3 * keypoints.points.nbytes)
