"""The files of a bundle and their checksums: written whole, and checked byte for byte before they are used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import BundleError, HeadToHeadError
from headtohead.core.records import Record
from headtohead.deploy.bundle.records import BUNDLE_FORMAT

__all__ = ["CHECKSUMS", "BundleFiles", "check_bundle", "check_free", "digest_of", "write_bundle"]

CHECKSUMS = "SHA256SUMS"
DOCUMENTS = (
    "config.json",
    "preprocessor_config.json",
    "calibration.json",
    "reference.json",
    "estimate.json",
    "provenance.json",
)
WEIGHTS = "model.safetensors"
NEEDED = (*DOCUMENTS, WEIGHTS, "README.md")


@dataclass(frozen=True)
class BundleFiles:
    """The files of a bundle as they were checked.

    Attributes:
        folder: where they are.
        checksums: sha256 of each, the list of checksums included.
        documents: the JSON files, read once: what was checked is what is used.
    """

    folder: Path
    checksums: Mapping[str, str]
    documents: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The digest of the bundle: the sha256 of its list of checksums."""
        return self.checksums[CHECKSUMS]

    def record(self, name: str, kind: type[Record]) -> Any:
        """Return one of the JSON files as a record.

        Raises:
            BundleError: no JSON, another format, or values that the record does not take.
        """
        try:
            content = json.loads(self.documents[name])
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{name} in {self.folder} cannot be read ({type(error).__name__}).") from error
        found = content.get("format") if isinstance(content, dict) else None
        if found != BUNDLE_FORMAT:
            raise BundleError(
                f"{name} in {self.folder} has format {found}; this version reads {BUNDLE_FORMAT}. Update headtohead."
            )
        try:
            return kind.model_validate(content)
        except (ValueError, HeadToHeadError) as error:
            # pydantic lists every field that does not fit, over many lines
            first = " ".join(str(error).split())[:200]
            raise BundleError(
                f"{name} in {self.folder} is not understood: {first}. Train the model again."
            ) from error

    def check_weights(self) -> None:
        """Refuse weights that changed since the check; called once they have been read, since they are not held.

        Raises:
            BundleError: their sha256 is another one.
        """
        _compare(self.folder, WEIGHTS, _sha256(self.folder / WEIGHTS), self.checksums[WEIGHTS])


def write_bundle(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write the files of a bundle and, last, their checksums; return the digest.

    Raises:
        BundleError: the folder holds something else than a bundle.
    """
    check_free(folder)
    # Until the new list is there, a bundle that is half written is refused.
    (folder / CHECKSUMS).unlink(missing_ok=True)
    for name, content in files.items():
        write_atomic(folder / name, content)
    # the format of sha256sum, so that `sha256sum -c SHA256SUMS` checks a bundle without headtohead
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    write_atomic(folder / CHECKSUMS, lines)
    return digest_of(lines)


def check_free(folder: Path) -> None:
    """Refuse a folder that holds something else than a bundle.

    Raises:
        BundleError: names what it holds.
    """
    present = {item.name for item in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(present - {*NEEDED, CHECKSUMS})
    if foreign:
        raise BundleError(
            f"{folder} holds other files ({', '.join(foreign[:3])}). Choose an empty or new folder for --out."
        )


def digest_of(lines: str) -> str:
    """Return the digest of a bundle: the sha256 of its list of checksums."""
    return hashlib.sha256(lines.encode()).hexdigest()


def check_bundle(folder: Path) -> BundleFiles:
    """Compare each file of a bundle with its checksum.

    Raises:
        BundleError: no bundle, or a file is missing, changed, or not listed.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        raise BundleError(
            f"{folder} is not a model: it has no {CHECKSUMS}. Expected a folder that `headtohead train` wrote."
        )
    try:
        lines = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BundleError(f"{path} is no list of checksums; train the model again.") from error
    stated = {name: digest for digest, _, name in (line.partition("  ") for line in lines.splitlines())}
    # The list comes with the bundle: it must not have files elsewhere read.
    if any("/" in name or "\\" in name for name in stated):
        raise BundleError(f"{path} lists files outside its folder; train the model again.")
    missing = sorted({*NEEDED, *stated} - {name for name in stated if (folder / name).is_file()})
    if missing:
        raise BundleError(f"{folder} lacks {', '.join(missing)}. Copy the whole folder, or train again.")
    # An added file would not count in the digest.
    extra = sorted({item.name for item in folder.iterdir()} - {*stated, CHECKSUMS})
    if extra:
        raise BundleError(
            f"{folder} holds {', '.join(extra)}, which its {CHECKSUMS} does not list; move it away."
        )
    documents = {name: (folder / name).read_bytes() for name in DOCUMENTS}
    for name, digest in stated.items():
        content = documents.get(name)
        found = _sha256(folder / name) if content is None else hashlib.sha256(content).hexdigest()
        _compare(folder, name, found, digest)
    return BundleFiles(folder, stated | {CHECKSUMS: digest_of(lines)}, documents)


def _compare(folder: Path, name: str, found: str, stated: str) -> None:
    if found != stated:
        raise BundleError(
            f"{name} in {folder} was changed: its sha256 is not the one in {CHECKSUMS}. "
            "Restore the file, or train again."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
