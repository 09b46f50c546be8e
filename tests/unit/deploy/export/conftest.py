"""A tiny network with its description, and images as files."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.planting.memory import draw_head
from tests.planting.stored import png
from torch import nn

from headtohead.deploy.export.document import ExportDocument, NetworkInput, RecipeSteps
from headtohead.preprocess.recipe import get_recipe


@pytest.fixture(scope="session")
def tiny_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = (
            nn.Conv2d(3, 8, 5, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 2),
        )
    return nn.Sequential(*parts).eval()


@pytest.fixture(scope="session")
def document() -> ExportDocument:
    return ExportDocument(
        name="tiny", digest="ab" * 32, version="0.1.0", classes=("no", "yes"), positive="yes", threshold=0.47,
        temperature=1.3, recipe=RecipeSteps.of(get_recipe("foreground")), estimate={"auroc": 0.9},
        network_input=NetworkInput(input_size=48, mean=(0.5,) * 3, std=(0.25,) * 3, interpolation="bilinear"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def images() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(3)
    return [(f"{n}.png", png(draw_head(rng, lesion=n % 2 == 0))[1]) for n in range(4)]
