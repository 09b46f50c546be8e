"""One table: the same images through torch, ONNX Runtime, OpenVINO, a torch program and a Structured Report.

    python benchmarks/export_parity.py IMAGES --contenders efficientnet-lite0,dinov2-small

IMAGES has a folder per class. For each contender a linear probe is fitted on all images (what matters here is the
arithmetic, not the score), exported, and every image goes from its bytes to the label in each runtime. For the
report every image is wrapped into a DICOM object; probabilities and label are read back from the report.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import torch
from tests.planting.dicom_objects import mr_dataset
from torch import nn

from headtohead.backbones.catalog import resolve
from headtohead.backbones.load import load_backbone
from headtohead.data.readers.read import read_image
from headtohead.deploy.dicom.studies import report_study
from headtohead.deploy.export.document import ExportDocument, NetworkInput, RecipeSteps
from headtohead.deploy.export.exported_model import ExportedAnswer, ExportedModel
from headtohead.deploy.export.write import ExportJob, export_network
from headtohead.deploy.runtimes.torch_network import TorchNetwork
from headtohead.preprocess.recipe import get_recipe
from headtohead.training.logistic import fit_probe
from headtohead.training.network.classifier import Classifier

STRENGTH = 3e-3  # C of the probe; any will do
Images = list[tuple[str, bytes]]


def probe(
    name: str, images: Images, labels: Sequence[int], classes: tuple[str, ...]
) -> tuple[nn.Module, ExportDocument]:
    """Return a network with a head fitted on all images, and its description."""
    record = resolve(name)
    document = ExportDocument(
        name=name, digest="0" * 64, version="0.1.0", classes=classes, positive=classes[1], threshold=0.5,
        recipe=RecipeSteps.of(get_recipe("foreground")), network_input=NetworkInput.of(record),
    )  # fmt: skip
    backbone = load_backbone(record)
    features = TorchNetwork(backbone)
    inputs = [document.prepare(read_image(content)) for _, content in images]
    rows = np.concatenate(
        [features.forward(np.stack(inputs[at : at + 8])) for at in range(0, len(inputs), 8)]
    )
    fitted = fit_probe(rows, np.asarray(labels, np.int64), STRENGTH)
    network = Classifier(backbone, backbone.n_features, 2, 0.0, 0)
    with torch.no_grad():
        network.mean.copy_(torch.from_numpy(fitted.mean))
        network.scale.copy_(torch.from_numpy(fitted.scale))
        network.linear.weight.copy_(torch.from_numpy(np.vstack([-fitted.weights, fitted.weights]) / 2))
        network.linear.bias.copy_(torch.from_numpy(np.concatenate([-fitted.bias, fitted.bias]) / 2))
    return network.eval(), document


class Forwarded:
    """A model whose answers were computed before, as the report's code asks for them."""

    def __init__(self, model: ExportedModel, answers: dict[str, ExportedAnswer]) -> None:
        self.name, self.digest, self.classes, self.estimate = model.name, model.digest, model.classes, {}
        self._answers = answers

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[Any]:
        return [Told(self._answers[name]) for name, _ in items]


class Told:
    """An answer with what only a bundle has: set, abstention, flags."""

    set, abstains, flags = None, False, ()

    def __init__(self, answer: ExportedAnswer) -> None:
        self.probabilities, self.predicted, self.error = answer.probabilities, answer.predicted, answer.error


def through_report(
    model: ExportedModel, images: Images, answers: Sequence[ExportedAnswer]
) -> list[tuple[float, str]]:
    """Return probability of the second class and label as they are read back from one report of all images."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for place in range(len(images)):
            path = Path(folder) / f"{place:04}.dcm"
            stream = io.BytesIO()
            mr_dataset(np.zeros((8, 8))).save_as(stream, enforce_file_format=True)
            path.write_bytes(stream.getvalue())
            paths.append(path)
        known = {path.name: answer for path, answer in zip(paths, answers, strict=True)}
        judged = report_study(Forwarded(model, known), paths)
    if judged.report is None:
        raise SystemExit(f"no report: {judged.failed[:1]}")
    groups = hd.sr.srread(io.BytesIO(judged.report.content)).content.get_image_measurement_groups()
    return [
        (float(group.get_measurements()[1].value), group.get_qualitative_evaluations()[0].value.meaning)
        for group in groups
    ]


def timed(
    predict: Callable[[Images], list[ExportedAnswer]], images: Images
) -> tuple[list[tuple[float, str]], float]:
    began = time.perf_counter()
    answers = predict(images)
    seconds = time.perf_counter() - began
    return [([*one.probabilities.values()][1], str(one.predicted)) for one in answers], 1000 * seconds / len(
        images
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--contenders", default="efficientnet-lite0,dinov2-small")
    words = parser.parse_args()
    classes = tuple(sorted(path.name for path in words.images.iterdir() if path.is_dir()))
    paths = [path for name in classes for path in sorted((words.images / name).iterdir())]
    images = [(str(path), path.read_bytes()) for path in paths]
    labels = [classes.index(path.parent.name) for path in paths]
    torch.set_num_threads(1)
    print(
        f"| {len(images)} images | runtime | largest difference of a probability | labels that differ | ms an image |"
    )
    print("|---|---|---|---|---|")
    for name in words.contenders.split(","):
        network, document = probe(name, images, labels, classes)
        reference = ExportedModel(document, TorchNetwork(network))
        truth, cost = timed(reference.predict_bytes, images)
        print(f"| {name} | torch fp32 | 0 | 0 | {cost:.1f} |", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            few = images[:: max(1, len(images) // 16)]
            for target, file in (("onnx", "m.onnx"), ("openvino", "m.xml"), ("torch", "m.pt2")):
                export_network(ExportJob(network, document, few, "real images"), target, Path(folder) / file)
                model = ExportedModel.open(Path(folder) / file, threads=1)
                found, cost = timed(model.predict_bytes, images)
                row(name, f"{target} ({model.runtime.name})", truth, found, f"{cost:.1f}")
            export_network(
                ExportJob(network, document, images, "real images", int8=True),
                "onnx",
                Path(folder) / "8.onnx",
            )
            small = ExportedModel.open(Path(folder) / "8.onnx", threads=1)
            found, cost = timed(small.predict_bytes, images)
            row(name, "onnx int8 (by request)", truth, found, f"{cost:.1f}")
            answers = reference.predict_bytes(images)
            row(name, "DICOM SR, read back", truth, through_report(reference, images, answers), "")


def row(
    name: str, runtime: str, truth: list[tuple[float, str]], found: list[tuple[float, str]], cost: str
) -> None:
    gap = max(abs(one[0] - other[0]) for one, other in zip(truth, found, strict=True))
    flipped = sum(one[1] != other[1] for one, other in zip(truth, found, strict=True))
    print(f"| {name} | {runtime} | {gap:.1e} | {flipped} | {cost} |", flush=True)


if __name__ == "__main__":
    main()
