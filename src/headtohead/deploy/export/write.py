"""Write a bundle's network with its description to a file, and refuse a file that answers differently."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import move
from typing import Literal

import numpy as np
import numpy.typing as npt
from torch import nn

from headtohead._version import __version__
from headtohead.core.errors import NoEffectError, UnreadableError, UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.splits.even_sample import evenly_spaced
from headtohead.deploy.export.document import ExportDocument, StoredArray
from headtohead.deploy.export.exported_files import PROGRAM_DOCUMENT
from headtohead.deploy.export.graph import exportable, input_names, to_onnx, to_program
from headtohead.deploy.export.int8 import CALIBRATION_IMAGES, to_int8
from headtohead.deploy.export.monai_bundle import PROGRAM, write_monai
from headtohead.deploy.export.openvino_files import write_openvino
from headtohead.deploy.export.parity import Parity, compare_answers
from headtohead.deploy.export.sealed import seal
from headtohead.deploy.guard.guard import PRINTS
from headtohead.deploy.load import load_model
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.prediction import ImagePrediction

__all__ = ["TARGETS", "ExportJob", "Target", "export_model"]

Target = Literal["onnx", "openvino", "torch", "monai"]
TARGETS: tuple[Target, ...] = ("onnx", "openvino", "torch", "monai")
SUFFIX = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2", "monai": ""}
BATCH = 8  # images: also checks that the batch axis is dynamic
Items = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What is to be written.

    Attributes:
        model: a bundle on its own runtime, torch in float32.
        images: (name, content) of files on which the answers are compared.
        images_are: what kind they are, in words.
        int8: cut weights and activations to 8 bits (ONNX and OpenVINO); the drift is reported, not refused.
    """

    model: DeployedModel
    images: Items
    images_are: str = "images"
    int8: bool = False


def export_model(job: ExportJob, target: str, out: Path, *, reporter: Reporter = QUIET) -> Parity:
    """Write a model to `out` and return how its answers differ from the bundle's.

    Every image goes the whole way twice, from its bytes to the label: through the bundle, and through the file as it
    was written. The figures are stored in the file.

    Args:
        target: "onnx", "openvino" (an .xml and a .bin), "torch" (.pt2) or "monai" (a folder).
        out: must not exist.

    Raises:
        UnknownNameError, UsageError: no such target; a wrong ending; `out` exists; no readable images.
        PrecisionError: a probability differs by more than 1e-3, or a label outside rounding.
        MissingExtraError: the target's package is not installed.
    """
    _check(job, target, out)
    network = exportable(job.model)
    ours = _answers(job.model, job.images, "the bundle's answers", reporter)
    kept = [(item, answer) for item, answer in zip(job.images, ours, strict=True) if answer.error is None]
    if not kept:
        raise UsageError(
            "None of the images can be read, so no answers can be compared; give others with --images."
        )
    items, ours = [item for item, _ in kept], [answer for _, answer in kept]
    write = _writer(job, target, network, items)
    document = describe(job.model)
    out.parent.mkdir(parents=True, exist_ok=True)
    # On the same file system, where moving the finished file is one rename.
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        draft, final = (Path(folder) / name / out.name for name in ("draft", "final"))
        for one in (draft, final):
            one.parent.mkdir()
        # Twice, since the figures that the file holds come from reading it back.
        write(document, draft)
        written = load_model(draft / PROGRAM if target == "monai" else draft)
        parity = _compare(job, ours, _answers(written, items, "the file's answers", reporter))
        parity.require(out.name)
        write(document.model_copy(update={"parity": parity}), final)
        for path in sorted(final.parent.iterdir()):  # .bin before .xml, without which it is not read
            move(path, out.with_name(path.name))
    return parity


def describe(model: DeployedModel) -> ExportDocument:
    """Return the description of a model: its records as they stand in the bundle."""
    return ExportDocument(
        version=__version__,
        digest=model.digest,
        config=model.config,
        preprocessing=model.preprocessing,
        calibration=model.calibration,
        reference=model.reference,
        estimate=model.estimate_record,
        # Only an evaluation reads the hashes, and it takes the bundle.
        guard={n: StoredArray.of(array) for n, array in model.guard_tensors.items() if n != PRINTS},
    )


def _check(job: ExportJob, target: str, out: Path) -> None:
    if target not in TARGETS:
        raise unknown_name("export target", target, TARGETS)
    if out.suffix != SUFFIX[target] and target != "monai":  # a folder may have any name
        raise UsageError(f"Got --out {out}; a model for {target} ends in {SUFFIX[target]}.")
    if out.exists():
        raise UsageError(f"{out} exists already; give another name, or remove it first.")
    if job.int8 and target not in ("onnx", "openvino"):
        raise NoEffectError(f"int8 is for onnx and openvino; a model for {target} keeps float32.")
    if target == "monai" and len(job.model.preprocessing.inputs) > 1:
        raise UsageError(
            f"{job.model.name} takes several inputs; a MONAI bundle has one. Export to another format."
        )
    if not job.images:
        raise UsageError("No images were given, so no answers can be compared; give some with --images.")


def _answers(model: DeployedModel, items: Items, label: str, reporter: Reporter) -> list[ImagePrediction]:
    batches = [items[at : at + BATCH] for at in range(0, len(items), BATCH)]
    found = reporter.progress(batches, label, len(batches))
    return [answer for batch in found for answer in model.predict_bytes(batch)]


def _writer(
    job: ExportJob, target: str, network: nn.Module, items: Items
) -> Callable[[ExportDocument, Path], None]:
    """Return what writes the file with a description; the graph is made once."""
    sides = [spec.input_size for spec in job.model.preprocessing.inputs]
    if target in ("torch", "monai"):

        def program(document: ExportDocument, path: Path) -> None:
            content = to_program(network, sides, {PROGRAM_DOCUMENT: document.model_dump_json()})
            if target == "torch":
                path.write_bytes(content)
            else:
                write_monai(content, document, path)

        return program
    graph = to_onnx(network, sides)
    if job.int8:
        graph = to_int8(graph, _calibration(job.model, items))

    def from_graph(document: ExportDocument, path: Path) -> None:
        if target == "onnx":
            path.write_bytes(seal(graph, document.model_dump_json()))
        else:
            write_openvino(graph, document.model_dump_json(), path)

    return from_graph


def _calibration(model: DeployedModel, items: Items) -> dict[str, npt.NDArray[np.float32]]:
    """Return name of an input -> prepared images, evenly drawn."""
    prepared = [model.prepare_bytes(*item).inputs for item in evenly_spaced(items, CALIBRATION_IMAGES)]
    names = input_names(len(model.preprocessing.inputs))
    return {name: np.stack([inputs[place] for inputs in prepared]) for place, name in enumerate(names)}


@dataclass(frozen=True, slots=True)
class _Arrays:
    """Answers as `compare_answers` takes them."""

    probabilities: npt.NDArray[np.float64]
    labels: list[str]
    margins: npt.NDArray[np.float64]


def _compare(job: ExportJob, ours: list[ImagePrediction], theirs: list[ImagePrediction]) -> Parity:
    lost = [answer for answer in theirs if answer.error is not None]
    if lost:
        raise UnreadableError(
            f"{Path(lost[0].path).name}: the bundle gives an answer and the exported file does not: {lost[0].error}"
        )
    names = [Path(answer.path).name for answer in ours]
    one, other = (_arrays(job.model, answers) for answers in (ours, theirs))
    return compare_answers(one, other, names, images=job.images_are, int8=job.int8)


def _arrays(model: DeployedModel, answers: list[ImagePrediction]) -> _Arrays:
    rows = np.asarray([[answer.probabilities[name] for name in model.classes] for answer in answers])
    if model.positive is not None:
        cuts = np.asarray([answer.threshold for answer in answers], dtype=np.float64)
        margins = np.abs(rows[:, model.classes.index(model.positive)] - cuts)
    else:
        top = np.sort(rows, axis=1)
        margins = top[:, -1] - top[:, -2]
    return _Arrays(rows, [str(answer.predicted) for answer in answers], margins)
