"""One table: the same images through torch, ONNX Runtime, OpenVINO, a torch program and a Structured Report.

    python benchmarks/export_parity.py IMAGES --models models/lite0,models/dinov2

IMAGES has a folder per class; the models are bundles that `headtohead train` wrote. Each is exported, and every image
goes from its bytes to the label in each runtime. For the report every image is wrapped into a DICOM object;
probabilities and label are read back.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
import torch
from tests.planting.dicom_objects import mr_dataset

from headtohead.deploy.dicom.studies import report_study
from headtohead.deploy.export.exported_files import open_exported
from headtohead.deploy.export.write import ExportJob, export_model
from headtohead.deploy.load import load_model
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.prediction import ImagePrediction

Images = list[tuple[str, bytes]]


class Forwarded:
    """A model whose answers were computed before, as the report's code asks for them."""

    def __init__(self, model: DeployedModel, answers: dict[str, ImagePrediction]) -> None:
        self.name, self.contender, self.digest = model.name, model.contender, model.digest
        self.classes, self.positive, self.estimate = model.classes, model.positive, model.estimate
        self._answers = answers

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        return [self._answers[name] for name, _ in items]


def through_report(
    model: DeployedModel, images: Images, answers: Sequence[ImagePrediction]
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
    predict: Callable[[Images], list[ImagePrediction]], images: Images
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
    parser.add_argument("--models", required=True, help="bundles, separated by commas")
    words = parser.parse_args()
    classes = tuple(sorted(path.name for path in words.images.iterdir() if path.is_dir()))
    paths = [path for name in classes for path in sorted((words.images / name).iterdir())]
    images = [(str(path), path.read_bytes()) for path in paths]
    torch.set_num_threads(1)
    print(f"| {len(images)} images | runtime | largest difference | labels that differ | ms an image |")
    print("|---|---|---|---|---|")
    for name in words.models.split(","):
        judge(load_model(name), images)


def judge(model: DeployedModel, images: Images) -> None:
    """Print a model's lines of the table."""
    truth, cost = timed(model.predict_bytes, images)
    print(f"| {model.name} | torch fp32 | 0 | 0 | {cost:.1f} |", flush=True)
    few = images[:: max(1, len(images) // 16)]
    with tempfile.TemporaryDirectory() as folder:
        for target, file in (
            ("onnx", "m.onnx"),
            ("openvino", "m.xml"),
            ("torch", "m.pt2"),
            ("int8", "8.onnx"),
        ):
            job = ExportJob(model, images if target == "int8" else few, "real images", int8=target == "int8")
            export_model(job, "onnx" if target == "int8" else target, Path(folder) / file)
            _, runtime = open_exported(Path(folder) / file, threads=1)
            found, cost = timed(model.with_runtime(runtime).predict_bytes, images)
            row(model.name, f"{target} ({runtime.name})", truth, found, f"{cost:.1f}")
    row(
        model.name,
        "DICOM SR, read back",
        truth,
        through_report(model, images, model.predict_bytes(images)),
        "",
    )


def row(
    name: str, runtime: str, truth: list[tuple[float, str]], found: list[tuple[float, str]], cost: str
) -> None:
    gap = max(abs(one[0] - other[0]) for one, other in zip(truth, found, strict=True))
    flipped = sum(one[1] != other[1] for one, other in zip(truth, found, strict=True))
    print(f"| {name} | {runtime} | {gap:.1e} | {flipped} | {cost} |", flush=True)


if __name__ == "__main__":
    main()
