"""The run folder: the files that every study (compare, best, reproduce) leaves, and how it goes on after a stop.

study.toml          the whole configuration, with the kind of the study
data.json           the data's digest, so that changed images are refused by name
provenance.json     versions, hardware, seed, command;  contenders/<backbone>.json  weights
samples.parquet     one row per sample
audit.json          findings;  groups.csv  the groups found
folds.parquet       who was in which part;  leak_proof.json  that nothing was in both
recipe.json         the preprocessing
cells/<contender>/r<repeat>f<fold>.json     one finished cell, whole or absent
versions.json       of the libraries that compute the cells
training/<contender>/r<repeat>f<fold>.json  seconds and trials of a cell;  .jsonl  a line per epoch
spent.json          the same, summed for each contender, with the largest memory
curve/<contender>/<per cent>.json  out-of-fold probabilities of the learning curve's smaller parts
learning_curve.json scores of the probes over the size of the training part, of compare
predictions.parquet out-of-fold predictions;  inner.parquet, learning.parquet  of compare
verdict.json, scores.json, comparisons.json
images.json, features.json  images of the page, their neighbours;  report.json  every number of the page
card.md             model card
report.html         of compare;  best.json, best.html  of best;  reproduce.json, reproduce.html  of reproduce
finished.json       the run is finished

Every JSON file carries the version of its format.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.config import RunConfig, differences
from headtohead.core.errors import ChangedConfigError, ChangedDataError, MissingDataError, RunFolderError
from headtohead.core.records import Verdict
from headtohead.core.tables.stored_files import read_as, read_config, read_json_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMAT", "LOCKS", "RunFolder", "slug", "write_record"]

FORMAT = 1
"""Version of the JSON files of a run folder; every one of them carries it."""

LOCKS = ".locks"  # folder of the locks by which the shards of a run keep out of each other's way
BEFORE_WORK = {
    "study.toml",
    ".lock",
    LOCKS,
    "contenders",
    "confounds.json",
}  # written before any image is read
FINISHED = "finished.json"


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write one of a run folder's JSON files, with the version of the format in front."""
    write_json(path, {"format": FORMAT, **content})


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

        if self.path.exists() and not self.path.is_dir():
            raise RunFolderError(f"{self.path} is a file, not a folder. Choose another --out.")
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

        A folder that a call claimed and then left because weights were missing holds no work, and may be claimed again.

        Raises:
            ChangedConfigError: names each setting that differs.
            RunFolderError: the folder holds other files but no run.
        """
        path = self / "study.toml"
        if not path.is_file():
            self._refuse_foreign_files()
            write_atomic(path, config.kept_in(self.path).to_toml())
            return
        # Both as the folder keeps them, since one place has many paths.
        changed = differences(self.config().kept_in(self.path), config.kept_in(self.path))
        if changed and {item.name for item in self.path.iterdir()} <= BEFORE_WORK:
            shutil.rmtree(self / "contenders", ignore_errors=True)
            write_atomic(path, config.kept_in(self.path).to_toml())
        elif changed:
            raise ChangedConfigError(
                f"{self.path} was made with another configuration ({'; '.join(changed)}). "
                "Use the same settings to go on, or choose another --out."
            )

    def check_or_write_data(self, digest: str, files: Mapping[str, str]) -> None:
        """Write the digest of the images, or check that they are still the same.

        Args:
            digest: one hash over all samples.
            files: path -> what identifies its content and label.

        Raises:
            ChangedDataError: names files that were added, removed or changed.
        """
        path = self / "data.json"
        if not path.is_file():
            self.write("data.json", {"digest": digest, "files": dict(sorted(files.items()))})
            return
        old = self.json("data.json")
        if not isinstance(old.get("files"), dict) or not isinstance(old.get("digest"), str):
            raise RunFolderError(
                f"{path} is damaged: it names no files. Restore it, or choose another --out."
            )
        if old["digest"] != digest:
            raise ChangedDataError(
                f"The images are not those that {self.path} was made from: "
                f"{_changed_files(old['files'], files)}. Put them back, or choose another --out."
            )

    @property
    def is_claimed(self) -> bool:
        """Whether the folder belongs to a study."""
        return (self / "study.toml").is_file()

    @property
    def finished_digest(self) -> str | None:
        """The digest of the data of a finished run, or None where the run is not finished."""
        return str(self.json(FINISHED).get("digest")) if (self / FINISHED).is_file() else None

    def mark_finished(self, digest: str) -> None:
        """Note that nothing is left to do.

        Args:
            digest: of the data.
        """
        self.write(FINISHED, {"digest": digest})

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of the folder's JSON files, with the version of the format in front."""
        write_record(self / name, content)

    def verdict(self) -> Verdict:
        """Return the verdict of the run.

        Raises:
            RunFolderError: the run is not finished.
        """
        return read_as(Verdict, self.json("verdict.json"), self / "verdict.json")

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the folder's Parquet files, such as "predictions.parquet".

        Raises:
            RunFolderError: the run is not finished.
        """
        from headtohead.core.tables.stored_files import read_frame

        return read_frame(self.require(name))

    def config(self) -> RunConfig:
        """Return the configuration that the folder was made with."""
        path = self / "study.toml"
        if not path.is_file():
            raise RunFolderError(f"{self.path} is not a run folder: it holds no study.toml.")
        return read_config(path).restored_from(self.path)

    def missing_data(self, data: str) -> MissingDataError:
        """Return the error for a run whose images are not at `data`, such as one that was moved without them."""
        return MissingDataError(
            f"The images of the run {self.path} are not at {data}. A run keeps their place as seen from its own folder "
            f"or the home folder: put both where they were, or write the images' path as `data` into "
            f"{self.path / 'study.toml'}; that they are the same images is checked."
        )

    def json(self, name: str) -> Any:
        """Return the content of one of the folder's JSON files."""
        return read_json_file(self.require(name))

    def require(self, name: str) -> Path:
        """Return the path of one of the folder's files.

        Raises:
            RunFolderError: it is not there, because the run is not finished.
        """
        path = self / name
        if not path.is_file():
            if not self.path.is_dir():
                raise RunFolderError(
                    f"There is no run at {self.path}; expected the folder that a study wrote."
                )
            if not self.is_claimed:
                raise RunFolderError(
                    f"{self.path} is not a run folder: it holds no study.toml and no {name}. Give the --out of compare."
                )
            raise RunFolderError(
                f"{self.path} holds no {name}: the run is not finished. Run the same command again."
            )
        return path

    def cell_path(self, contender: str, repeat: int, fold: int) -> Path:
        """Return the path of a cell's file; the contender's name is made safe for any file system."""
        return self.path / "cells" / slug(contender) / f"r{repeat}f{fold}.json"

    def training_path(self, contender: str, repeat: int, fold: int) -> Path:
        """Return the path of what a cell's trainings took; the epoch log lies next to it, as `.jsonl`."""
        return self.path / "training" / slug(contender) / f"r{repeat}f{fold}.json"

    def work_folder(self, contender: str, repeat: int, fold: int) -> Path:
        """Return the folder for unfinished work of a cell (checkpoints)."""
        return self.path / "cells" / slug(contender) / f"r{repeat}f{fold}.work"

    def _refuse_foreign_files(self) -> None:
        if not self.path.is_dir():
            return
        others = sorted(item.name for item in self.path.iterdir() if item.name not in (".lock", LOCKS))
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
    # Names that differ in other characters alone must not share a file.
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _changed_files(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    kinds = {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "changed": sorted(path for path in set(old) & set(new) if old[path] != new[path]),
    }
    return "; ".join(f"{len(paths)} {kind} ({_first_paths(paths)})" for kind, paths in kinds.items() if paths)


def _first_paths(paths: list[str]) -> str:
    shown = ", ".join(paths[:5])
    return f"{shown}, …" if len(paths) > 5 else shown
