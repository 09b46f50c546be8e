"""From images to one feature row each, computed once per distinct image and kept on disk.

The same row whatever else is computed with it: batches always have the same shape (the last one
is filled up), and the tests hold that a row does not depend on its place or its neighbours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock

from headtohead.backbones.features.decision import decide, ready
from headtohead.backbones.features.feature_cache import FeatureCache, row_key
from headtohead.backbones.features.identity import folder_name, rows_identity, speed
from headtohead.backbones.features.inference import (
    BATCH,
    GPU_BATCH,
    MOST_WORKERS,
    forward_in_batches,
    one_pass,
    precise,
)
from headtohead.backbones.features.input_transform import normalise, resize_to_input
from headtohead.backbones.features.options import ExtractionOptions
from headtohead.backbones.features.precision import Precision, dtype_of, has_amx, pick_device
from headtohead.backbones.features.prepared_images import PreparedImages
from headtohead.backbones.features.runtimes import FeatureRuntime, planned_runtime, runtime_versions
from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.fetch import ensure_weights
from headtohead.core.atomic_io import write_json
from headtohead.core.parallel import cores, ordered_map
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset
from headtohead.preprocess.recipe import Recipe

__all__ = ["Features", "extract", "extract_part"]

Floats = npt.NDArray[np.float32]
Network = Backbone | FeatureRuntime

PIECE = 4  # batches per piece on disk, or two per core where that is more
CHECKED = 8  # images on which a fast arithmetic is checked
FEWEST_DECODERS = 4  # threads beside a device, also on few cores: decoding releases the interpreter lock


@dataclass(frozen=True, slots=True)
class Features:
    """Rows and how they came about.

    Attributes:
        rows: (n, D) float32, one per sample, in the data set's order.
        how: device, runtime, precision with the figures of its check, weights (source, sha256, licence),
            recipe, number of distinct images, seconds and images per second of this call.
    """

    rows: Floats
    how: dict[str, Any]


def extract(
    dataset: Dataset,
    record: BackboneRecord,
    recipe: Recipe,
    options: ExtractionOptions = ExtractionOptions(),  # noqa: B008  a frozen record
    *,
    cache: Path,
    reporter: Reporter = QUIET,
    prepared: PreparedImages | None = None,
) -> Features:
    """Return one feature row per sample; rows already in `cache` are not computed again.

    Args:
        cache: folder of cached rows; may be shared by runs and by processes.
        reporter: hears how far the extraction is.
        prepared: images that other networks have seen, read and cropped already.

    Raises:
        PrecisionError: "bf16" or "fp16" was asked for and does not agree with fp32.
        UnreadableError: an image cannot be read; WeightsError: no weights.
    """
    began = time.monotonic()
    task, folder, identity = _open(dataset, record, recipe, options, cache, reporter)
    task = replace(task, prepared=prepared)
    samples = {row_key(sample): sample for sample in dataset.samples}
    keys = [row_key(sample) for sample in dataset.samples]
    # beside the folder's own facts, which the first data set wrote: it may have had another number of images
    chosen = {"runtime_note": task.why_runtime} if task.why_runtime else {}
    if (found := _all_there(folder, keys, reporter)) is not None:
        rows, how = found
        return Features(rows, how | chosen | speed(len(samples), 0, time.monotonic() - began))
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        store = FeatureCache(folder, reporter)
        missing = store.missing(samples)
        if missing or not (folder / "how.json").exists():
            if task.why_runtime:
                reporter.info(f"{record.name}: {task.why_runtime}")
            network = _ready(task, samples, folder, identity)
            _compute(task, samples, missing, store, network)
            store.compact()
        how = json.loads((folder / "how.json").read_text(encoding="utf-8"))
    rows = store.get(keys)
    seconds = time.monotonic() - began
    return Features(rows, how | chosen | speed(len(samples), len(missing), seconds))


def extract_part(
    dataset: Dataset,
    record: BackboneRecord,
    recipe: Recipe,
    options: ExtractionOptions,
    *,
    part: tuple[int, int],
    cache: Path,
    reporter: Reporter = QUIET,
) -> int:
    """Compute the rows of one part of the distinct images, and return how many the cache lacked.

    Other processes may compute other parts at the same time. The arithmetic is decided once, on images of the
    whole data set, so that the rows are those of `extract`.

    Args:
        part: number of the part, from 0, and how many there are.
        cache: folder of cached rows.
        reporter: hears how far the extraction is.
    """
    task, folder, identity = _open(dataset, record, recipe, options, cache, reporter)
    folder.mkdir(parents=True, exist_ok=True)
    samples = {row_key(sample): sample for sample in dataset.samples}
    number, parts = part
    keys = sorted(samples)
    with FileLock(folder / ".lock"):
        # `extract` compares the hashes; each part would read all rows again for it
        store = FeatureCache(folder, reporter, check=False)
    missing = store.missing(keys[len(keys) * number // parts : len(keys) * (number + 1) // parts])
    if missing:
        with FileLock(folder / ".lock"):
            network = _ready(task, samples, folder, identity)
        _compute(task, samples, missing, store, network)
        store.compact(added_only=True)
    return len(missing)


def _all_there(folder: Path, keys: Sequence[str], reporter: Reporter) -> tuple[Floats, dict[str, Any]] | None:
    """Return rows and how they came about where nothing has to be written, so that a read-only cache will do.

    Another process may join pieces at this moment; what is missing then is looked for again under the lock.
    """
    if not (folder / "how.json").is_file():
        return None
    store = FeatureCache(folder, reporter, keep=True)
    if store.missing(keys):
        return None
    return store.get(keys), json.loads((folder / "how.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Task:
    dataset: Dataset
    record: BackboneRecord
    recipe: Recipe
    options: ExtractionOptions
    device: torch.device
    batch: int
    reporter: Reporter
    why_runtime: str = ""  # where the runtime was left to us
    prepared: PreparedImages | None = None

    def load(self, precision: Precision) -> Backbone:
        return load_backbone(
            self.record, seed=self.options.seed, device=self.device, dtype=dtype_of(precision)
        )

    def prepare(self, sample: Sample) -> Floats:
        change = self.options.change
        if self.prepared is None or change is not None:
            pixels = self.recipe.apply(self.dataset.read(sample), as_plane=change is None).pixels
        else:
            pixels = self.prepared.get(self.dataset, self.recipe, sample).pixels
        unit = resize_to_input(pixels, self.record, aspect=self.options.aspect)
        return normalise(unit if change is None else change(sample, unit), self.record)


def _open(
    dataset: Dataset,
    record: BackboneRecord,
    recipe: Recipe,
    options: ExtractionOptions,
    cache: Path,
    reporter: Reporter,
) -> tuple[_Task, Path, dict[str, Any]]:
    """Return the task, the folder of its rows, and all that their digits depend on."""
    device = pick_device(options.device)
    batch = options.batch or (GPU_BATCH if device.type == "cuda" else BATCH)
    weights = ensure_weights(record, seed=options.seed, reporter=reporter)
    task = _Task(dataset, record, recipe, options, device, batch, reporter)
    identity = rows_identity(task, recipe, weights)
    distinct = len({row_key(sample) for sample in dataset.samples})
    planned, why = planned_runtime(
        options.runtime, device.type, options.precision, distinct, record.family, amx=has_amx()
    )
    if why:
        task = replace(task, why_runtime=why)
    if planned != "torch":
        identity["runtime_planned"] = planned
        identity["versions"] |= runtime_versions(planned)
    folder = cache / folder_name(record.name, identity)
    return task, folder, identity


def _ready(task: _Task, samples: Mapping[str, Sample], folder: Path, identity: Mapping[str, Any]) -> Network:
    """Return the network as it was decided for the folder; the first call decides."""
    note = folder / "how.json"
    if note.exists():
        return ready(task, json.loads(note.read_text(encoding="utf-8")), identity)
    first = [samples[key] for key in sorted(samples)[:CHECKED]]  # by hash, whatever the order of the files
    planned = identity.get("runtime_planned", "torch")
    network, decided = decide(task, lambda: np.stack([task.prepare(s) for s in first]), identity, planned)
    write_json(note, {**identity, **decided, "shape": _row_shape(task, network, first[0])})
    return network


def _compute(
    task: _Task,
    samples: Mapping[str, Sample],
    missing: Sequence[str],
    store: FeatureCache,
    network: Network,
) -> None:
    step = task.batch * max(PIECE, 2 * min(cores(), MOST_WORKERS))
    passes = [missing[start : start + task.batch] for start in range(0, len(missing), task.batch)]
    found = _passes(task, samples, passes, network)
    unwritten: dict[str, Floats] = {}
    with precise():
        told = task.reporter.progress(found, f"features of {task.record.name}", len(passes))
        for keys, rows in zip(passes, told, strict=True):
            unwritten.update(zip(keys, rows.reshape(len(keys), -1), strict=True))
            if len(unwritten) >= step or keys is passes[-1]:
                store.add(unwritten)
                unwritten = {}


def _passes(
    task: _Task, samples: Mapping[str, Sample], passes: Sequence[Sequence[str]], network: Network
) -> Iterator[Floats]:
    """Yield the rows of each pass in order.

    On a processor every thread prepares the images of a pass and takes them through the network, so that none
    waits for the others; a device is fed by threads that prepare ahead of it.
    """

    def inputs(keys: Sequence[str]) -> Floats:
        return np.stack([task.prepare(samples[key]) for key in keys])

    def whole(keys: Sequence[str]) -> Floats:
        torch.set_num_threads(1)  # OpenMP keeps a number for each thread
        return one_pass(network, inputs(keys), task.options.kind, task.batch)

    if task.device.type == "cpu":
        workers = min(cores(), MOST_WORKERS)
        yield from ordered_map(whole, passes, workers=workers, ahead=2 * workers)
        return
    workers = max(FEWEST_DECODERS, min(cores(), MOST_WORKERS))
    for images in ordered_map(inputs, passes, workers=workers, ahead=2 * workers):
        yield one_pass(network, images, task.options.kind, task.batch)


def _row_shape(task: _Task, network: Network, sample: Sample) -> list[int]:
    """Return the shape of one image's row; only other kinds than "last" need a pass to know it."""
    if task.options.kind == "last" and isinstance(network, Backbone):
        return [network.n_features]
    return list(
        forward_in_batches(network, task.prepare(sample)[None], task.options.kind, task.batch).shape[1:]
    )
