"""One table: the same images through torch, ONNX Runtime, OpenVINO, a torch program, the server, its page and a report.

    python benchmarks/export_parity.py IMAGES --models models/lite0,models/dinov2

IMAGES has a folder per class; the models are bundles that `headtohead train` wrote. Each is exported, and every image
goes from its bytes to the label in each runtime. One server answers for all models side by side. The page is used in
Chromium (`--chromium none` leaves it out): all images are chosen, its list is read and its CSV file saved. For the
report every image is wrapped into a DICOM object; probabilities and label are read back.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
Found = list[tuple[float, str]]
"""Probability of the second class and label of each image."""


class Forwarded:
    """A model whose answers were computed before, as the report's code asks for them."""

    def __init__(self, model: DeployedModel, answers: dict[str, ImagePrediction]) -> None:
        self.name, self.contender, self.digest = model.name, model.contender, model.digest
        self.classes, self.positive, self.estimate = model.classes, model.positive, model.estimate
        self._answers = answers

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        return [self._answers[name] for name, _ in items]


def through_report(model: DeployedModel, images: Images, answers: Sequence[ImagePrediction]) -> Found:
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


@contextmanager
def serving(models: Sequence[DeployedModel]) -> Iterator[int]:
    """Run one server for all models in a thread; give its port."""
    from headtohead.serve.app import build_app
    from headtohead.serve.server import listen, make_server
    from headtohead.serve.settings import ServeSettings

    settings = ServeSettings(port=0)
    server, listener = make_server(build_app(list(models), settings), settings), listen(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(60)


def through_server(port: int, images: Images) -> dict[str, Found]:
    """Return for each model what `/v1/compare` answers to one image after the other."""
    import httpx

    found: dict[str, Found] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        for name, content in images:
            reply = client.post("/v1/compare", files=[("file", (Path(name).name, content))])
            reply.raise_for_status()
            for answer in reply.json()["models"]:
                one = answer["predictions"][0]
                found.setdefault(answer["model"], []).append(
                    ([*one["probabilities"].values()][1], one["label"])
                )
    return found


def through_page(port: int, images: Images, chromium: str) -> dict[str, Found]:
    """Return for each model what the page shows in its list, with the probabilities of its CSV file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(accept_downloads=True)
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_text("What these models were tested on").wait_for()
        page.locator("#files").set_input_files([name for name, _ in images])
        page.wait_for_function(
            "n => document.querySelectorAll('#list-rows tr').length === n "
            "&& !document.querySelector('#list-rows td.waiting')",
            arg=len(images), timeout=1_200_000,
        )  # fmt: skip
        shown = page.eval_on_selector_all(
            "#list-rows tr",
            "rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.firstChild.textContent))",
        )
        with page.expect_download() as waiting:
            page.locator("#csv").click()
        lines = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8"))))
        browser.close()
    models = list(dict.fromkeys(line["model"] for line in lines))
    found: dict[str, Found] = {}
    for place, name in enumerate(models):
        own = [line for line in lines if line["model"] == name]
        columns = [column for column in own[0] if column.startswith("prob_")]
        for line, cells in zip(own, shown, strict=True):
            label, _, _ = cells[place].rpartition(" ")
            if label != line["predicted"]:
                raise SystemExit(
                    f"{line['path']}: the page shows {label!r}, its CSV file says {line['predicted']!r}"
                )
            found.setdefault(name, []).append((float(line[columns[1]]), label))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--models", required=True, help="bundles, separated by commas")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser, or none")
    parser.add_argument("--int8", action="store_true", help="8 bits too, which drift")
    words = parser.parse_args()
    classes = tuple(sorted(path.name for path in words.images.iterdir() if path.is_dir()))
    paths = [path for name in classes for path in sorted((words.images / name).iterdir())]
    images = [(str(path), path.read_bytes()) for path in paths]
    torch.set_num_threads(1)
    print(f"| {len(images)} images | runtime | largest difference | labels that differ | ms an image |")
    print("|---|---|---|---|---|")
    models = [load_model(name) for name in words.models.split(",")]
    truths = [judge(model, images, int8=words.int8) for model in models]
    with serving(models) as port:
        ways: dict[str, Any] = {"server, all models side by side": through_server(port, images)}
        if words.chromium != "none":
            ways["page in Chromium, all models side by side"] = through_page(port, images, words.chromium)
    for way, found in ways.items():
        for model, truth, own in zip(models, truths, found.values(), strict=True):
            row(model.name, way, truth, own, "")


def judge(model: DeployedModel, images: Images, *, int8: bool) -> Found:
    """Print a model's lines of the table, and return what torch answers."""
    truth, cost = timed(model.predict_bytes, images)
    print(f"| {model.name} | torch fp32 | 0 | 0 | {cost:.1f} |", flush=True)
    few = images[:: max(1, len(images) // 16)]
    with tempfile.TemporaryDirectory() as folder:
        targets = [("onnx", "m.onnx"), ("openvino", "m.xml"), ("torch", "m.pt2")]
        for target, file in [*targets, *([("int8", "8.onnx")] if int8 else [])]:
            job = ExportJob(model, images if target == "int8" else few, "real images", int8=target == "int8")
            export_model(job, "onnx" if target == "int8" else target, Path(folder) / file)
            runtime = open_exported(Path(folder) / file, threads=1)[1]
            found, cost = timed(model.with_runtime(runtime).predict_bytes, images)
            row(model.name, f"{target} ({runtime.name})", truth, found, f"{cost:.1f}")
    row(
        model.name,
        "DICOM SR, read back",
        truth,
        through_report(model, images, model.predict_bytes(images)),
        "",
    )
    return truth


def row(
    name: str, runtime: str, truth: list[tuple[float, str]], found: list[tuple[float, str]], cost: str
) -> None:
    gap = max(abs(one[0] - other[0]) for one, other in zip(truth, found, strict=True))
    flipped = sum(one[1] != other[1] for one, other in zip(truth, found, strict=True))
    print(f"| {name} | {runtime} | {gap:.1e} | {flipped} | {cost} |", flush=True)


if __name__ == "__main__":
    main()
