"""The run folder: what a study leaves behind, and how it goes on where it stopped.

study.toml          the whole configuration
data.json           the data's digest, so that changed images are refused by name
provenance.json     versions, hardware, weights, seeds, command
samples.parquet     one row per sample
audit.json          findings;  groups.csv  the groups found
folds.parquet       who was in which part;  leak_proof.json  that nothing was in both
cells/<contender>/r<repeat>f<fold>.json     one finished cell, whole or absent
training/<contender>/r<repeat>f<fold>.json  seconds and trials of a cell;  .jsonl  a line per epoch
spent.json          the same, summed for each contender
predictions.parquet, inner.parquet, learning.parquet
verdict.json, scores.json, comparisons.json
report.html
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.config import RunConfig, differences, parse_config
from headtohead.core.errors import ChangedConfigError, ChangedDataError, RunFolderError

__all__ = ["RunFolder"]

BEFORE_WORK = {"study.toml", ".lock", "contenders"}


class RunFolder:
    """A folder that belongs to one configuration and one set of images."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process, or say that another process holds it."""
        from filelock import FileLock, Timeout

        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunFolderError(
                f"{self.path} is in use by another headtohead process. Wait for it, or choose another --out."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def check_or_write_config(self, config: RunConfig) -> None:
        """Write the configuration, or check that the folder was made with the same one.

        A folder that a call claimed and then left for want of weights holds no work, and may be claimed anew.

        Raises:
            ChangedConfigError: names each setting that differs.
            RunFolderError: the folder holds other files but no run.
        """
        path = self / "study.toml"
        if not path.is_file():
            self._refuse_strangers()
            write_atomic(path, config.to_toml())
            return
        changed = differences(parse_config(path.read_text()), config)
        if changed and {item.name for item in self.path.iterdir()} <= BEFORE_WORK:
            shutil.rmtree(self / "contenders", ignore_errors=True)
            write_atomic(path, config.to_toml())
        elif changed:
            raise ChangedConfigError(
                f"{self.path} was made with another configuration ({'; '.join(changed)}). "
                "Use the same settings to go on, or choose another --out."
            )

    def check_or_write_data(self, digest: str, files: Mapping[str, str]) -> None:
        """Write what the images are, or check that they are still the same.

        Args:
            digest: one hash over all samples.
            files: path -> what identifies its content and label.

        Raises:
            ChangedDataError: names files that were added, removed or changed.
        """
        path = self / "data.json"
        if not path.is_file():
            write_json(path, {"digest": digest, "files": dict(sorted(files.items()))})
            return
        old = json.loads(path.read_text())
        if old["digest"] != digest:
            raise ChangedDataError(
                f"The images are not those that {self.path} was made from: "
                f"{_what_changed(old['files'], files)}. Put them back, or choose another --out."
            )

    def config(self) -> RunConfig:
        """Return the configuration that the folder was made with."""
        path = self / "study.toml"
        if not path.is_file():
            raise RunFolderError(f"{self.path} is not a run folder: it holds no study.toml.")
        return parse_config(path.read_text())

    def json(self, name: str) -> Any:
        """Return the content of one of the folder's JSON files."""
        return json.loads(self.require(name).read_text())

    def require(self, name: str) -> Path:
        """Return the path of one of the folder's files.

        Raises:
            RunFolderError: it is not there, because the run is not finished.
        """
        path = self / name
        if not path.is_file():
            raise RunFolderError(
                f"{self.path} holds no {name}: the run is not finished. Run the same command again."
            )
        return path

    def cell_path(self, contender: str, repeat: int, fold: int) -> Path:
        """Return where a cell's file lies; the contender's name is made safe for any file system."""
        return self.path / "cells" / slug(contender) / f"r{repeat}f{fold}.json"

    def training_path(self, contender: str, repeat: int, fold: int) -> Path:
        """Return where it lies what a cell's trainings took; their lines lie beside it, as `.jsonl`."""
        return self.path / "training" / slug(contender) / f"r{repeat}f{fold}.json"

    def work_folder(self, contender: str, repeat: int, fold: int) -> Path:
        """Return the folder for unfinished work of a cell (checkpoints)."""
        return self.path / "cells" / slug(contender) / f"r{repeat}f{fold}.work"

    def _refuse_strangers(self) -> None:
        if not self.path.is_dir():
            return
        others = sorted(item.name for item in self.path.iterdir() if item.name != ".lock")
        if others:
            raise RunFolderError(
                f"{self.path} is not empty and not a run folder (it holds {', '.join(others[:3])}…). "
                "Choose an empty or new folder for --out."
            )


def slug(name: str) -> str:
    """Return a file name for any contender name: readable, unique, at most 80 characters.

    >>> slug("vit-b16")
    'vit-b16'
    """
    plain = re.sub(r"[^A-Za-z0-9.@_-]+", "_", name).strip("._")[:64]
    if plain == name:
        return plain
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _what_changed(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    kinds = {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "changed": sorted(path for path in set(old) & set(new) if old[path] != new[path]),
    }
    return "; ".join(f"{len(paths)} {kind} ({_few(paths)})" for kind, paths in kinds.items() if paths)


def _few(paths: list[str]) -> str:
    shown = ", ".join(paths[:5])
    return f"{shown}, …" if len(paths) > 5 else shown
