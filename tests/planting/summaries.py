"""Records and measures made by hand, for checks that are asked about exact numbers and not about pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headtohead.audit.context import AuditConfig, AuditContext
from headtohead.audit.descriptors.image_pass import ImageSummaries, ImageSummary
from headtohead.audit.duplicates.records import Grouping
from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset

ORDINARY = {
    "mean": 0.3, "spread": 0.2, "at_black": 0.1, "at_white": 0.0, "levels": 200.0, "softness": 0.3, "adjacent": 0.97,
    "coloured": 0.0, "tinted": 0.0, "cast": 0.0, "edge": 100.0, "aspect": 1.0, "frame": 0.1, "glyphs": 0.0,
    "periodic": 2.0, "ground": 0.02, "foreground": 0.6, "crop_lost": 0.0, "crop_other": 0.0,
}  # fmt: skip
"""Measures that no check objects to."""


def record(name: str, label: str = "no", **facts: Any) -> Sample:
    """Return a sample whose bytes and pixels are its own, unless `facts` say otherwise."""
    mark = hashlib.sha256(name.encode()).hexdigest()
    known: dict[str, Any] = {
        "id": name, "path": name, "label": label, "group": name, "sha256": mark, "pixel_hash": mark, "width": 100,
        "height": 100, "n_bytes": 5000, "mode": "L", "format": "PNG", "suffix": ".png", "bit_depth": 8,
    }  # fmt: skip
    return Sample(**{**known, **facts})


def records(n: int, label: str = "no", **facts: Any) -> list[Sample]:
    """Return `n` samples of one class, named by class and number."""
    return [record(f"{label}/{i:03d}.png", label, **facts) for i in range(n)]


def summary(name: str, values: Mapping[str, float] | None = None, **fields: Any) -> ImageSummary:
    """Return the measures of an ordinary image, some of them changed."""
    known: dict[str, Any] = {
        "id": name, "height": 100, "width": 100, "mode": "L", "alpha": False, "values": {**ORDINARY, **(values or {})},
        "thumbnail": np.zeros((16, 16), np.uint8), "border": np.zeros(60, np.uint8),
        "background": np.zeros((16, 16), np.uint8), "scene": np.zeros(256, np.float16),
        "profile": np.zeros(16, np.float16), "texture": np.zeros(256, np.float16), "foreground": None,
        "foreground_note": "", "classical": None, "facts": {}, "spacing_mm": None,
    }  # fmt: skip
    return ImageSummary(**{**known, **fields})


def context_of(
    samples: Sequence[Sample],
    measures: Mapping[str, ImageSummary | str] | None = None,
    *,
    grouping: Grouping | None = None,
    settings: AuditConfig | None = None,
    **fields: Any,
) -> AuditContext:
    """Return a context over records alone, in which no file is opened.

    Args:
        samples: of the set.
        measures: by id; a text says why an image cannot be read; ordinary where nothing is given.
        grouping: the samples' own groups if None.
        settings: of the audit.
        fields: further fields of the dataset.
    """
    classes = tuple(sorted({sample.label for sample in samples}))
    data = Dataset(**{"root": "nowhere", "samples": tuple(samples), "classes": classes, **fields})
    groups = grouping or Grouping({s.id: s.group for s in samples}, (), (), (), (), {"images": len(samples)})
    made = AuditContext(data, settings, grouping=groups)
    given = measures or {}
    found = [given.get(s.id, summary(s.id)) for s in samples]
    items = tuple(None if isinstance(one, str) else one for one in found)
    unread = {s.id: one for s, one in zip(samples, found, strict=True) if isinstance(one, str)}
    made.__dict__["images"] = ImageSummaries(
        items, unread
    )  # where the cached property keeps what it worked out
    return made
