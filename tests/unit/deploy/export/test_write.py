"""Exported files answer as the network does; one that does not is not written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from tests.planting.tiny_model import TinyNetwork, tiny_model
from tests.unit.deploy.export.conftest import NAMES, Exported
from torch import Tensor

from headtohead.core.errors import NoEffectError, PrecisionError, UnknownNameError, UsageError
from headtohead.deploy.export import write
from headtohead.deploy.export.exported_files import open_exported
from headtohead.deploy.export.monai_bundle import PROGRAM
from headtohead.deploy.export.sealed import SealError
from headtohead.deploy.export.write import ExportJob, export_model
from headtohead.deploy.load import load_model

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
Files = list[tuple[str, bytes]]
Export = Callable[[str], Exported]


@pytest.mark.parametrize("target", [*NAMES])
def test_the_file_gives_the_bundles_answers_and_says_so_inside(
    job: ExportJob, exported: Export, target: str
) -> None:
    out, parity = exported(target).path, exported(target).parity
    assert parity.n_images == 4 and parity.max_difference < 1e-6 and parity.flipped == 0
    path = out / PROGRAM if target == "monai" else out
    assert open_exported(path)[0].parity == parity
    model = load_model(path)
    assert (model.name, model.digest, model.positive) == ("tiny", "ab" * 32, "yes")
    assert model.estimate == job.model.estimate
    for one, other in zip(model.predict_bytes(job.images), job.model.predict_bytes(job.images), strict=True):
        assert one.model_copy(update={"probabilities": {}}) == other.model_copy(update={"probabilities": {}})
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    files = {path.name for path in out.parent.iterdir()}
    assert files == {out.name, *(["m.bin"] if target == "openvino" else [])}, "no draft is left"


def test_the_guard_still_knows_what_is_far_from_training(job: ExportJob, exported: Export) -> None:
    flags = [answer.flags for answer in load_model(exported("onnx").path).predict_bytes(job.images)]
    assert flags == [answer.flags for answer in job.model.predict_bytes(job.images)]
    assert all("far_from_training" in one for one in flags)


def test_int8_is_calibrated_on_images_of_each_class_where_they_stand_class_by_class() -> None:
    """The planted defect: a step of whole items takes the first 64 of 100, of which 60 are of one class."""
    names = ["no"] * 60 + ["yes"] * 40
    taken: list[str] = []

    def prepare(name: str, _content: bytes) -> Any:
        taken.append(name)
        return SimpleNamespace(inputs=[np.zeros((3, 2, 2), np.float32)])

    model: Any = SimpleNamespace(prepare_bytes=prepare, preprocessing=SimpleNamespace(inputs=[None]))
    found = write._calibration(model, [(name, b"") for name in names])
    assert found["images"].shape == (64, 3, 2, 2)
    assert taken.count("yes") in (25, 26), "two of five, as of all"


@pytest.mark.parametrize("target", ["onnx", "openvino", "torch"])
def test_a_model_of_several_inputs(images: Files, tmp_path: Path, target: str) -> None:
    job = ExportJob(tiny_model(sides=(48, 32)), images)
    assert export_model(job, target, tmp_path / NAMES[target]).max_difference < 1e-6
    with pytest.raises(UsageError, match="several inputs"):
        export_model(job, "monai", tmp_path / "bundle")


def test_an_onnx_file_also_runs_in_openvino(job: ExportJob, exported: Export) -> None:
    again = load_model(exported("onnx").path, runtime="openvino")
    assert again.runtime.name == "openvino"
    for one, other in zip(again.predict_bytes(job.images), job.model.predict_bytes(job.images), strict=True):
        assert one.predicted == other.predicted
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    with pytest.raises(UsageError, match="runs in onnxruntime; got --runtime torch"):
        load_model(exported("onnx").path, runtime="torch")


def test_a_monai_bundle_has_the_files_that_monai_looks_for(exported: Export) -> None:
    folder = exported("monai").path
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"configs/inference.json", "configs/metadata.json", "docs/README.md", "models/model.pt2"}


class Shifted(TinyNetwork):
    """A network that the exporter would get wrong: it answers otherwise while it is traced."""

    def with_features(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        logits, rows = super().with_features(*inputs)
        return (logits + 0.02 * torch.tensor([0.0, 1.0]) if torch.compiler.is_exporting() else logits), rows


@pytest.mark.parametrize("target", ["onnx", "openvino", "torch"])
def test_a_file_that_answers_differently_is_not_written(images: Files, tmp_path: Path, target: str) -> None:
    with pytest.raises(PrecisionError, match="Nothing was written"):
        export_model(ExportJob(tiny_model(Shifted()), images), target, tmp_path / NAMES[target])
    assert [*tmp_path.iterdir()] == []


def test_int8_tells_its_drift(job: ExportJob, tmp_path: Path) -> None:
    cut = ExportJob(job.model, job.images, int8=True)
    parity = export_model(cut, "onnx", tmp_path / "m.onnx")
    assert parity.int8 and parity.max_difference > 1e-6
    assert open_exported(tmp_path / "m.onnx")[0].parity == parity
    with pytest.raises(NoEffectError, match="keeps float32"):
        export_model(cut, "torch", tmp_path / "m.pt2")


def test_an_unreadable_image_is_left_out_of_the_comparison(job: ExportJob, tmp_path: Path) -> None:
    mixed = ExportJob(job.model, [("text.png", b"no image"), *job.images])
    assert export_model(mixed, "torch", tmp_path / "m.pt2").n_images == 4
    answers = load_model(tmp_path / "m.pt2").predict_bytes(mixed.images)
    assert answers[0].error and not answers[0].probabilities and answers[1].error is None
    with pytest.raises(UsageError, match="can be read"):
        export_model(ExportJob(job.model, mixed.images[:1]), "torch", tmp_path / "n.pt2")


def test_an_exported_model_is_not_exported_again(job: ExportJob, exported: Export, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="use the bundle"):
        export_model(ExportJob(load_model(exported("onnx").path), job.images), "torch", tmp_path / "m.pt2")


def test_wrong_usage_is_told_before_the_work(
    job: ExportJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "to_onnx", None)
    (tmp_path / "there.onnx").write_bytes(b"")
    with pytest.raises(UnknownNameError, match="onnx"):
        export_model(job, "onx", tmp_path / "m.onnx")
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        export_model(job, "onnx", tmp_path / "m.xml")
    with pytest.raises(UsageError, match="exists already"):
        export_model(job, "onnx", tmp_path / "there.onnx")
    with pytest.raises(UsageError, match="No images"):
        export_model(ExportJob(job.model, []), "onnx", tmp_path / "m.onnx")


def test_a_changed_program_is_refused(job: ExportJob, exported: Export, tmp_path: Path) -> None:
    content = bytearray(exported("torch").path.read_bytes())
    weights = next(cast(Any, job.model.runtime).network.parameters())
    place = content.find(weights.detach().numpy().tobytes())
    assert place > 0, "the weights lie in the archive as they are"
    content[place] ^= 1
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(SealError, match="changed after"):
        load_model(tmp_path / "m.pt2")
