"""Graphs of small networks against torch; all contenders at full size in the slow test."""

from __future__ import annotations

import io
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tests.planting.tiny_model import LogitsTwice
from torch import Tensor, nn

from headtohead.backbones.catalog import catalogue, resolve
from headtohead.backbones.features.asymmetry import bilateral_features
from headtohead.backbones.hybrid import HybridBackbone
from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.transformers_network import TransformersBackbone
from headtohead.backbones.weights.fetch import ensure_weights
from headtohead.core.errors import HeadToHeadError
from headtohead.deploy.export.graph import to_onnx, to_program
from headtohead.deploy.runtimes.onnx_runtime import OnnxRuntime
from headtohead.deploy.runtimes.openvino_runtime import OpenVinoRuntime

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

Floats = npt.NDArray[np.float32]
# float32 in another order of summation, relative to the largest value of the output.
ROUNDING = 2e-5


class Probe(nn.Module):
    """Features, standardised on a few inputs so that no random network's output is all but constant, and a head.

    A twentieth of the features' size is added to their spread: a DINOv2 with random weights (layer scale 1e-5)
    gives every image all but the same features, and dividing by that would measure rounding alone.
    """

    def __init__(self, backbone: nn.Module, side: int, view: str = "plain") -> None:
        super().__init__()
        self.backbone, self.view = backbone, view
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            rows = self.features(torch.randn(4, 3, side, side))
            self.linear = nn.Linear(rows.shape[1], 3)
        self.mean, self.scale = nn.Buffer(rows.mean(0)), nn.Buffer(rows.std(0) + rows.abs().mean() / 20)
        self.eval()

    def features(self, x: Tensor) -> Tensor:
        network: Any = self.backbone
        if self.view == "layers":
            found: Tensor = network.layers(x)
        elif self.view == "symmetry":
            found = bilateral_features(network, x)
        elif self.view == "flip":
            found = (network(x) + network(x.flip(-1))) / 2
        else:
            found = network(x)
        return found

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.linear((self.features(images) - self.mean) / self.scale)
        return scores


def gaps(network: nn.Module, side: int, n: int = 3) -> dict[str, float]:
    """Return runtime -> largest difference to torch, relative to the largest output."""
    content = to_onnx(LogitsTwice(network), [side])
    images = np.random.default_rng(1).normal(size=(n, 3, side, side)).astype(np.float32)
    with torch.no_grad():
        truth = network(torch.from_numpy(images)).numpy()
    runtimes = (OnnxRuntime(content, threads=1), OpenVinoRuntime(content, threads=1))
    return {r.name: float(np.abs(r.forward(images) - truth).max() / np.abs(truth).max()) for r in runtimes}


def scratch(name: str) -> Backbone:
    return load_backbone(resolve(f"scratch:{name}"))


class Tiny(nn.Module):
    """A network in the shape of a backbone, small enough to be exported in a moment."""

    def __init__(self, side: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(
                nn.Conv2d(3, 8, 5, stride=2), nn.GELU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
            )
        self.n_features = 32
        self.record = resolve("scratch:test_vit").model_copy(update={"input_size": side})

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.body(x)
        return features


def tiny_hybrid(first: int, second: int) -> HybridBackbone:
    one, two = (cast(Backbone, Tiny(side, seed)) for seed, side in enumerate((first, second)))
    return HybridBackbone(one, two).eval()


@pytest.mark.slow
def test_a_small_transformer_alone_and_in_a_batch() -> None:
    assert max(gaps(Probe(scratch("test_vit"), 160), 160).values()) < ROUNDING


@pytest.mark.slow
@pytest.mark.parametrize("view", ["plain", "layers", "symmetry", "flip"])
@pytest.mark.parametrize("name", ["test_convnext", "test_vit"])
def test_every_view_of_the_features(name: str, view: str) -> None:
    assert max(gaps(Probe(scratch(name), 160, view), 160).values()) < ROUNDING


@pytest.mark.parametrize("sides", [(96, 64), (64, 96), (64, 64)])
def test_a_hybrid_keeps_the_antialiasing_of_its_resize_in_every_runtime(sides: tuple[int, int]) -> None:
    assert max(gaps(Probe(tiny_hybrid(*sides), sides[0]), sides[0]).values()) < ROUNDING


def test_the_exported_resize_of_a_hybrid_is_the_one_it_was_trained_with() -> None:
    hybrid = tiny_hybrid(96, 160)
    x = torch.rand(1, 3, 96, 96)
    by_product = hybrid.resize_weights @ x @ hybrid.resize_weights.T
    plain = nn.functional.interpolate(x, size=(160, 160), mode="bilinear", antialias=True)
    torch.testing.assert_close(by_product, plain, atol=1e-6, rtol=0)


def test_a_torch_program_needs_nothing_but_torch_and_carries_documents() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    content = to_program(LogitsTwice(network), [24], {"headtohead.json": '{"a": 1}'})
    extra = {"headtohead.json": ""}
    program = torch.export.load(io.BytesIO(content), extra_files=extra)
    x = torch.rand(5, 3, 24, 24)
    torch.testing.assert_close(program.module()(x)[0], network(x))
    assert extra["headtohead.json"] == '{"a": 1}'


def test_what_cannot_be_exported_is_one_sentence() -> None:
    class Odd(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images if float(images.sum()) > 0 else -images

    with pytest.raises(HeadToHeadError, match="cannot be written as ONNX"):
        to_onnx(Odd().eval(), [8])


def random_weights(record: BackboneRecord) -> Backbone:
    """Return a record's network at full size; transformers' from its configuration, as no hub can be reached."""
    if record.architecture.startswith("transformers"):
        from transformers import ViTConfig, ViTModel

        torch.manual_seed(0)
        scratch_record = record.model_copy(update={"source": "scratch"})
        body = ViTModel(ViTConfig(), add_pooling_layer=False)
        return TransformersBackbone(body, record, ensure_weights(scratch_record)).eval()
    return load_backbone(record.model_copy(update={"source": "scratch"}))


@pytest.mark.slow
@pytest.mark.parametrize("name", [record.name for record in catalogue()])
def test_every_contender_of_the_catalogue_at_full_size(name: str) -> None:
    record = resolve(name)
    found = gaps(Probe(random_weights(record), record.input_size), record.input_size, n=2)
    assert max(found.values()) < 1e-4, found


@pytest.mark.slow
def test_the_flagship_pair_as_one_hybrid_at_full_size() -> None:
    first, second = (random_weights(resolve(name)) for name in ("inception-resnet-v2", "vit-b16"))
    assert max(gaps(Probe(HybridBackbone(first, second).eval(), 299), 299, n=2).values()) < 1e-4
