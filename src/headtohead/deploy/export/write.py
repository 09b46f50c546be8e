"""Write a network with its description to a file, and refuse a file that answers differently."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import move
from typing import Literal

import numpy as np
from torch import nn

from headtohead.core.errors import NoEffectError, UnreadableError, UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.readers.read import read_image
from headtohead.deploy.export.document import ExportDocument
from headtohead.deploy.export.exported_files import PROGRAM_DOCUMENT
from headtohead.deploy.export.exported_model import ExportedAnswer, ExportedModel, answers_of
from headtohead.deploy.export.graph import INPUT, to_onnx, to_program
from headtohead.deploy.export.int8 import CALIBRATION_IMAGES, to_int8
from headtohead.deploy.export.parity import Parity, compare_answers
from headtohead.deploy.export.sealed import seal
from headtohead.deploy.runtimes.torch_network import TorchNetwork

__all__ = ["TARGETS", "ExportJob", "Target", "export_network"]

Target = Literal["onnx", "openvino", "torch", "monai"]
TARGETS: tuple[Target, ...] = ("onnx", "openvino", "torch", "monai")
SUFFIX = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2", "monai": ""}


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What is to be written.

    Attributes:
        network: normalised images (n, 3, S, S) in, logits (n, k) out; in evaluation mode, on the CPU, in float32.
        document: its description.
        images: (name, content) of files on which the answers are compared.
        images_are: what kind they are, in words.
        int8: cut weights and activations to 8 bits (ONNX and OpenVINO); the drift is reported, not refused.
    """

    network: nn.Module
    document: ExportDocument
    images: Sequence[tuple[str, bytes]]
    images_are: str = "images"
    int8: bool = False


def export_network(job: ExportJob, target: str, out: Path, *, reporter: Reporter = QUIET) -> Parity:
    """Write a network to `out` and return how its answers differ from torch's in float32.

    Every image goes the whole way twice, from its bytes to the label: through the network as it is, and through the
    file as it was written. The figures are stored in the file.

    Args:
        target: "onnx", "openvino" (an .xml and a .bin), "torch" (.pt2) or "monai" (a folder).
        out: must not exist.

    Raises:
        UnknownNameError, UsageError: no such target; a wrong ending; `out` exists; no readable images.
        PrecisionError: a probability differs by more than 1e-3, or a label outside rounding.
        MissingExtraError: the target's package is not installed.
    """
    _check(job, target, out)
    readable = [
        item for item, answer in zip(job.images, _reference(job), strict=True) if answer.error is None
    ]
    if not readable:
        raise UsageError(
            "None of the images can be read, so the answers cannot be compared; give others with --images."
        )
    reporter.info(f"Writing {out.name} ({target})")
    graph = _graph(job, target, readable)
    with tempfile.TemporaryDirectory(dir=_parent(out)) as folder:
        draft = Path(folder) / out.name
        _write(job, target, graph, job.document, draft)
        parity = _compare(job, target, draft, readable, reporter)
        parity.require(out.name)
        final = Path(folder) / "final" / out.name
        final.parent.mkdir()
        _write(job, target, graph, job.document.model_copy(update={"parity": parity}), final)
        for path in sorted(final.parent.iterdir()):
            move(path, out.with_name(path.name))
    return parity


def _check(job: ExportJob, target: str, out: Path) -> None:
    if target not in TARGETS:
        raise unknown_name("export target", target, TARGETS)
    if out.suffix != SUFFIX[target] and target != "monai":
        raise UsageError(f"Got --out {out}; a model for {target} ends in {SUFFIX[target]}.")
    if out.exists():
        raise UsageError(f"{out} exists already; give another name, or remove it first.")
    if job.int8 and target not in ("onnx", "openvino"):
        raise NoEffectError(f"int8 is for onnx and openvino; a model for {target} keeps float32.")
    if not job.images:
        raise UsageError("No images were given, so the answers cannot be compared; give some with --images.")


def _parent(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.parent


def _reference(job: ExportJob) -> list[ExportedAnswer]:
    return ExportedModel(job.document, TorchNetwork(job.network)).predict_bytes(job.images)


def _graph(job: ExportJob, target: str, readable: Sequence[tuple[str, bytes]]) -> bytes:
    """Return the ONNX graph for the targets that are made from one, else nothing."""
    if target not in ("onnx", "openvino"):
        return b""
    graph = to_onnx(job.network, job.document.network_input.input_size)
    if not job.int8:
        return graph
    every = max(1, len(readable) // CALIBRATION_IMAGES)
    chosen = readable[::every][:CALIBRATION_IMAGES]
    return to_int8(
        graph, np.stack([job.document.prepare(read_image(content)) for _, content in chosen]), INPUT
    )


def _write(job: ExportJob, target: str, graph: bytes, document: ExportDocument, path: Path) -> None:
    text = document.model_dump_json()
    if target == "onnx":
        path.write_bytes(seal(graph, text))
    elif target == "openvino":
        from headtohead.deploy.export.openvino_files import write_openvino

        write_openvino(graph, text, path)
    else:
        program = to_program(job.network, document.network_input.input_size, {PROGRAM_DOCUMENT: text})
        if target == "torch":
            path.write_bytes(program)
        else:
            from headtohead.deploy.export.monai_bundle import write_monai

            write_monai(program, document, path)


def _compare(
    job: ExportJob, target: str, path: Path, readable: Sequence[tuple[str, bytes]], reporter: Reporter
) -> Parity:
    from headtohead.deploy.export.monai_bundle import PROGRAM

    written = ExportedModel.open(path / PROGRAM if target == "monai" else path)
    bundle = ExportedModel(job.document, TorchNetwork(job.network))
    ours: list[ExportedAnswer] = []
    theirs: list[ExportedAnswer] = []
    for item in reporter.progress(readable, "comparing answers", len(readable)):
        ours += bundle.predict_bytes([item])
        theirs += written.predict_bytes([item])
    lost = [answer for answer in theirs if answer.error is not None]
    if lost:
        raise UnreadableError(
            f"{lost[0].name} can be read by the bundle and not by the exported file: {lost[0].error}"
        )
    names = [Path(name).name for name, _ in readable]
    return compare_answers(
        answers_of(ours, job.document),
        answers_of(theirs, job.document),
        names,
        images=job.images_are,
        int8=job.int8,
    )
