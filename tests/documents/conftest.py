"""What the pages and notebooks of the documentation need: the folder `scans`, and real weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.backbones.catalog import resolve
from headtohead.backbones.weights.fetch import ensure_weights
from headtohead.core.errors import WeightsError
from headtohead.data.demo import make_demo

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `scans` of the pages: sixty synthetic images in two classes."""
    for name in ("efficientnet-lite0", "dinov2-small"):
        try:
            ensure_weights(resolve(name))
        except WeightsError as error:
            pytest.skip(f"the pages use real networks: {error}")
    folder = tmp_path_factory.mktemp("documents") / "scans"
    make_demo(folder, n=60)
    return folder
