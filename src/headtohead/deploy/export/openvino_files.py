"""OpenVINO's pair of files (.xml, .bin) with a document and a seal over both."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import UsageError
from headtohead.core.optional import require
from headtohead.deploy.export.sealed import SealError

__all__ = ["read_openvino", "write_openvino"]

ROOM, DOCUMENT, SEAL = "headtohead", "document", "sha256"
UNSEALED = "0" * 64  # stands where the digest goes while the digest is computed
# OpenVINO writes the entries of a model's rt_info as elements with a value.
_SEAL = re.compile(rb'(<sha256 value=")([0-9a-f]{64})(")')


def write_openvino(graph: bytes, document: str, path: Path) -> None:
    """Write an ONNX graph as OpenVINO's files, weights in full precision.

    Args:
        graph: the ONNX file.
        document: kept in the model's `rt_info`.
        path: of the .xml; the .bin is written next to it.

    Raises:
        UsageError: the path has another ending.
        MissingExtraError: OpenVINO is not installed.
    """
    weights = _weights_path(path)
    openvino: Any = require("openvino", "openvino", "write OpenVINO models")
    model = openvino.Core().read_model(graph)
    model.set_rt_info(document, [ROOM, DOCUMENT])
    model.set_rt_info(UNSEALED, [ROOM, SEAL])
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "model.xml"
        # By default save_model rounds weights to float16, which moves probabilities.
        openvino.save_model(model, temporary, compress_to_fp16=False)
        text, data = temporary.read_bytes(), temporary.with_suffix(".bin").read_bytes()
    sealed = _SEAL.sub(rb"\g<1>" + _digest(text, data).encode() + rb"\g<3>", text)
    # The .xml last: it holds the seal over both.
    write_atomic(weights, data)
    write_atomic(path, sealed)


def read_openvino(path: Path) -> tuple[str, tuple[bytes, bytes]]:
    """Return the document of OpenVINO's files and the bytes of both, after a look at the seal.

    Raises:
        SealError: a file is missing, was changed, or has no document.
        MissingExtraError: OpenVINO is not installed.
    """
    weights = _weights_path(path)
    if not weights.is_file():
        raise SealError(f"{path} needs its weights {weights.name} next to it, and they are not there.")
    text, data = path.read_bytes(), weights.read_bytes()
    stated = _SEAL.findall(text)
    if len(stated) != 1:
        raise SealError(
            f"{path.name} has no description by headtohead; expected a model that `headtohead export` wrote."
        )
    unsealed = _SEAL.sub(rb"\g<1>" + UNSEALED.encode() + rb"\g<3>", text)
    if _digest(unsealed, data) != stated[0][1].decode():
        raise SealError(
            f"{path.name} or {weights.name} was changed after `headtohead export` wrote it: the sha256 does not fit. "
            "Export the model again."
        )
    openvino: Any = require("openvino", "openvino", "run models in OpenVINO")
    document = openvino.Core().read_model(text, data).get_rt_info([ROOM, DOCUMENT]).astype(str)
    return str(document), (text, data)


def _digest(text: bytes, data: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(text).digest() + hashlib.sha256(data).digest()).hexdigest()


def _weights_path(path: Path) -> Path:
    if path.suffix != ".xml":
        raise UsageError(f"Got {path}; OpenVINO's models end in .xml (the weights lie next to it, in .bin).")
    return path.with_suffix(".bin")
