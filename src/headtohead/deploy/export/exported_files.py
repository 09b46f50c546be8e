"""Open an exported file: its description, checked against its seal, and the runtime that computes it."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path

from headtohead.core.errors import UsageError
from headtohead.deploy.export.document import ExportDocument
from headtohead.deploy.export.sealed import SealError, read_sealed
from headtohead.deploy.runtimes.choice import NetworkRuntime

__all__ = ["EXPORT_SUFFIXES", "PROGRAM_DOCUMENT", "is_exported", "open_exported"]

Opened = tuple[ExportDocument, NetworkRuntime, dict[str, str]]
EXPORT_SUFFIXES = (".onnx", ".xml", ".pt2")
PROGRAM_DOCUMENT = "headtohead.json"


def is_exported(path: Path) -> bool:
    """Return whether a path looks like a file that `headtohead export` writes."""
    return path.suffix in EXPORT_SUFFIXES


def open_exported(path: Path, *, threads: int = 0, runtime: str = "auto") -> Opened:
    """Return the description and the runtime of an exported file, and the sha256 of each file read, by name.

    An ONNX file runs in ONNX Runtime unless `runtime` is "openvino"; nothing here needs torch, except a .pt2 file.

    Raises:
        UsageError: another file, or a runtime that cannot run it.
        SealError: the file was changed after it was written.
        MissingExtraError: the runtime is not installed.
    """
    if not path.is_file():
        raise UsageError(f"Got {path}, which is not a file; expected one of {', '.join(EXPORT_SUFFIXES)}.")
    readers = {".onnx": _open_onnx, ".xml": _open_openvino, ".pt2": _open_program}
    if path.suffix not in readers:
        raise UsageError(f"Got {path.name}; exported models end in {', '.join(EXPORT_SUFFIXES)}.")
    return readers[path.suffix](path, threads, runtime)


def _open_onnx(path: Path, threads: int, runtime: str) -> Opened:
    content = path.read_bytes()  # read once: what was checked is what runs
    document = ExportDocument.parse(read_sealed(content, path.name), path.name)
    if runtime == "openvino":
        from headtohead.deploy.runtimes.openvino_runtime import OpenVinoRuntime

        return document, OpenVinoRuntime(content, threads), _hashes(path, content)
    _only(runtime, "onnxruntime", path)
    from headtohead.deploy.runtimes.onnx_runtime import OnnxRuntime

    return document, OnnxRuntime(content, threads), _hashes(path, content)


def _open_openvino(path: Path, threads: int, runtime: str) -> Opened:
    from headtohead.deploy.export.openvino_files import read_openvino
    from headtohead.deploy.runtimes.openvino_runtime import OpenVinoRuntime

    _only(runtime, "openvino", path)
    text, files = read_openvino(path)
    hashes = _hashes(path, files[0]) | _hashes(path.with_suffix(".bin"), files[1])
    return ExportDocument.parse(text, path.name), OpenVinoRuntime(files, threads), hashes


def _open_program(path: Path, threads: int, runtime: str) -> Opened:
    del threads  # torch has one number of threads for the whole process
    _only(runtime, "torch", path)
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = [one for one in archive.namelist() if one.endswith(f"/extra/{PROGRAM_DOCUMENT}")]
            damaged = archive.testzip()  # the format's own checksums, one per part, are its seal
            text = archive.read(name).decode()
    # what zipfile raises of damaged sizes, flags and methods of compression
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, RuntimeError, zlib.error) as error:
        raise SealError(f"{path.name} is damaged, or no torch program by headtohead.") from error
    if damaged is not None:
        raise SealError(f"{path.name} was changed after it was written: {damaged} does not fit its checksum.")
    from headtohead.deploy.runtimes.torch_program import TorchProgram

    return ExportDocument.parse(text, path.name), TorchProgram(content), _hashes(path, content)


def _hashes(path: Path, content: bytes) -> dict[str, str]:
    return {path.name: hashlib.sha256(content).hexdigest()}


def _only(asked: str, own: str, path: Path) -> None:
    if asked not in ("auto", own):
        raise UsageError(f"{path.name} runs in {own}; got --runtime {asked}.")
