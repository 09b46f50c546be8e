"""Images on their way into a training: prepared once, kept small in memory, augmented in threads ahead.

Which image is drawn when, and what happens to it, follows from (seed, epoch, sample id) alone, so
neither the number of threads nor the order of files changes a digit.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.parallel import cores, ordered_map
from headtohead.core.progress import QUIET, Reporter
from headtohead.training.records import FITTING

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.crop_store import CropStore
    from headtohead.preprocess.recipe import Recipe

__all__ = ["Augmenter", "Batch", "DatasetImages", "ImageSource", "batches", "get_augmenter", "unchanged"]

Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.float32]
Change = Callable[[int, Pixels], Pixels]
MEMORY_LIMIT = 2**31  # bytes of prepared images that are kept in memory


class ImageSource(Protocol):
    """Images by index, as a network wants them apart from normalisation."""

    def pixels(self, index: int) -> Pixels:
        """Return (S, S) grey or (S, S, 3) pixels in [0, 1]."""

    def normalise(self, pixels: Pixels) -> Pixels:
        """Return the network's input (3, S, S) for such pixels."""

    def number(self, index: int) -> int:
        """Return a number that belongs to the sample whatever its place in the list."""


@dataclass(frozen=True, slots=True)
class Augmenter:
    """A preset: `run(rng, pixels)` draws from `rng` and applies; `flips` says whether flips are sound."""

    name: str
    run: Callable[[np.random.Generator, Pixels], Pixels]
    flips: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs (B, 3, S, S) float32 and the places (B,) of their samples in the list that was trained on."""

    inputs: Pixels
    places: Ints


class DatasetImages:
    """The images of a data set under a recipe, at the size that a backbone asks for.

    Args:
        memory_limit: bytes that prepared images may take in memory; beyond it they are kept on disk.
        crops: folder for those; by default below the cache.
    """

    def __init__(
        self,
        dataset: Dataset,
        record: BackboneRecord,
        recipe: Recipe,
        memory_limit: int = MEMORY_LIMIT,
        *,
        crops: Path | None = None,
    ) -> None:
        self._dataset, self._record, self._recipe = dataset, record, recipe
        self._mean = np.asarray(record.mean, np.float32).reshape(3, 1, 1)
        self._std = np.asarray(record.std, np.float32).reshape(3, 1, 1)
        self._kept: dict[int, npt.NDArray[np.float16]] = {}
        self._crops = crops
        self._store: CropStore | None = None
        # At most 3 planes of float16 each.
        self._bytes = len(dataset.samples) * 3 * 2 * record.input_size**2
        self._keep = self._bytes <= memory_limit

    @property
    def bytes_in_memory(self) -> int:
        """Upper bound of the memory that the images take when they are prepared; 0 where they are on disk."""
        return self._bytes if self._keep else 0

    def prepare(self, reporter: Reporter = QUIET) -> None:
        """Prepare all images now, in memory or on disk; where neither has room, each is prepared on each use."""
        if self._keep:
            missing = [index for index in range(len(self._dataset.samples)) if index not in self._kept]
            found = ordered_map(self._read, missing, workers=cores())
            told = reporter.progress(found, "prepare images", len(missing))
            self._kept.update(zip(missing, told, strict=True))
            return
        if self._store is not None:
            return
        store = self._open_store()
        if not store.has_space():
            reporter.warning(
                f"The prepared images need up to {store.bytes_needed / 1e9:.1f} GB, which neither memory nor the disk "
                "of HEADTOHEAD_HOME has to spare; each is prepared on each use, which is slow."
            )
            return
        store.fill(self._read, reporter)
        self._store = store

    def pixels(self, index: int) -> Pixels:
        """Return (S, S) grey or (S, S, 3) pixels in [0, 1]."""
        if self._store is not None:
            return self._store.get(index).astype(np.float32)
        if index not in self._kept:
            fresh = self._read(index)
            if not self._keep:
                return fresh.astype(np.float32)
            self._kept[index] = fresh
        return self._kept[index].astype(np.float32)

    def _open_store(self) -> CropStore:
        """Return the store on disk, in a folder named by all that decides the pixels besides the image."""
        from headtohead.backbones.features.feature_cache import row_key
        from headtohead.core.cache_home import cache_home
        from headtohead.preprocess.crop_store import CropStore

        record = self._record
        # Others may decode or scale to other digits.
        versions = {name: version(name) for name in ("numpy", "pillow", "opencv-python-headless")}
        facts = [
            FITTING,
            self._recipe.digest(),
            record.input_size,
            record.mean,
            record.std,
            record.interpolation,
        ]
        digest = hashlib.sha256(json.dumps([*facts, versions]).encode()).hexdigest()[:16]
        folder = (self._crops or cache_home() / "crops") / f"{record.input_size}px-{digest}"
        return CropStore(folder, [row_key(sample) for sample in self._dataset.samples], record.input_size)

    def normalise(self, pixels: Pixels) -> Pixels:
        """Return (3, S, S): pixels as the weights ask, (x - mean) / std per channel."""
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return np.asarray((planes - self._mean) / self._std, dtype=np.float32)

    def number(self, index: int) -> int:
        """Return 63 bits of the hash of the sample's id."""
        digest = hashlib.sha256(self._dataset.samples[index].id.encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def _read(self, index: int) -> npt.NDArray[np.float16]:
        from headtohead.backbones.features.input_transform import to_network_input

        prepared = self._recipe.apply(self._dataset.read(self._dataset.samples[index])).pixels
        # Normalisation undone, since augmentation works on pixels in [0, 1].
        unit = to_network_input(prepared, self._record) * self._std + self._mean
        # Grey as one plane: a third of the memory.
        shaped = unit[0] if prepared.ndim == 2 else unit.transpose(1, 2, 0)
        return np.ascontiguousarray(np.clip(shaped, 0.0, 1.0), dtype=np.float16)


def get_augmenter(preset: str) -> Augmenter:
    """Return the preset of that name: "none", "light" (also "auto"), or one of `preprocess.augment`."""
    if preset == "none":
        return Augmenter("none", lambda _rng, pixels: pixels, flips=False)
    if preset in ("auto", "light"):
        from headtohead.preprocess.light_augmentation import apply_light, draw_light

        return Augmenter("light", lambda rng, pixels: apply_light(draw_light(rng), pixels), flips=True)
    from headtohead.core.errors import unknown_name
    from headtohead.preprocess import augmentation as augment

    if preset not in augment.PRESETS:
        raise unknown_name("augmentation preset", preset, ["auto", "light", *augment.PRESETS])
    chosen = augment.get_preset(preset)
    return Augmenter(
        preset,
        lambda rng, pixels: augment.apply_params(augment.sample_params(chosen, rng), pixels),
        chosen.flips,
    )


def unchanged(_place: int, pixels: Pixels) -> Pixels:
    """Return the pixels as they are."""
    return pixels


def batches(
    source: ImageSource,
    indices: Ints,
    order: Sequence[Ints],
    change: Change,
    workers: int,
) -> Iterator[Batch]:
    """Yield the batches in order, made by threads ahead of their use.

    Args:
        indices: (n,) sample indices that places count into.
        order: places of each batch.
        change: what happens to (place, pixels) before normalisation.
        workers: number of threads; 0 makes each batch when it is asked for.
    """
    make = partial(_make, source, indices, change)
    if workers == 0:
        yield from map(make, order)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="images") as pool:
        waiting: deque[Future[Batch]] = deque()
        rest = iter(order)
        try:
            for places in rest:
                waiting.append(pool.submit(make, places))
                if len(waiting) > workers + 1:  # so few are ahead that memory does not grow with the epoch
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _make(source: ImageSource, indices: Ints, change: Change, places: Ints) -> Batch:
    rows: list[Any] = [
        source.normalise(change(int(place), source.pixels(int(indices[place])))) for place in places
    ]
    return Batch(np.stack(rows), np.asarray(places, dtype=np.int64))
