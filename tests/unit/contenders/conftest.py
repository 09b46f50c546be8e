"""What the tests of contenders share: a context without images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.planting.listener import Listener

from headtohead.contenders.mode import BuildContext
from headtohead.core.config import StudyConfig, TrainConfig


@pytest.fixture
def context() -> Callable[..., BuildContext]:
    """Return what makes a build context from training settings; its features know a recipe alone."""

    def make(
        *, trial_store: Path | None = None, n_cells: int = 1, load_cell: Any = None, **train: Any
    ) -> BuildContext:
        config = StudyConfig(data="x", contenders=("a",), train=TrainConfig.model_validate(train))
        features: Any = SimpleNamespace(
            config=config, reporter=Listener(), recipe=SimpleNamespace(digest=lambda: "d"),
            dataset=SimpleNamespace(samples=[None] * 10),
            matrix=lambda record, view: (record.name, str(view)),
        )  # fmt: skip
        return BuildContext(features, load_cell, n_cells=n_cells, trial_store=trial_store)

    return make
