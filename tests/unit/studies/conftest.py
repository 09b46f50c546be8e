"""What the tests of studies share: samples without files, and a reporter that remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.planting.listener import Listener

from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset


@pytest.fixture
def listener() -> Listener:
    return Listener()


def _sample(number: int, label: str, group: str, extra: dict[str, str]) -> Sample:
    return Sample(
        id=f"s{number:03d}", path=f"s{number:03d}.png", label=label, group=group, sha256=f"{number:064x}",
        pixel_hash=f"p{number}", width=8, height=8, n_bytes=9, mode="L", format="PNG", suffix=".png", bit_depth=8,
        extra=extra,
    )  # fmt: skip


@pytest.fixture
def samples() -> Callable[..., Dataset]:
    """Return what makes a data set of labels, groups and further columns, which has no files."""

    def make(
        labels: list[int],
        groups: list[str] | None = None,
        extra: list[dict[str, str]] | None = None,
        **more: Any,
    ) -> Dataset:
        classes = ("no", "yes", "other")[: max(2, max(labels) + 1)]
        found = tuple(
            _sample(
                i, classes[label], f"g{i}" if groups is None else groups[i], {} if extra is None else extra[i]
            )
            for i, label in enumerate(labels)
        )
        return Dataset("nowhere", found, classes, "yes" if len(classes) == 2 else None, **more)

    return make
