"""From images to one feature row each, computed once per distinct image and kept on disk.

The same row whatever else is computed beside it: batches always have the same shape (the last one
is filled up), and the tests hold that a row does not depend on its place or its neighbours.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock

from headtohead.backbones.features.feature_cache import FeatureCache, row_key
from headtohead.backbones.features.inference import (
    BATCH,
    GPU_BATCH,
    MOST_WORKERS,
    forward_in_batches,
)
from headtohead.backbones.features.input_transform import normalise, resize_to_input
from headtohead.backbones.features.options import ExtractionOptions
from headtohead.backbones.features.precision import (
    MAX_RELATIVE_ERROR,
    MIN_AGREEMENT,
    Precision,
    PrecisionCheck,
    check_precision,
    dtype_of,
    fast_precision,
    pick_device,
)
from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import file_sha256
from headtohead.backbones.weights.fetch import Weights, ensure_weights
from headtohead.core.atomic_io import write_json
from headtohead.core.errors import PrecisionError
from headtohead.core.formatting import format_percent
from headtohead.core.parallel import cores
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset
from headtohead.preprocess.recipe import Recipe

__all__ = ["Features", "extract"]

Floats = npt.NDArray[np.float32]

PIECE = 4  # batches per piece on disk, or two per core where that is more
CHECKED = 8  # images on which a fast arithmetic is checked
CHECK_BATCH = 4
THREADS = 4  # decoders beside the network: decoding releases the interpreter lock
ARITHMETIC = 1  # raised whenever `to_network_input` or a pooling changes, so that old rows are not reused


@dataclass(frozen=True, slots=True)
class Features:
    """Rows and how they came about.

    Attributes:
        rows: (n, D) float32, one per sample, in the data set's order.
        how: device, precision with the figures of its check, weights (source, sha256, licence),
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
) -> Features:
    """Return one feature row per sample; rows already in `cache` are not computed again.

    Args:
        cache: folder of cached rows; may be shared by runs and by processes.
        reporter: hears how far the extraction is.

    Raises:
        PrecisionError: "bf16" or "fp16" was asked for and does not agree with fp32.
        UnreadableError: an image cannot be read; WeightsError: no weights.
    """
    began = time.monotonic()
    device = pick_device(options.device)
    batch = options.batch or (GPU_BATCH if device.type == "cuda" else BATCH)
    weights = ensure_weights(record, seed=options.seed, reporter=reporter)
    task = _Task(dataset, record, recipe, options, device, batch, reporter)
    identity = _identity(task, weights)
    folder = cache / f"{_slug(record.name)}-{_digest(identity)}"
    keys = [row_key(sample) for sample in dataset.samples]
    if (found := _all_there(folder, keys, reporter)) is not None:
        rows, how = found
        return Features(rows, how | _speed(len(set(keys)), 0, time.monotonic() - began))
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        store = FeatureCache(folder, reporter)
        missing = store.missing(keys)
        if missing or not (folder / "how.json").exists():
            _compute(task, dict(zip(keys, dataset.samples, strict=True)), missing, store, identity)
        how = json.loads((folder / "how.json").read_text(encoding="utf-8"))
    rows = store.get(keys)
    seconds = time.monotonic() - began
    return Features(rows, how | _speed(len(set(keys)), len(missing), seconds))


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

    def load(self, precision: Precision) -> Backbone:
        return load_backbone(
            self.record, seed=self.options.seed, device=self.device, dtype=dtype_of(precision)
        )

    def prepare(self, sample: Sample) -> Floats:
        change = self.options.change
        prepared = self.recipe.apply(self.dataset.read(sample), as_plane=change is None).pixels
        unit = resize_to_input(prepared, self.record, aspect=self.options.aspect)
        return normalise(unit if change is None else change(sample, unit), self.record)


def _compute(
    task: _Task,
    samples: Mapping[str, Sample],
    missing: Sequence[str],
    store: FeatureCache,
    identity: Mapping[str, Any],
) -> None:
    note = store.folder / "how.json"
    first = [samples[key] for key in sorted(samples)[:CHECKED]]
    if note.exists():
        how = json.loads(note.read_text(encoding="utf-8"))
        network = task.load(how["precision"])
    else:
        network, decided = _decide(task, first)
        write_json(note, {**identity, **decided, "shape": _row_shape(task, network, first[0])})
    step = task.batch * max(PIECE, 2 * min(cores(), MOST_WORKERS))
    pieces = [missing[start : start + step] for start in range(0, len(missing), step)]
    prepared = _ahead(task, [[samples[key] for key in piece] for piece in pieces])
    label = f"features of {task.record.name}"
    for piece, inputs in zip(task.reporter.progress(pieces, label, len(pieces)), prepared, strict=True):
        rows = forward_in_batches(network, inputs, task.options.kind, task.batch).reshape(len(piece), -1)
        store.add(dict(zip(piece, rows, strict=True)))
    store.compact()


def _row_shape(task: _Task, network: Backbone, sample: Sample) -> list[int]:
    """Return the shape of one image's row; only other kinds than "last" need a pass to know it."""
    if task.options.kind == "last":
        return [network.n_features]
    return list(
        forward_in_batches(network, task.prepare(sample)[None], task.options.kind, task.batch).shape[1:]
    )


def _ahead(task: _Task, pieces: Sequence[Sequence[Sample]]) -> Iterator[Floats]:
    """Yield the inputs of each piece while threads prepare the next one."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="prepare") as pool:
        waiting = [pool.submit(task.prepare, sample) for sample in (pieces[0] if pieces else ())]
        for number in range(len(pieces)):
            following = pieces[number + 1] if number + 1 < len(pieces) else ()
            coming = [pool.submit(task.prepare, sample) for sample in following]
            yield np.stack([one.result() for one in waiting])
            waiting = coming


def _decide(task: _Task, samples: Sequence[Sample]) -> tuple[Backbone, dict[str, Any]]:
    """Return the network in the arithmetic to be used, and why it is that one."""
    precision = task.options.precision
    wanted = fast_precision(task.device) if precision == "auto" else precision
    network = task.load("fp32")
    if wanted == "fp32":
        return network, {
            "precision": "fp32",
            "check": None,
            "precision_note": _why_fp32(precision, task.device),
        }
    inputs = np.stack([task.prepare(sample) for sample in samples])
    reference = forward_in_batches(network, inputs, "last", CHECK_BATCH)
    network = network.to(dtype=dtype_of(wanted))
    check = check_precision(reference, forward_in_batches(network, inputs, "last", CHECK_BATCH))
    facts = {"check": check.model_dump()}
    if check.holds:
        return network, {"precision": wanted, "precision_note": f"{wanted} against fp32: {check}", **facts}
    note = _too_far(task.record, wanted, check)
    if precision != "auto":
        raise PrecisionError(f"{note} Use precision 'fp32' or 'auto'.")
    task.reporter.info(f"{note} Going on in fp32.")
    return task.load("fp32"), {"precision": "fp32", "precision_note": note, **facts}


def _why_fp32(asked: Precision, device: torch.device) -> str:
    return "asked for" if asked == "fp32" else f"{device.type} has no faster arithmetic that is worth it here"


def _too_far(record: BackboneRecord, wanted: Precision, check: PrecisionCheck) -> str:
    return (
        f"{record.name} in {wanted} does not agree with fp32 ({check}; allowed are a relative error of "
        f"{MAX_RELATIVE_ERROR} and agreement of at least {format_percent(MIN_AGREEMENT)})."
    )


def _identity(task: _Task, weights: Weights) -> dict[str, Any]:
    """Return all that a row's digits depend on besides the image."""
    record, options = task.record, task.options
    identity = {
        "backbone": record.name,
        "architecture": record.architecture,
        "network": _network(record, weights),
        "input": {"size": record.input_size, "mean": record.mean, "std": record.std,
                  "interpolation": record.interpolation, "aspect": options.aspect},
        "weights": weights.model_dump(exclude={"path", "notes"}),
        "recipe": task.recipe.name,
        "recipe_digest": task.recipe.digest(),
        "kind": options.kind,
        "precision_asked": options.precision,
        "device": task.device.type,
        "device_name": _device_name(task.device),
        "batch": task.batch,
        "arithmetic": ARITHMETIC,
        "versions": {name: version(name) for name in ("torch", "timm", "transformers")},
    }  # fmt: skip
    return identity if options.change is None else {**identity, "change": options.change.name}


def _network(record: BackboneRecord, weights: Weights) -> dict[str, Any]:
    """Return what shapes the network besides its weights: options of timm, or the configuration of transformers."""
    if record.architecture.startswith("transformers") and weights.path is not None:
        return {"config_sha256": file_sha256(Path(weights.path).parent / "config.json")}
    return dict(record.model_args)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else "mps"


def _digest(identity: Mapping[str, Any]) -> str:
    counted = {key: value for key, value in identity.items() if key not in ("backbone", "recipe")}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]


def _speed(distinct: int, computed: int, seconds: float) -> dict[str, Any]:
    rate = round(computed / seconds, 2) if computed and seconds > 0 else None
    counts = {"distinct_images": distinct, "computed": computed}
    return counts | {"seconds": round(seconds, 3), "images_per_second": rate}


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    return kept[:60]
