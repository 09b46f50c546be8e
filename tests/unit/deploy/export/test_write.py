"""Exported files answer as the network does; one that does not is not written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from headtohead.core.errors import NoEffectError, PrecisionError, UnknownNameError, UsageError
from headtohead.deploy.export import write
from headtohead.deploy.export.document import ExportDocument
from headtohead.deploy.export.exported_model import ExportedModel
from headtohead.deploy.export.monai_bundle import PROGRAM
from headtohead.deploy.export.sealed import SealError
from headtohead.deploy.export.write import ExportJob, export_network
from headtohead.deploy.runtimes.torch_network import TorchNetwork

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
Files = list[tuple[str, bytes]]
NAMES = {"onnx": "m.onnx", "openvino": "m.xml", "torch": "m.pt2", "monai": "bundle"}


@pytest.fixture
def job(tiny_network: nn.Module, document: ExportDocument, images: Files) -> ExportJob:
    return ExportJob(tiny_network, document, images, "drawn heads")


@pytest.mark.parametrize("target", [*NAMES])
def test_the_file_gives_the_networks_answers_and_says_so_inside(
    job: ExportJob, tmp_path: Path, target: str
) -> None:
    out = tmp_path / NAMES[target]
    parity = export_network(job, target, out)
    assert parity.n_images == 4 and parity.max_difference < 1e-6 and parity.flipped == 0
    model = ExportedModel.open(out / PROGRAM if target == "monai" else out)
    assert model.document.parity == parity and model.digest == "ab" * 32 and model.estimate == {"auroc": 0.9}
    ours = ExportedModel(job.document, TorchNetwork(job.network)).predict_bytes(job.images)
    for one, other in zip(model.predict_bytes(job.images), ours, strict=True):
        assert one.predicted == other.predicted and one.sha256 == other.sha256
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]


def test_an_onnx_file_also_runs_in_openvino(job: ExportJob, tmp_path: Path) -> None:
    export_network(job, "onnx", tmp_path / "m.onnx")
    model = ExportedModel.open(tmp_path / "m.onnx", runtime="openvino")
    assert model.runtime.name == "openvino" and model.predict_bytes(job.images)[0].error is None


def test_a_monai_bundle_has_the_files_that_monai_looks_for(job: ExportJob, tmp_path: Path) -> None:
    export_network(job, "monai", tmp_path / "bundle")
    found = {
        str(path.relative_to(tmp_path / "bundle"))
        for path in (tmp_path / "bundle").rglob("*")
        if path.is_file()
    }
    assert found == {"configs/inference.json", "configs/metadata.json", "docs/README.md", "models/model.pt2"}


class Worse(nn.Module):
    """A network that the exporter would get wrong: it answers otherwise while it is traced."""

    def __init__(self, inner: nn.Module, shift: float) -> None:
        super().__init__()
        self.inner, self.shift = inner, shift

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.inner(images)
        return logits + self.shift * torch.tensor([0.0, 1.0]) if torch.compiler.is_exporting() else logits


@pytest.mark.parametrize("target", ["onnx", "openvino", "torch"])
def test_a_file_that_answers_differently_is_not_written(job: ExportJob, tmp_path: Path, target: str) -> None:
    bad = ExportJob(Worse(job.network, 0.02).eval(), job.document, job.images)
    with pytest.raises(PrecisionError, match="Nothing was written"):
        export_network(bad, target, tmp_path / NAMES[target])
    assert [*tmp_path.iterdir()] == []


def test_int8_tells_its_drift(job: ExportJob, tmp_path: Path) -> None:
    cut = ExportJob(job.network, job.document, job.images, int8=True)
    parity = export_network(cut, "onnx", tmp_path / "m.onnx")
    assert parity.int8 and parity.max_difference > 1e-6
    assert ExportedModel.open(tmp_path / "m.onnx").document.parity == parity
    with pytest.raises(NoEffectError, match="keeps float32"):
        export_network(cut, "torch", tmp_path / "m.pt2")


def test_an_unreadable_image_is_an_answer_with_a_reason_and_left_out_of_the_comparison(
    job: ExportJob, tmp_path: Path
) -> None:
    mixed = ExportJob(job.network, job.document, [("text.png", b"no image"), *job.images])
    assert export_network(mixed, "torch", tmp_path / "m.pt2").n_images == 4
    answers = ExportedModel.open(tmp_path / "m.pt2").predict_bytes(mixed.images)
    assert answers[0].error and not answers[0].probabilities and answers[1].error is None
    with pytest.raises(UsageError, match="can be read"):
        export_network(ExportJob(job.network, job.document, mixed.images[:1]), "torch", tmp_path / "n.pt2")


def test_wrong_usage_is_told_before_the_work(
    job: ExportJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "to_onnx", None)
    (tmp_path / "there.onnx").write_bytes(b"")
    with pytest.raises(UnknownNameError, match="onnx"):
        export_network(job, "onx", tmp_path / "m.onnx")
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        export_network(job, "onnx", tmp_path / "m.xml")
    with pytest.raises(UsageError, match="exists already"):
        export_network(job, "onnx", tmp_path / "there.onnx")
    with pytest.raises(UsageError, match="No images"):
        export_network(ExportJob(job.network, job.document, []), "onnx", tmp_path / "m.onnx")


def test_a_changed_program_is_refused(job: ExportJob, tmp_path: Path) -> None:
    export_network(job, "torch", tmp_path / "m.pt2")
    content = bytearray((tmp_path / "m.pt2").read_bytes())
    place = content.find(next(job.network.parameters()).detach().numpy().tobytes())
    assert place > 0, "the weights lie in the archive as they are"
    content[place] ^= 1
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(SealError, match="changed after"):
        ExportedModel.open(tmp_path / "m.pt2")
