"""A tiny model as a bundle would be loaded, and a tiny graph; both without training."""

from __future__ import annotations

import functools
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from headtohead.backbones.catalog import resolve
from headtohead.deploy.bundle.records import (
    BodySpec,
    BundleCalibration,
    BundleConfig,
    BundleEstimate,
    CombinationSpec,
    GuardReference,
    InputSpec,
    MemberSpec,
    NamedThreshold,
    PreprocessorConfig,
    RecipeSpec,
)
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.network.runtime import TorchRuntime
from headtohead.preprocess.recipe import get_recipe


class TinyNetwork(nn.Module):
    """Logits and features of one input or of several, in the shape of a bundle's network."""

    def __init__(self, n_inputs: int = 1) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.body = nn.Sequential(
                nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
            )
            self.head = nn.Linear(32 * n_inputs, 2)
        self.eval()

    def with_features(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.cat([self.body(x) for x in inputs], dim=1)
        return self.head(rows), rows


def tiny_model(
    network: nn.Module | None = None, sides: tuple[int, ...] = (48,), **config: Any
) -> DeployedModel:
    """Return a model with a tiny network, a threshold, a temperature, sets and the guard's arrays."""
    record = resolve("scratch:test_vit")
    known: dict[str, Any] = {
        "name": "tiny", "contender": "tiny", "classes": ("no", "yes"), "positive": "yes",
        "thresholds": (NamedThreshold(name="balanced", value=0.47, chosen_for="tests", chosen_on="nothing"),),
        "default_threshold": "balanced", "combination": CombinationSpec(member=0),
        "bodies": (BodySpec(records=(record,), settings=({},), weights=({},)),),
        "members": (MemberSpec(head="linear", bodies=(0,), inputs=(0,)),),
    }  # fmt: skip
    inputs = tuple(
        InputSpec(input_size=side, mean=(0.5,) * 3, std=(0.25,) * 3, interpolation="bilinear")
        for side in sides
    )
    built = network or TinyNetwork(len(sides))
    rows = np.random.default_rng(0).normal(size=(6, 3))
    return DeployedModel(
        config=BundleConfig(**(known | config)),
        preprocessing=PreprocessorConfig(recipes=(RecipeSpec.of(get_recipe("foreground")),), inputs=inputs),
        calibration=BundleCalibration(
            temperature=1.3, quantiles={"no": 0.55, "yes": 0.55}, learnt_from="nothing", n_lines=0, n_groups=0
        ),
        reference=GuardReference(limits={"far_from_training": 0.5}),
        estimate_record=BundleEstimate(metric="auroc", caveats=("drawn images",)),
        digest="ab" * 32,
        load_runtime=lambda: cast(Any, TorchRuntime(cast(Any, built))),
        guard_tensors={
            "mean": np.zeros(32 * len(sides)),
            "components": np.ones((3, 32 * len(sides))),
            "rows": rows,
        },
    )


class LogitsTwice(nn.Module):
    """A network's output twice, as logits and as features: the outputs that the exporters expect."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        logits: Tensor = self.network(inputs[0])
        return logits, logits * 1


@functools.cache
def tiny_graph() -> bytes:
    """Return an ONNX file of a tiny network: images (n, 3, 24, 24) in, two classes out."""
    from headtohead.deploy.export.graph import to_onnx

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
        )
    return to_onnx(LogitsTwice(net.eval()), [24])
