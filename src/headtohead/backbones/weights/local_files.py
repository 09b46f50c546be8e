"""Weights in files of the user's own: `path:<file>?arch=<timm model>` or `path:<folder with config.json>`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import file_sha256, weights_unavailable
from headtohead.core.errors import UsageError

__all__ = ["from_file", "resolve_path"]

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
NAMES = ("model.safetensors", "pytorch_model.bin", "model.pth")


def resolve_path(rest: str) -> BackboneRecord:
    """Return the record of a file with its architecture, or of a folder with a `config.json`.

    Raises:
        UsageError: a bare file without `?arch=`, or a setting other than `arch`.
        WeightsError: nothing is there, or the configuration names no known network.
    """
    plain, _, query = rest.partition("?")
    path = Path(plain).expanduser()
    if not _exists(path):
        raise weights_unavailable(f"path:{rest}", str(path), "there is no such file or folder")
    return _folder(path, rest) if path.is_dir() else _file(path, query, rest)


def _exists(path: Path) -> bool:
    """Return whether something is there; a name that no file system takes names nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def from_file(record: BackboneRecord) -> tuple[Path, str, Mapping[str, Any]]:
    """Return path, sha256 and facts of a record whose weights lie in a file.

    Raises:
        WeightsError: the file is gone.
    """
    path = Path(record.model_id)
    if not path.is_file():
        raise weights_unavailable(record.name, str(path), "the file is not there any more")
    return path, file_sha256(path), {"source": f"local file {path.name}", "revision": None}


def _file(path: Path, query: str, rest: str) -> BackboneRecord:
    key, _, architecture = query.partition("=")
    if key != "arch" or not architecture:
        raise UsageError(
            f"path:{rest}: a bare weights file does not say which network it belongs to; expected "
            f"path:{path.name}?arch=<timm model>, or a folder with its config.json."
        )
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"path:{rest}: expected a file that ends in {', '.join(SUFFIXES)}; got {path.suffix!r}."
        )
    from headtohead.backbones.weights.timm_config import as_settings, from_timm_config, timm_config

    return from_timm_config(
        f"path:{rest}", architecture, as_settings(timm_config(architecture)), source="file",
        model_id=str(path.absolute()),
        pretraining="not known (a local file)", licence="not known (a local file)",
    )  # fmt: skip


def _folder(path: Path, rest: str) -> BackboneRecord:
    from headtohead.backbones.weights.model_config import read_json, record_from_config

    found = [path / name for name in NAMES if (path / name).is_file()]
    if not found or not (path / "config.json").is_file():
        raise weights_unavailable(
            f"path:{rest}", str(path), f"expected a config.json and one of {', '.join(NAMES)} in it"
        )
    config = read_json(path / "config.json")
    beside = path / "preprocessor_config.json"
    return record_from_config(
        config, read_json(beside) if beside.is_file() else {}, name=f"path:{rest}", source="file",
        model_id=str(found[0].absolute()), licence="not known (a local file)", pretraining="not known (a local file)",
    )  # fmt: skip
