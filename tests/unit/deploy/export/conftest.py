"""A tiny model, images as files, and the model exported once to every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.planting.memory import draw_head
from tests.planting.stored import png
from tests.planting.tiny_model import tiny_model

from headtohead.deploy.export.parity import Parity
from headtohead.deploy.export.write import ExportJob, export_model
from headtohead.deploy.model import DeployedModel

NAMES = {"onnx": "m.onnx", "openvino": "m.xml", "torch": "m.pt2", "monai": "bundle"}


@dataclass(frozen=True)
class Exported:
    """What `export_model` wrote and returned; the only content of its folder, so do not change it."""

    path: Path
    parity: Parity


@pytest.fixture(scope="session")
def model() -> DeployedModel:
    return tiny_model()


@pytest.fixture(scope="session")
def images() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(3)
    return [(f"{n}.png", png(draw_head(rng, lesion=n % 2 == 0))[1]) for n in range(4)]


@pytest.fixture(scope="session")
def job(model: DeployedModel, images: list[tuple[str, bytes]]) -> ExportJob:
    return ExportJob(model, images, "drawn heads")


@pytest.fixture(scope="session")
def exported(job: ExportJob, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Return what exports the job to a target, the first time that it is asked for it."""

    @cache
    def export(target: str) -> Exported:
        path = tmp_path_factory.mktemp(target) / NAMES[target]
        return Exported(path, export_model(job, target, path))

    return export
