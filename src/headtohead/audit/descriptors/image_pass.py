"""The one pass over the images: each is read once, and only a few hundred numbers of it are kept.

Everything that the file and shortcut checks need is measured here, so that an audit of 100,000
images reads each file once and holds no more than about two kilobytes for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.audit.descriptors import artifact_detectors as marks
from headtohead.audit.descriptors import image_statistics as measures
from headtohead.audit.descriptors import scene_descriptors as looks
from headtohead.core.errors import HeadToHeadError
from headtohead.core.records import Box, Image

__all__ = ["Foreground", "ImageSummaries", "ImageSummary", "find_foreground", "summarise_image"]

U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
F16 = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """What the pass keeps of one image; shares are in [0, 1], lengths in the image's own pixels.

    Attributes:
        height, width: as decoded, after EXIF orientation.
        alpha: the file carries an alpha channel.
        values: measures by name (see `measures.MEASURES` and `marks.ARTIFACTS`).
        thumbnail: (16, 16) grey, the whole image.
        border: (60,) grey, the outermost ring of that grid, from a strip of 6 % of the edge.
        background: (16, 16) grey with the foreground set to 0.
        scene, profile, texture: descriptors of the foreground crop (see `looks`), half precision.
        foreground: its box, or None where it could not be found.
        classical: box of the classical threshold-45 crop, or None where that was not asked for.
        facts: what the reader passed on.
    """

    id: str
    height: int
    width: int
    mode: str
    alpha: bool
    values: Mapping[str, float]
    thumbnail: U8
    border: U8
    background: U8
    scene: F16
    profile: F16
    texture: F16
    foreground: Box | None
    foreground_note: str
    classical: Box | None
    facts: Mapping[str, str]
    spacing_mm: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ImageSummaries:
    """All images of a dataset in its order; `unread` tells which could not be read, and why."""

    items: tuple[ImageSummary | None, ...]
    unread: Mapping[str, str]

    @property
    def read(self) -> tuple[ImageSummary, ...]:
        """The images that could be read."""
        return tuple(item for item in self.items if item is not None)

    def value(self, name: str) -> npt.NDArray[np.float64]:
        """Return one measure for the images that could be read, (n_read,)."""
        return np.array([item.values[name] for item in self.read], dtype=np.float64)

    def stack(self, name: str) -> npt.NDArray[np.float64]:
        """Return one array attribute, flattened, (n, d); zeros where an image could not be read."""
        rows = [None if item is None else getattr(item, name).ravel() for item in self.items]
        width = next((row.size for row in rows if row is not None), 0)
        blank = np.zeros(width)
        return np.array([blank if row is None else row for row in rows], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Foreground:
    """Where the subject is.

    Attributes:
        box: of the subject; None where it could not be found. mask: (H, W), with the box.
        note: what the recipe said.
    """

    box: Box | None
    mask: Mask | None
    note: str


def summarise_image(
    name: str, image: Image, *, classical: bool = True, foreground: Foreground | None = None
) -> ImageSummary:
    """Measure one image.

    Args:
        name: the sample's id.
        image: pixels and facts.
        classical: also find the box of the classical crop.
        foreground: where the subject is; found here if None.
    """
    grey = measures.grey8(image)
    where = find_foreground(image) if foreground is None else foreground
    box, mask = where.box, where.mask
    found = (box, mask) if box is not None and mask is not None else None
    crop = grey if found is None else found[0].crop(grey)
    inside = np.ones(grey.shape, bool) if found is None else found[0].crop(found[1])
    cut = _classical_box(image) if classical else None
    values: dict[str, float] = {
        **measures.image_statistics(image, grey),
        **marks.detect_artifacts(grey, mask),
        **_compare_boxes(grey, box, mask, cut),
    }
    return ImageSummary(
        id=name,
        height=image.size[0],
        width=image.size[1],
        mode=image.mode,
        # LA, PA, RGBA and Pillow's premultiplied La and RGBa; LAB is a colour space
        alpha=image.mode.endswith(("A", "a")),
        values=values,
        thumbnail=measures.shrink(grey, 16),
        border=measures.border_ring(grey),
        background=measures.background(grey, mask),
        scene=looks.layout_descriptor(crop).astype(np.float16),
        profile=looks.intensity_histogram(crop, inside).astype(np.float16),
        texture=looks.lbp_histogram(crop).astype(np.float16),
        foreground=box,
        foreground_note=where.note,
        classical=cut,
        facts=dict(image.facts),
        spacing_mm=image.spacing_mm,
    )


def find_foreground(image: Image) -> Foreground:
    """Return the box of the subject, its mask and what the recipe said; None where it gave up."""
    from headtohead.preprocess.foreground import foreground_and_mask

    try:
        box, mask, history = foreground_and_mask(image.pixels, image.window)
    except HeadToHeadError as error:
        return Foreground(None, None, str(error))
    return Foreground(box, mask, "; ".join(history))


def _classical_box(image: Image) -> Box | None:
    from headtohead.preprocess.recipe import get_recipe

    try:
        return get_recipe("classical").apply(image).box
    except HeadToHeadError:
        return None


def _compare_boxes(grey: U8, box: Box | None, mask: Mask | None, cut: Box | None) -> dict[str, float]:
    """Return how much of the foreground the classical crop loses, and how much else it keeps."""
    nan = float("nan")
    if box is None or mask is None or not mask.any():
        return {"foreground": nan, "crop_lost": nan, "crop_other": nan}
    seen = {"foreground": box.area / grey.size, "crop_lost": nan, "crop_other": nan}
    if cut is not None:
        # pixels of the mask and not of its box, whose corners are mostly ground
        seen["crop_lost"] = 1.0 - float(cut.crop(mask).sum()) / float(mask.sum())
        both = Box(
            max(box.top, cut.top),
            max(box.left, cut.left),
            min(box.bottom, cut.bottom),
            min(box.right, cut.right),
        )
        seen["crop_other"] = 1.0 - both.area / max(1, cut.area)
    return seen
