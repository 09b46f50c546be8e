"""The files of a bundle and their checksums: written whole, and checked byte for byte before they are used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import BundleError, HeadToHeadError
from headtohead.core.records import Record
from headtohead.deploy.bundle.records import BUNDLE_FORMAT

__all__ = [
    "CHECKSUMS",
    "check_bundle",
    "check_free",
    "digest_of",
    "read_document",
    "read_record",
    "write_bundle",
]

CHECKSUMS = "SHA256SUMS"
DOCUMENTS = (
    "config.json",
    "preprocessor_config.json",
    "calibration.json",
    "reference.json",
    "estimate.json",
    "provenance.json",
)
NEEDED = (*DOCUMENTS, "model.safetensors", "README.md")


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


def check_bundle(folder: Path) -> str:
    """Compare each file of a bundle with its checksum, and return the bundle's digest.

    Raises:
        BundleError: no bundle, or a file is missing, changed, or not listed.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        raise BundleError(
            f"{folder} is not a model: it has no {CHECKSUMS}. Expected a folder that `headtohead train` wrote."
        )
    lines = path.read_text()
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
    for name, digest in stated.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise BundleError(
                    f"{name} in {folder} was changed: its sha256 is not the one in {CHECKSUMS}. "
                    "Restore the file, or train again."
                )
    return digest_of(lines)


def read_document(folder: Path, name: str) -> Any:
    """Return the content of one of a bundle's JSON files.

    Raises:
        BundleError: it is no JSON.
    """
    try:
        return json.loads((folder / name).read_text())
    except (OSError, ValueError) as error:
        raise BundleError(f"{name} in {folder} cannot be read ({type(error).__name__}).") from error


def read_record(folder: Path, name: str, kind: type[Record]) -> Any:
    """Return one of a bundle's JSON files as a record.

    Raises:
        BundleError: another format, or values that the record does not take.
    """
    content = read_document(folder, name)
    found = content.get("format") if isinstance(content, dict) else None
    if found != BUNDLE_FORMAT:
        raise BundleError(
            f"{name} in {folder} has format {found}; this version reads {BUNDLE_FORMAT}. Update headtohead."
        )
    try:
        return kind.model_validate(content)
    except (ValueError, HeadToHeadError) as error:
        # pydantic lists every field that does not fit, over many lines
        first = " ".join(str(error).split())[:200]
        raise BundleError(f"{name} in {folder} is not understood: {first}. Train the model again.") from error
