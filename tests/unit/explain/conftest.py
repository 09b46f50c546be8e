"""Networks of every catalogue architecture with random weights, and heads fitted on their features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tests.planting.threads import single_thread

from headtohead.backbones.catalog import resolve
from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone
from headtohead.backbones.transformers_network import TransformersBackbone
from headtohead.backbones.weights.fetch import ensure_weights
from headtohead.training.logistic import FittedProbe, fit_probe


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with single_thread():
        yield


def random_network(name: str, *, side: int | None = None) -> Backbone:
    """Return a catalogue network, or a timm one, with random weights and perturbed norms."""
    record = resolve(name)
    if record.architecture.startswith("transformers"):
        from transformers import ViTConfig, ViTModel

        weights = ensure_weights(resolve("scratch-vit"))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            body: Any = ViTModel(ViTConfig(num_hidden_layers=4), add_pooling_layer=False)
        body.eval()
        network: Backbone = TransformersBackbone(body, record, weights)
    else:
        network = load_backbone(record.model_copy(update={"source": "scratch"}))
    _perturb(network)
    return network


def _perturb(network: Backbone) -> None:
    """Move gains, shifts and layer scales away from their starting values, which would hide errors."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim <= 1:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))


def images_for(network: Backbone, n: int = 6) -> torch.Tensor:
    side = network.record.input_size
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(5))


def fitted(features: npt.NDArray[np.floating], k: int = 2) -> FittedProbe:
    return fit_probe(features, np.arange(len(features)) % k, 0.01)
