"""Groups that a search found are kept for the same images, labels and given groups, and for nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.audit import image_index
from headtohead.audit.duplicates.records import Grouping
from headtohead.audit.summary_store import SummaryStore
from headtohead.core.records import Sample


def sample(number: int, **changed: Any) -> Sample:
    facts = {
        "id": f"{number}.png", "path": f"{number}.png", "label": "yes", "group": f"g{number}", "width": 8, "height": 8,
        "sha256": f"{number:064x}", "pixel_hash": f"p{number}", "n_bytes": 9, "mode": "L", "format": "PNG",
        "suffix": ".png", "bit_depth": 8,
    }  # fmt: skip
    return Sample.model_validate({**facts, **changed})


def test_a_search_is_kept_until_something_that_it_looks_at_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[bool] = []

    def search(measured: Any, *, reporter: object, similar: bool) -> Grouping:
        searched.append(similar)
        return Grouping.from_reviewer({one.id: one.group for one in measured.samples})

    monkeypatch.setattr(image_index, "search_groups", search)

    def groups(*samples: Sample, similar: bool = False) -> Grouping:
        source: Any = SimpleNamespace(samples=samples)
        store = SummaryStore(tmp_path / "images.sqlite")
        return image_index.ImageIndex(source, store=store).groups(similar=similar)

    first = groups(sample(1), sample(2))
    assert groups(sample(1), sample(2)) == first and len(searched) == 1
    others: list[tuple[Sample, ...]] = [
        (sample(1), sample(2, label="no")),
        (sample(1), sample(2, pixel_hash="other")),
        (sample(1), sample(2, group="g1")),
        (sample(1), sample(3)),
        (sample(1),),
    ]
    for samples in others:
        searched.clear()
        groups(*samples)
        assert searched, samples
    searched.clear()
    groups(sample(1), sample(2), similar=True)
    assert searched == [True]
