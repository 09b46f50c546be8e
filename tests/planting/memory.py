"""Clean synthetic sets held in memory, and how defects are put into them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.records import DuplicatePair, Grouping
from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import Dataset

Pixels = npt.NDArray[Any]
EDGE = 160


# ---- clean synthetic sets, held in memory ------------------------------------------------------------------


@dataclass(frozen=True)
class MemoryDataset(Dataset):
    """A dataset whose images are arrays."""

    images: dict[str, Image] = field(default_factory=dict)

    def read(self, sample: Sample) -> Image:
        if sample.id not in self.images:
            raise UnreadableError(f"{sample.path}: truncated")
        return self.images[sample.id]


def draw_head(rng: np.random.Generator, *, lesion: bool = False) -> Pixels:
    """Return a grey head-like ellipse with smooth texture on a dark ground, no two alike."""
    y, x = np.mgrid[:EDGE, :EDGE].astype(np.float32)
    cy, cx = EDGE / 2 + rng.uniform(-4, 4, 2)
    ry, rx = rng.uniform(58, 66), rng.uniform(46, 54)
    inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
    texture = np.zeros((EDGE, EDGE), np.float32)
    for cells, weight in ((5, 34.0), (12, 22.0), (30, 12.0)):
        noise = rng.normal(size=(cells, cells)).astype(np.float32)
        texture += weight * cv2.resize(noise, (EDGE, EDGE), interpolation=cv2.INTER_CUBIC)
    plane = np.where(inside, 115 + texture, 6) + rng.normal(0, 2.0, (EDGE, EDGE))
    if lesion:
        ly, lx = cy + rng.uniform(-25, 25), cx + rng.uniform(-20, 20)
        plane += 14 * np.exp(-((y - ly) ** 2 + (x - lx) ** 2) / (2 * 7.0**2))
    return np.asarray(np.clip(plane, 0, 235), dtype=np.uint8)


def make_sample(name: str, label: str, pixels: Pixels, **facts: Any) -> Sample:
    """Return the record of an image as a loader would make it."""
    digest = hashlib.sha256(pixels.tobytes() + str(pixels.shape).encode()).hexdigest()
    known: dict[str, Any] = {
        "id": name, "path": name, "label": label, "group": name, "sha256": digest, "pixel_hash": digest,
        "width": pixels.shape[1], "height": pixels.shape[0], "n_bytes": 9000 + int(digest[:2], 16),
        "mode": "L", "format": "PNG", "suffix": ".png", "bit_depth": 8,
    }  # fmt: skip
    return Sample(**{**known, **facts})


def clean_set(n: int = 60, seed: int = 0) -> MemoryDataset:
    """Return `n` different images in two balanced classes that differ by a faint lesion only."""
    rng = np.random.default_rng(seed)
    samples, images = [], {}
    for i in range(n):
        label = ("no", "yes")[i % 2]
        pixels = draw_head(rng, lesion=label == "yes")
        name = f"{label}/case{rng.integers(10**9):09d}.png"
        samples.append(make_sample(name, label, pixels))
        images[name] = Image(pixels, 8, "L", "PNG")
    samples.sort(key=lambda s: s.path)
    return MemoryDataset("memory", tuple(samples), ("no", "yes"), "yes", images=images)


CLEAN = clean_set()


def known(data: Dataset, pairs: Iterable[DuplicatePair] = (), **more: Any) -> Grouping:
    """Return the grouping that a search would give: given groups and equal pixels, joined with `split_pairs`."""
    group = {s.id: s.group for s in data.samples}
    first: dict[str, str] = {}
    joined = [(p.a, p.b) for p in pairs]
    joined += [(first.setdefault(s.pixel_hash, s.id), s.id) for s in data.samples]
    for a, b in joined:
        old, new = group[b], group[a]
        group = {i: new if g == old else g for i, g in group.items()}
    fields: dict[str, Any] = {"similar": (), "chains": (), "notes": (), "counts": {"images": len(group)}}
    return Grouping(groups=group, pairs=tuple(pairs), **{**fields, **more})


# ---- planting -----------------------------------------------------------------------------------------------

Change = Callable[[Sample, Image], tuple[Sample, Image]]


def altered(data: MemoryDataset, which: Iterable[int], change: Change) -> MemoryDataset:
    """Return the set with some samples changed; hashes and sizes follow the pixels."""
    samples, images = list(data.samples), dict(data.images)
    for i in which:
        old = samples[i]
        sample, image = change(old, images[old.id])
        digest = hashlib.sha256(image.pixels.tobytes() + str(image.pixels.shape).encode()).hexdigest()
        facts = {"pixel_hash": digest, "sha256": digest, "height": image.size[0], "width": image.size[1]}
        samples[i] = sample.model_copy(update=facts)
        images.pop(old.id)
        images[sample.id] = image
    return replace(data, samples=tuple(samples), images=images)


def pixels_by(function: Callable[[Pixels], Pixels], **facts: Any) -> Change:
    """Return the change that alters pixels."""

    def change(sample: Sample, image: Image) -> tuple[Sample, Image]:
        return sample, replace(image, pixels=np.ascontiguousarray(function(image.pixels.copy())), **facts)

    return change


def record_by(**facts: Any) -> Change:
    """Return the change that alters the record only."""
    return lambda sample, image: (sample.model_copy(update=facts), image)


def added(data: MemoryDataset, *copies: tuple[int, str, dict[str, Any]]) -> MemoryDataset:
    """Return the set with further copies: (of which sample, new path, facts of its record)."""
    samples, images = list(data.samples), dict(data.images)
    for index, path, facts in copies:
        old = data.samples[index]
        group = {"group": path} if old.group == old.id else {}
        samples.append(old.model_copy(update={"id": path, "path": path, **group, **facts}))
        images[path] = data.images[old.id]
    return replace(data, samples=tuple(samples), images=images)


def renamed(ending: str) -> Change:
    """Return the change that puts an ending to the file's stem."""

    def change(sample: Sample, image: Image) -> tuple[Sample, Image]:
        path = sample.path.removesuffix(".png") + f"{ending}.png"
        return sample.model_copy(update={"id": path, "path": path}), image

    return change


def without(rows: Iterable[int]) -> MemoryDataset:
    """Return the clean set without some samples."""
    gone = set(rows)
    return replace(CLEAN, samples=tuple(s for i, s in enumerate(CLEAN.samples) if i not in gone))


def class_rows(data: Dataset, label: str) -> list[int]:
    return [i for i, s in enumerate(data.samples) if s.label == label]


def gap(*pair: int, kind: Any = "near", data: Dataset = CLEAN, **facts: Any) -> DuplicatePair:
    a, b = sorted(data.samples[i].id for i in pair)
    return DuplicatePair(a, b, kind, **facts)


def split_in(data: MemoryDataset) -> MemoryDataset:
    """Return the set with a train and a test part of its own."""
    samples = [
        s.model_copy(update={"split": "test" if i % 5 == 0 else "train"}) for i, s in enumerate(data.samples)
    ]
    return replace(data, samples=tuple(samples))


def patients(data: MemoryDataset) -> MemoryDataset:
    """Return the set with two images of each patient, both of one class and one part."""
    order: dict[str, int] = {}
    samples = []
    for s in data.samples:
        order[s.label] = order.get(s.label, -1) + 1
        group = f"{s.label}-p{order[s.label] // 2:02d}"
        part = "test" if (order[s.label] // 2) % 5 == 0 else "train"
        samples.append(s.model_copy(update={"group": group, "split": part}))
    return replace(data, samples=tuple(samples))
