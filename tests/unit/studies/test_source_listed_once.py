"""A study lists the files of its source once, however many of its stages need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headtohead.core.config import StudyConfig
from headtohead.data.listing.discover import discover_images
from headtohead.studies.comparison import ComparisonStudy


def test_the_check_of_the_classes_and_the_images_come_from_one_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    for label in ("no", "yes"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(
                tmp_path / "data" / label / f"{i}.png"
            )
    calls: list[str] = []

    def counted(source: str, *more: Any) -> Any:
        calls.append(source)
        return discover_images(source, *more)

    monkeypatch.setattr("headtohead.data.load.discover_images", counted)
    config = StudyConfig(data=str(tmp_path / "data"), contenders=("scratch:test_vit",))
    study = ComparisonStudy(config, tmp_path / "run")
    study._refuse_unclear_classes()
    assert len(study.dataset) == 4 and study.dataset.positive == "yes"
    assert calls == [str(tmp_path / "data")]
