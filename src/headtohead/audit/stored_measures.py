"""The measures of one image, and how they and its local features are kept in a `SummaryStore`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from headtohead.audit.descriptors.image_pass import ImageSummary
from headtohead.audit.duplicates.keypoints import Keypoints
from headtohead.audit.summary_store import pack, unpack
from headtohead.core.records import Box
from headtohead.preprocess.suggest import Appearance

__all__ = [
    "F16",
    "ImageMeasures",
    "keypoints_from_bytes",
    "keypoints_to_bytes",
    "measures_from_bytes",
    "measures_to_bytes",
]

F16 = npt.NDArray[np.float16]
KEYPOINTS = ("grey", "points", "descriptors", "strength", "subject")
ARRAYS = ("thumbnail", "border", "background", "scene", "profile", "texture")


@dataclass(frozen=True, slots=True)
class ImageMeasures:
    """The small measures of one image, which stay in memory (about four kilobytes)."""

    summary: ImageSummary | None
    fingerprint: F16
    appearance: Appearance | None


def measures_to_bytes(summary: ImageSummary, prints: F16, appearance: Appearance) -> bytes:
    """Return the measures of an image as they are stored."""
    facts = {
        "height": summary.height,
        "width": summary.width,
        "mode": summary.mode,
        "alpha": summary.alpha,
        "values": dict(summary.values),
        "foreground": _box(summary.foreground),
        "foreground_note": summary.foreground_note,
        "classical": _box(summary.classical),
        "facts": dict(summary.facts),
        "spacing_mm": summary.spacing_mm,
        "appearance": asdict(appearance),
    }
    arrays = {name: getattr(summary, name) for name in ARRAYS}
    return pack(facts, {**arrays, "fingerprint": prints})


def measures_from_bytes(name: str, content: bytes | None) -> ImageMeasures | None:
    """Return the stored measures of the image `name`; None where nothing is stored or an older version stored it."""
    stored = None if content is None else unpack(content)
    if stored is None:
        return None
    facts, arrays = stored
    try:
        spacing = facts["spacing_mm"]
        summary = ImageSummary(
            id=name,
            height=facts["height"],
            width=facts["width"],
            mode=facts["mode"],
            alpha=facts["alpha"],
            values=facts["values"],
            **{part: arrays[part] for part in ARRAYS},
            foreground=_box_from(facts["foreground"]),
            foreground_note=facts["foreground_note"],
            classical=_box_from(facts["classical"]),
            facts=facts["facts"],
            spacing_mm=None if spacing is None else (spacing[0], spacing[1]),
        )
        return ImageMeasures(summary, arrays["fingerprint"], Appearance(**facts["appearance"]))
    except (KeyError, TypeError, IndexError):
        return None


def keypoints_to_bytes(keypoints: Keypoints) -> bytes:
    """Return local features as they are stored."""
    arrays = {name: getattr(keypoints, name) for name in KEYPOINTS}
    return pack({"scale": keypoints.scale}, arrays)


def keypoints_from_bytes(content: bytes | None) -> Keypoints | None:
    """Return stored local features; None where nothing is stored or an older version stored it."""
    stored = None if content is None else unpack(content)
    if stored is None:
        return None
    facts, arrays = stored
    try:
        return Keypoints(scale=facts["scale"], **{name: arrays[name] for name in KEYPOINTS})
    except KeyError:
        return None


def _box(box: Box | None) -> list[int] | None:
    return None if box is None else [box.top, box.left, box.bottom, box.right]


def _box_from(ends: Mapping[int, int] | list[int] | None) -> Box | None:
    return None if ends is None else Box(*ends)
