"""Headers whose data lie in a file beside them (`.mhd`, `.nhdr`, `.hdr` with `.img`), joined into one content.

The joined content is what is hashed and decoded, so a change in either file is seen.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

import nibabel as nib

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits, inflate
from headtohead.data.readers.volumes.metaimage import metaimage_lines
from headtohead.data.readers.volumes.nrrd import nrrd_fields
from headtohead.data.readers.volumes.signatures import HEADER_SUFFIXES, is_analyze

__all__ = ["joined"]

_NIFTI_PAIR = b"ni1\x00"
_DATA_AT = 352
"""Where voxels begin in a NIfTI file of one part."""


def joined(path: str, content: bytes, read: Callable[[str], bytes], limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Return the content of a file together with the data that its header names; any other content as it is.

    Args:
        path: of the file; the data lie in the same folder.
        content: of the file.
        read: returns the bytes of another file of the store.
        limits: what the data may unfold to.

    Raises:
        UnreadableError: the data are not there.
    """
    name = path.lower()
    if not name.endswith(HEADER_SUFFIXES):
        return content
    if name.endswith(".mhd"):
        return _metaimage(path, content, read)
    if content[:4] == b"NRRD":
        return _nrrd(path, content, read)
    front = inflate(content, 348, limits, wbits=31, exact=False) if content[:2] == b"\x1f\x8b" else content
    return _analyze(path, front, read, limits) if is_analyze(front) else content


def _beside(path: str, name: str, read: Callable[[str], bytes]) -> bytes:
    """Return the file of this name in the same folder; a path that leads elsewhere is refused."""
    plain = name.replace("\\", "/").removeprefix("./")
    if not plain or "/" in plain or plain in (".", ".."):
        raise UnreadableError(
            f"its header names data in another folder ({name[:80]!r}); keep both side by side"
        )
    try:
        return read(posixpath.join(posixpath.dirname(path), plain))
    except UnreadableError:
        raise UnreadableError(
            f"its header names the data file {plain[:80]!r}, which is not next to it"
        ) from None


def _metaimage(path: str, content: bytes, read: Callable[[str], bytes]) -> bytes:
    fields, end = metaimage_lines(content)
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        return content
    if name.upper() == "LIST" or "%" in name:
        raise UnreadableError("its data are one file a slice (LIST), which is not read; save it as one .mha")
    lines = [
        line for line in content[:end].splitlines() if line.partition(b"=")[0].strip() != b"ElementDataFile"
    ]
    # the data follow the line ElementDataFile, which is therefore the last
    return b"\n".join([*lines, b"ElementDataFile = LOCAL", b""]) + _beside(path, name, read)


def _nrrd(path: str, content: bytes, read: Callable[[str], bytes]) -> bytes:
    fields, _ = nrrd_fields(content)
    name = fields.get("datafile", "")
    if not name:
        return content
    if name.upper().startswith("LIST") or "%" in name:
        raise UnreadableError("its data are one file a slice (LIST), which is not read; save it as one .nrrd")
    keys = (b"datafile", b"data file")
    lines = [
        line for line in content.splitlines() if line and line.partition(b":")[0].strip().lower() not in keys
    ]
    return b"\n".join([*lines, b"", b""]) + _beside(path, name, read)


def _analyze(path: str, front: bytes, read: Callable[[str], bytes], limits: Limits) -> bytes:
    """Return an Analyze or NIfTI pair as a NIfTI file of one part."""
    folder, last = posixpath.split(path)
    stem = last[: last.lower().rindex(".hdr")]
    voxels = None
    for suffix in (".img", ".IMG", ".img.gz"):
        try:
            voxels = read(posixpath.join(folder, stem + suffix))
            break
        except UnreadableError:
            continue
    if voxels is None:
        raise UnreadableError(f"its data file {stem}.img is not next to it")
    with decoding_errors("its Analyze header is damaged"):
        header, skipped = _as_nifti(front)
    if voxels[:2] == b"\x1f\x8b":
        voxels = inflate(voxels, limits.unfolded, limits, wbits=31, exact=False)
    return header + bytes(4) + voxels[skipped:]  # four zeros: no extension follows the header (nifti1.h)


def _as_nifti(front: bytes) -> tuple[bytes, int]:
    """Return the header of a NIfTI file of one part, and how many bytes of the data file come before the voxels."""
    kind_of_one: Any = nib.Nifti1Header
    pair = front[344:348] == _NIFTI_PAIR
    kind: Any = nib.Nifti1Header if pair else nib.Spm2AnalyzeHeader
    stated: Any = kind(binaryblock=front[:348], check=False)
    skipped = float(stated["vox_offset"])
    header: Any = stated if pair else kind_of_one.from_header(stated, check=False)
    if not pair:
        slope = stated.get_slope_inter()[0]
        header["scl_slope"] = 1.0 if slope is None else slope
        header["qform_code"] = header["sform_code"] = 0  # Analyze states neither: nibabel's base affine
    header["magic"] = b"n+1"
    header["vox_offset"] = _DATA_AT
    binary: bytes = header.binaryblock
    return binary, int(skipped) if 0 <= skipped < 1 << 30 else 0
