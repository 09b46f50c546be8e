"""One property over the whole catalogue: what every backbone must be able to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tests.planting.threads import single_thread

from headtohead.backbones.catalog import catalogue, resolve
from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone, TimmBackbone, pool_tokens
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.transformers_network import TransformersBackbone
from headtohead.backbones.weights.fetch import Weights

BY_ARCHITECTURE = {record.architecture: record for record in catalogue()}
SMALL = ("test_vit", "test_vit3", "test_efficientnet", "test_resnet", "test_convnext")
NONE = Weights(path=None, sha256="", source="", revision=None, licence="", pretraining="")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads that wait for one another."""
    with single_thread():
        yield


def _without_weights(record: BackboneRecord) -> Backbone:
    """The record's network on torch's meta device: shapes, no numbers."""
    with torch.device("meta"):
        if record.architecture.startswith("transformers"):
            from transformers import ViTConfig, ViTModel

            vit: Any = ViTModel(ViTConfig(), add_pooling_layer=False)
            return TransformersBackbone(vit.eval(), record, NONE)
        import timm

        options: dict[str, Any] = {"img_size": record.input_size} if "dinov2" in record.architecture else {}
        return TimmBackbone(
            timm.create_model(record.architecture, num_classes=0, **options).eval(), record, NONE
        )


@pytest.mark.parametrize("record", BY_ARCHITECTURE.values(), ids=lambda record: record.name)
def test_shapes_and_blocks(record: BackboneRecord) -> None:
    network = _without_weights(record)
    x = torch.zeros(2, 3, record.input_size, record.input_size, device="meta")
    assert network(x).shape == (2, network.n_features)
    map_ = network.feature_map(x)
    assert map_.ndim == 4
    assert map_.shape[2] == map_.shape[3] >= 7
    assert network.layers(x).shape[1] > network.n_features
    _blocks_are_whole(network)
    if "dinov2" not in record.architecture:  # counted with the positions of its 518 px
        assert sum(p.numel() for p in network.parameters()) == record.n_parameters


def _blocks_are_whole(network: Backbone) -> None:
    blocks = network.blocks()
    flat = [id(parameter) for _, parameters in blocks for parameter in parameters]
    assert sorted(flat) == sorted(id(parameter) for parameter in network.parameters())
    assert len({name for name, _ in blocks}) == len(blocks) > 2
    order = [id(parameter) for parameter in network.parameters()]
    assert order.index(flat[0]) < len(order) / 3  # the stem comes first


@pytest.mark.parametrize("name", SMALL)
def test_numbers_of_small_networks(name: str) -> None:
    network = load_backbone(resolve(f"scratch:{name}"), seed=1)
    side = network.record.input_size
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        rows, map_ = network(x), network.feature_map(x)
    assert rows.shape == (2, network.n_features)
    assert rows.dtype == torch.float32
    assert torch.isfinite(rows).all()
    assert not torch.equal(rows[0], rows[1])
    if isinstance(network, TimmBackbone) and network.is_tokens:
        mean = rows[:, -map_.shape[1] :]
        torch.testing.assert_close(map_.mean(dim=(2, 3)), mean, atol=1e-5, rtol=1e-4)
    assert network.layers(x).shape[0] == 2
    _blocks_are_whole(network)


def test_class_token_and_patch_mean() -> None:
    tokens = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 8.0]]])
    assert pool_tokens(tokens, 1).tolist() == [[1.0, 2.0, 4.0, 6.0]]
    assert pool_tokens(tokens, 0).tolist() == [[3.0, pytest.approx(14 / 3)]]


def test_layers_end_with_what_forward_gives() -> None:
    network = load_backbone(resolve("scratch:test_vit"), seed=1)
    x = torch.rand(1, 3, 160, 160)
    with torch.inference_mode():
        rows, deep = network(x), network.layers(x)
    torch.testing.assert_close(deep[:, -128:], rows)  # last class token, then the mean patch token
    cnn = load_backbone(resolve("scratch:test_resnet"), seed=1)
    with torch.inference_mode():
        rows, deep = cnn(x), cnn.layers(x)
    torch.testing.assert_close(deep[:, : cnn.n_features], rows)


def test_gradients_reach_every_block() -> None:
    for name in ("test_vit", "test_efficientnet"):
        network = load_backbone(resolve(f"scratch:{name}"), seed=1).train()
        network(torch.rand(2, 3, 160, 160)).square().sum().backward()
        for block, parameters in network.blocks():
            assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters), (name, block)
