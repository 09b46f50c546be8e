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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache
from threadpoolctl import threadpool_limits

from headtohead.audit.descriptors.image_pass import ImageSummaries, find_foreground
from headtohead.audit.duplicates.candidates import IN_FULL, VOTED
from headtohead.audit.duplicates.find import search_groups
from headtohead.audit.duplicates.fingerprint import FINE, VIEWS, to_grey
from headtohead.audit.duplicates.keypoints import Keypoints, coarse_keypoints, find_keypoints
from headtohead.audit.duplicates.records import Grouping
from headtohead.audit.measuring import (
    MeasuredImage,
    Measuring,
    PackedMask,
    Source,
    in_processes,
    measure_image,
    processes_pay,
)
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
from headtohead.core.errors import HeadToHeadError, ProcessLostError
from headtohead.core.parallel import ordered_map, return_freed_memory
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Image, Sample
from headtohead.preprocess.suggest import Appearance

__all__ = ["ImageIndex", "find_groups"]

# Of packed masks in memory, which spare an image's later features the search for its subject.
MASK_BYTES = 32 << 20
KEPT_BYTES = 400 << 20  # of keypoints in memory: those of about 2,500 images; the others are read back


class ImageIndex:
    """What is measured of each image of a dataset; each image is decoded when it is first needed, and once.

    Args:
        source: samples and their pixels.
        store: where parts are kept between studies; None keeps them in memory alone.
        classical: also find the box of the classical crop.
        whole: measure everything; without it only what the duplicate search needs, and nothing is stored.
        workers: threads or processes; the processor's cores and at most 8 if None. No result depends on it.
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
        self._source, self._whole = source, whole
        self._store = store if whole else None
        self._reporter = reporter
        self.workers = workers or min(8, os.cpu_count() or 1)
        n = len({sample.pixel_hash for sample in source.samples})
        # What the duplicate search will ask of every image of a set of this size.
        features = "keypoints" if n <= IN_FULL else "coarse" if n <= VOTED else ""
        self._what = Measuring(classical, whole, features)
        self._root = getattr(source, "root", "")
        self._lock = threading.Lock()  # caches of cachetools are not made for several threads
        self._measured: dict[str, ImageMeasures | str] = {}
        self._keypoints: LRUCache[tuple[str, str], Keypoints] = LRUCache(KEPT_BYTES, getsizeof=_size)
        self._masks: LRUCache[str, PackedMask] = LRUCache(MASK_BYTES, getsizeof=lambda mask: len(mask.bits))
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
        results = self._reporter.progress(self._results(missing), "measuring images", len(missing))
        for sample, result in zip(missing, results, strict=True):
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
        for sample in samples:
            result = self._measured.get(sample.id)
            if result is None:
                result = self._measured[sample.id] = self._measure(sample)
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

    def free_memory(self) -> None:
        """Free the memory of what was measured; what is needed later is read back, or computed again."""
        with self._lock:
            self._keypoints.clear()
            self._masks.clear()
        if self._store is not None:  # 9 kB an image
            self._measured = {name: found for name, found in self._measured.items() if isinstance(found, str)}
        return_freed_memory()

    def _part(self, sample: Sample, kind: str, make: Callable[..., Keypoints]) -> Keypoints:
        with self._lock:
            known: Keypoints | None = self._keypoints.get((sample.id, kind))
        if known is None and self._store is not None:
            known = keypoints_from_bytes(self._store.get(self._key(sample), kind))
        if known is None:
            image = self._source.read(sample)
            known = make(to_grey(image), self._mask(sample, image))
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
        elif self._what.features == "keypoints":
            with self._lock:
                self._thumbnails[sample.id] = uri

    def _key(self, sample: Sample) -> str:
        """Return what identifies the content: bytes of the file with its frame, pixels, and what is asked."""
        return f"{sample.sha256}:{sample.pixel_hash}:{int(self._what.classical)}"

    def _results(self, samples: Sequence[Sample]) -> Iterator[ImageMeasures | str]:
        """Yield the measures of each sample, or why it cannot be read."""
        if not processes_pay(self._root, samples, self.workers):
            yield from self._in_threads(samples)
            return
        stored = {sample.id: kept for sample in samples if (kept := self._stored(sample)) is not None}
        fresh = self._fresh([sample for sample in samples if sample.id not in stored])
        for sample in samples:
            yield stored[sample.id] if sample.id in stored else next(fresh)

    def _fresh(self, samples: Sequence[Sample]) -> Iterator[ImageMeasures | str]:
        done = 0
        if processes_pay(self._root, samples, self.workers):
            try:
                results = in_processes(self._root, samples, self._what, self.workers, self._source.read)
                for sample, found in zip(samples, results, strict=True):
                    yield found if isinstance(found, str) else self._keep(sample, found)
                    done += 1
            except ProcessLostError as error:
                self._reporter.info(f"{error} The other images are measured in threads.")
        yield from self._in_threads(samples[done:])

    def _in_threads(self, samples: Sequence[Sample]) -> Iterator[ImageMeasures | str]:
        # the threads of the pass take the cores already
        with threadpool_limits(1, "blas"):
            yield from ordered_map(self._measure, samples, workers=self.workers)

    def _stored(self, sample: Sample) -> ImageMeasures | None:
        content = None if self._store is None else self._store.get(self._key(sample), "summary")
        return measures_from_bytes(sample.id, content)

    def _measure(self, sample: Sample) -> ImageMeasures | str:
        if (kept := self._stored(sample)) is not None:
            return kept
        try:
            return self._keep(sample, measure_image(sample, self._source.read(sample), self._what))
        except (HeadToHeadError, OSError) as error:
            return str(error)

    def _keep(self, sample: Sample, found: MeasuredImage) -> ImageMeasures:
        """Keep all parts of what was measured, in memory and in the store."""
        if found.thumbnail:
            self._keep_thumbnail(sample, found.thumbnail)
        if found.features is not None:
            if self._store is not None:
                self._store.put(self._key(sample), self._what.features, keypoints_to_bytes(found.features))
            self._remember(sample, self._what.features, found.features)
        if found.mask is not None:
            with self._lock:
                self._masks[sample.id] = found.mask
        measures = found.measures
        if self._store is not None and measures.summary is not None and measures.appearance is not None:
            # last, so that an image whose summary is stored has its other parts stored, too
            content = measures_to_bytes(measures.summary, measures.fingerprint, measures.appearance)
            self._store.put(self._key(sample), "summary", content)
        return measures

    def _mask(self, sample: Sample, image: Image) -> npt.NDArray[np.bool_] | None:
        """Return where the subject is, as the pass found it."""
        with self._lock:
            known = self._masks.get(sample.id)
        return find_foreground(image).mask if known is None else known.unpacked()


def find_groups(
    dataset: Source, *, reporter: Reporter = QUIET, similar: bool = False, workers: int | None = None
) -> Grouping:
    """Find which samples show the same scene, joined with the given groups; see `ImageIndex` and its `groups`."""
    return ImageIndex(dataset, whole=False, workers=workers, reporter=reporter).groups(similar=similar)


def _size(keypoints: Keypoints) -> int:
    return int(keypoints.grey.nbytes + keypoints.descriptors.nbytes + 3 * keypoints.points.nbytes)
