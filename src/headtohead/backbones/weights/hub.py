"""Weights on the Hugging Face hub: pinned by commit, checked by sha256, offline once they are here.

The user's own settings hold: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_HUB_OFFLINE and the
proxy. Nothing is reported to anyone: the client's telemetry is switched off for these calls.
"""

from __future__ import annotations

import os
import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import file_sha256, reason_in_words, weights_unavailable
from headtohead.core.atomic_io import write_json
from headtohead.core.cache_home import cache_home
from headtohead.core.errors import WeightsError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Record
from headtohead.core.safety.hub_answers import watch_hub

__all__ = ["Pin", "cached", "from_hub", "get_file", "resolve_hub"]

# In the order in which they are asked for; the second is read as tensors alone (`weights_only`).
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
CONNECT_SECONDS = 10.0
YES = ("1", "true", "yes", "on")  # what huggingface_hub takes for true


class Pin(Record):
    """Which commit of a repository was used first, and what its weights file was; used ever after."""

    repository: str
    revision: str
    file: str
    sha256: str
    checked_against: str


def from_hub(record: BackboneRecord, reporter: Reporter = QUIET) -> tuple[Path, str, Mapping[str, Any]]:
    """Return path, sha256 and facts of a record's weights, downloading them where they are not here.

    Raises:
        WeightsError: they are not available, or their sha256 is not the one that is expected.
    """
    repository = record.model_id
    pin = _pinned(record)
    revision = record.revision or (pin.revision if pin else None)
    if cached(record) is None:
        reporter.info(f"Downloading {repository} ({revision or 'main'}) for {record.name} from the hub.")
    if record.source == "transformers-hub":
        get_file(repository, "config.json", revision)
    path = _weights_file(repository, revision, _names(record))
    sha256 = file_sha256(path)
    against = _check(record, pin, path, sha256)
    commit = _commit(path) or revision
    if pin is None and commit is not None:
        pin = Pin(
            repository=repository, revision=commit, file=path.name, sha256=sha256, checked_against=against
        )
        write_json(_pin_path(record), pin.model_dump())
    return path, sha256, {"source": f"hub repository {repository}", "revision": commit}


def cached(record: BackboneRecord) -> Path | None:
    """Return the path of a record's weights in the hub's cache, or None; asks no server."""
    hub = _hub()
    pin = _pinned(record)
    revision = record.revision or (pin.revision if pin else None)
    for name in _names(record):
        found = _look_up(hub, record.model_id, name, revision)
        if isinstance(found, str):
            return Path(found)
    return None


def _names(record: BackboneRecord) -> tuple[str, str]:
    """Return the names of a repository's weights, safetensors first."""
    from headtohead.backbones.weights.open_clip_config import OPEN_CLIP_WEIGHTS

    return OPEN_CLIP_WEIGHTS if record.tensor_prefix else WEIGHTS


def _weights_file(repository: str, revision: str | None, names: tuple[str, str]) -> Path:
    """Return the weights of a repository: safetensors, else a checkpoint of torch where there is nothing else.

    Raises:
        WeightsError: it has neither, or cannot be reached.
    """
    safe, checkpoint = names
    try:
        return get_file(repository, safe, revision)
    except WeightsError as error:
        if not _is_absent(error):
            raise
        try:
            return get_file(repository, checkpoint, revision)
        except WeightsError:
            raise error from error.__cause__  # the first: safetensors is what should be there


def _is_absent(error: WeightsError) -> bool:
    """Return whether a repository was reached and has no such file."""
    errors = _hub().errors
    return isinstance(error.__cause__, errors.EntryNotFoundError) and not isinstance(
        error.__cause__, errors.LocalEntryNotFoundError
    )


def get_file(repository: str, name: str, revision: str | None) -> Path:
    """Return a file of a repository, from the cache where the commit is known and here.

    Args:
        revision: commit, tag or branch; None is the main branch.

    Raises:
        WeightsError: no network, no such repository, revision or file, or a broken download.
    """
    hub = _hub()
    what = f"{repository}/{name}" + (f" at {revision[:12]}" if revision else "")
    where = f"the hub's cache {_cache()} and {_endpoint()}" + (" (offline: not asked)" if _offline() else "")
    from headtohead.backbones.weights.silence import hidden_bars, suppress_library_output

    watch_hub(hub)
    here = _look_up(hub, repository, name, revision)
    if not isinstance(here, str) and not _offline() and not _answers(_endpoint()):
        raise weights_unavailable(what, where, "it is not in the cache and the server was not reached")
    try:
        with suppress_library_output(), hidden_bars(hub):
            found = Path(hub.hf_hub_download(
                repository, name, revision=revision, cache_dir=_cache(), endpoint=_endpoint(),
                local_files_only=_offline(),
            ))  # fmt: skip
    except (OSError, ValueError, RuntimeError, getattr(hub.errors, "HTTPError", OSError)) as error:
        raise weights_unavailable(what, where, reason_in_words(error)) from error
    # A link of the cache may lead out of it, and so may what a version without `watch_hub` has left there.
    if not found.resolve().is_relative_to(_cache().resolve()):
        raise weights_unavailable(
            what, where, f"the server made the file lie outside the cache, at {found.resolve()}"
        )
    return found


def _look_up(hub: Any, repository: str, name: str, revision: str | None) -> Any:
    """Return the path of a file in the cache, or what the client returns where there is none.

    Raises:
        WeightsError: no repository can be called so.
    """
    try:
        return hub.try_to_load_from_cache(repository, name, cache_dir=_cache(), revision=revision)
    except ValueError as error:
        raise weights_unavailable(repository[:120], "the hub's cache", reason_in_words(error)) from error


def resolve_hub(name: str) -> BackboneRecord:
    """Return the record of `hf:<repository>` or `hf:<repository>@<revision>`, from its own configuration.

    Raises:
        WeightsError: the repository cannot be reached, or its network is not known here.
    """
    from headtohead.backbones.weights.model_config import read_json, record_from_config

    repository, _, asked = name.partition("@")
    try:
        config_path = get_file(repository, "config.json", asked or None)
    except WeightsError as error:
        if not _is_absent(error):
            raise
        return _resolve_open_clip(name, error)
    config = read_json(config_path)
    revision = _commit(config_path) or asked or None
    is_timm = "architecture" in config
    preprocessor: dict[str, Any] = {} if is_timm else _preprocessor(repository, revision)
    return record_from_config(
        config, preprocessor, name=f"hf:{name}", source="timm-hub" if is_timm else "transformers-hub",
        model_id=repository, revision=revision,
    )  # fmt: skip


def _resolve_open_clip(name: str, without_config: WeightsError) -> BackboneRecord:
    """Return the record of the vision tower of an open_clip repository."""
    from headtohead.backbones.weights.model_config import read_json
    from headtohead.backbones.weights.open_clip_config import CONFIG_NAME, record_from_open_clip

    repository, _, asked = name.partition("@")
    try:
        path = get_file(repository, CONFIG_NAME, asked or None)
    except WeightsError as error:
        raise (without_config if _is_absent(error) else error) from error.__cause__
    revision = _commit(path) or asked or None
    return record_from_open_clip(read_json(path), name=f"hf:{name}", model_id=repository, revision=revision)


def _preprocessor(repository: str, revision: str | None) -> dict[str, Any]:
    from headtohead.backbones.weights.model_config import read_json

    hub = _hub()
    try:
        return read_json(get_file(repository, "preprocessor_config.json", revision))
    except WeightsError as error:
        if isinstance(error.__cause__, hub.errors.EntryNotFoundError):
            return {}
        raise


def _check(record: BackboneRecord, pin: Pin | None, path: Path, got: str) -> str:
    """Compare a file's sha256 with every statement about it there is; return by what it was checked."""
    named = path.resolve().name
    said = {
        "the catalogue": record.file_sha256,
        "the pin of the first use": pin.sha256 if pin else None,
        "the hub's ETag": named if re.fullmatch(r"[0-9a-f]{64}", named) else None,
    }
    for by, expected in said.items():
        if expected is not None and expected != got:
            raise weights_unavailable(
                f"{record.name} ({record.model_id})", str(path),
                f"its sha256 is {got[:16]}…, {by} says {expected[:16]}…: the file is damaged or was changed; "
                f"delete {path.resolve()} to download it again",
            )  # fmt: skip
    return (
        " and ".join(by for by, expected in said.items() if expected is not None)
        or "nothing: no sha256 is known"
    )


def _pin_path(record: BackboneRecord) -> Path:
    slug = record.model_id.replace("/", "--")
    return cache_home() / "hub" / f"{slug}@{record.revision or 'main'}.json"


def _pinned(record: BackboneRecord) -> Pin | None:
    path = _pin_path(record)
    if not path.exists():
        return None
    try:
        return Pin.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise WeightsError(
            f"{path} is not a readable pin of a hub revision; delete it to pin the current revision."
        ) from error


def _commit(path: Path) -> str | None:
    """Return the commit in `…/snapshots/<commit>/<file>`."""
    name = path.parent.name
    return name if re.fullmatch(r"[0-9a-f]{40}", name) else None


def _hub() -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read on import, which may be past
    import huggingface_hub
    import huggingface_hub.constants
    import huggingface_hub.errors

    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _answers(endpoint: str) -> bool:
    """Return whether anything listens there; the client itself would try for half a minute.

    Behind a proxy only the client can tell, so the answer is yes.
    """
    parts = urllib.parse.urlsplit(endpoint)
    if urllib.request.getproxies().get(parts.scheme):
        return True
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _offline() -> bool:
    return any(os.environ.get(name, "").lower() in YES for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def _cache() -> Path:
    direct = os.environ.get("HF_HUB_CACHE")
    if direct:
        return Path(direct).expanduser()
    home = os.environ.get("HF_HOME")
    xdg = os.environ.get("XDG_CACHE_HOME")
    base = Path(home) if home else (Path(xdg) if xdg else Path("~/.cache")) / "huggingface"
    return base.expanduser() / "hub"
