"""An image on its way through a recipe, and the named steps that take it further."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box
from headtohead.preprocess import border_steps, mask_steps, steps

__all__ = ["STEPS", "PipelineState", "start"]

Number = float | int


@dataclass(frozen=True, slots=True)
class PipelineState:
    """What a step is given and what it returns.

    Attributes:
        image: float32 in [0, 1], (H, W) or (H, W, 3); only cut and resized, never filtered.
        region: the part of the original image that `image` shows, in original pixels.
        work: the grey copy (uint8) from which the mask is made, at any scale; covers `region`.
        mask: bool, of the size of `work`, or None before a threshold was taken.
        history: what was done, one sentence a step.
        copies: how many equal channels of the file one channel of `image` stands for.
        levels: a stretch of contrast (dark, bright) that `image` has yet to undergo; put off until a cut is
            made, so that only what is left is stretched.
    """

    image: npt.NDArray[np.float32]
    region: Box
    work: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_] | None = None
    history: tuple[str, ...] = ()
    copies: int = 1
    levels: tuple[float, float] | None = None

    def log(self, sentence: str) -> PipelineState:
        """Return the stage with one more sentence in its history."""
        return replace(self, history=(*self.history, sentence))

    def crop(self, box: Box) -> PipelineState:
        """Return the stage cut to `box`, given in pixels of `image`; the mask is dropped."""
        height, width = self.image.shape[:2]
        down, across = (
            (self.region.bottom - self.region.top) / height,
            (self.region.right - self.region.left) / width,
        )
        region = Box(
            self.region.top + round(box.top * down),
            self.region.left + round(box.left * across),
            self.region.top + round(box.bottom * down),
            self.region.left + round(box.right * across),
        )
        image = steps.stretch(box.crop(self.image), self.levels)
        return replace(self, image=image, region=region, work=steps.grey(image), mask=None, levels=None)

    def mask_or_full(self) -> npt.NDArray[np.bool_]:
        """Return the mask; before any threshold everything is set."""
        return np.ones(self.work.shape, bool) if self.mask is None else self.mask


def start(image: npt.NDArray[np.float32], history: tuple[str, ...] = (), copies: int = 1) -> PipelineState:
    """Return the stage before the first step."""
    box = Box(0, 0, int(image.shape[0]), int(image.shape[1]))
    return PipelineState(image, box, steps.grey(image), None, history, copies)


def _in_image(stage: PipelineState, box: Box, margin: float) -> Box:
    """Bring a box of the work copy to the image's pixels, `margin` (share of its side) wider."""
    height, width = stage.image.shape[:2]
    down, across = height / stage.work.shape[0], width / stage.work.shape[1]
    more_y, more_x = margin * (box.bottom - box.top) * down, margin * (box.right - box.left) * across
    # outwards, so that rounding cuts nothing off
    top, bottom = int(np.floor(box.top * down - more_y)), int(np.ceil(box.bottom * down + more_y))
    left, right = int(np.floor(box.left * across - more_x)), int(np.ceil(box.right * across + more_x))
    return Box(max(0, top), max(0, left), min(height, bottom), min(width, right))


def _grey(stage: PipelineState) -> PipelineState:
    return replace(stage, work=steps.grey(stage.image), mask=None)


def _resize(stage: PipelineState, height: int, width: int) -> PipelineState:
    image = steps.resize_cubic(stage.image, height, width)
    stage = replace(stage, image=image, work=steps.grey(image), mask=None)
    return stage.log(f"resized to {height} x {width} (cubic)")


def _gaussian_blur(stage: PipelineState, size: int) -> PipelineState:
    return replace(stage, work=steps.gaussian_blur(stage.work, size))


def _threshold(stage: PipelineState, level: float) -> PipelineState:
    return replace(stage, mask=steps.threshold(stage.work, level))


def _erode(stage: PipelineState, times: int) -> PipelineState:
    return replace(stage, mask=mask_steps.erode(stage.mask_or_full(), times))


def _dilate(stage: PipelineState, times: int) -> PipelineState:
    return replace(stage, mask=mask_steps.dilate(stage.mask_or_full(), times))


def _extreme_points(stage: PipelineState) -> PipelineState:
    box = mask_steps.extreme_points(mask_steps.largest_contour(stage.mask_or_full()))
    if box is None:
        return stage.log("no contour found: whole image kept")
    box = _in_image(stage, box, 0.0)
    return stage.crop(box).log(f"cut to the extreme points of the largest contour, {_share(stage, box)}")


def _share(stage: PipelineState, box: Box) -> str:
    height, width = stage.image.shape[:2]
    return f"{100 * box.area / (height * width):.0f} % of the image"


def _trim(
    stage: PipelineState, dark: float, bright: float, least: float, most: float, rounds: int
) -> PipelineState:
    before = stage.region
    bands = False
    # a frame may lie inside a margin and a margin inside a frame
    for _ in range(rounds):
        box = border_steps.crop_bright_border(stage.work, bright, least, most)
        whole = box.area == stage.work.size
        bands = bands or not whole
        stage = stage if whole else stage.crop(box)
        box = border_steps.crop_dark_border(stage.work, dark)
        if whole and box.area == stage.work.size:
            break
        stage = stage.crop(box)
    if bands:
        return stage.log(f"bright bands at the edge trimmed, {_of(stage.region, before)}")
    return (
        stage if stage.region == before else stage.log(f"black border trimmed, {_of(stage.region, before)}")
    )


def _of(part: Box, whole: Box) -> str:
    return f"{100 * part.area / whole.area:.0f} % of the image left"


def _work_size(stage: PipelineState, side: int) -> PipelineState:
    return replace(stage, work=steps.resize_area(stage.work, side), mask=None)


def _clear_bright_ground(
    stage: PipelineState, level: float, perimeter: float, ground: float
) -> PipelineState:
    work, found = border_steps.clear_bright_background(stage.work, level, perimeter, ground)
    return replace(stage, work=work).log("white ground around the subject ignored") if found else stage


def _ground_threshold(
    stage: PipelineState, corner: float, share: float, most: float, least: float
) -> PipelineState:
    """Take what is brighter than the ground by `share` of the way to Otsu's level.

    Otsu's level itself may lie between dark and bright tissue, so the very bright is tamed first and
    only a part of the way is gone. Uneven ground raises the level, up to `most` of the way.
    """
    ground, upper = steps.background_level(stage.work, corner)
    between = steps.otsu(steps.clip_highlights(stage.work, ground, least))
    if between <= ground:
        whole = np.ones(stage.work.shape, bool)
        return replace(stage, mask=whole).log("the ground is not darker than the subject")
    low = ground + max(share * (between - ground), least)
    level = max(low, min(upper, ground + most * (between - ground)))
    return replace(stage, mask=steps.threshold(stage.work, level)).log(f"mask above grey level {level:.0f}")


def _drop_bands(stage: PipelineState, least: float, after: float, most: float) -> PipelineState:
    return replace(stage, mask=border_steps.remove_border_bands(stage.mask_or_full(), least, after, most))


def _pixels_of(stage: PipelineState, share: float) -> int:
    """A length given as a share of the work copy's longer side, as an odd number of pixels."""
    return 2 * (int(share * max(stage.work.shape)) // 2) + 1


def _close(stage: PipelineState, share: float) -> PipelineState:
    return replace(stage, mask=mask_steps.close(stage.mask_or_full(), _pixels_of(stage, share)))


def _open(stage: PipelineState, share: float) -> PipelineState:
    return replace(stage, mask=mask_steps.open_(stage.mask_or_full(), _pixels_of(stage, share)))


def _fill_holes(stage: PipelineState) -> PipelineState:
    return replace(stage, mask=mask_steps.fill_holes(stage.mask_or_full()))


def _largest_component(stage: PipelineState) -> PipelineState:
    return replace(stage, mask=mask_steps.largest_component(stage.mask_or_full()))


def _plausible(stage: PipelineState, least: float, aspect: float, fill: float) -> PipelineState:
    """Give up the mask where it cannot be the subject: too small, too long, too ragged."""
    box = mask_steps.bounding_box(stage.mask_or_full())
    reason = ""
    if box is None:
        reason = "nothing stands out from the ground"
    else:
        height, width = box.bottom - box.top, box.right - box.left
        area = int(stage.mask_or_full().sum())
        if area < least * stage.work.size:
            reason = f"the subject found takes only {100 * area / stage.work.size:.0f} % of the image"
        elif max(height, width) > aspect * min(height, width):
            reason = f"the subject found is {height} x {width}, too long to be one"
        elif area < fill * box.area:
            reason = f"the subject found fills only {100 * area / box.area:.0f} % of its box"
    if not reason:
        return stage
    return replace(stage, mask=np.ones(stage.work.shape, bool)).log(f"{reason}: whole image kept")


def _stretch(stage: PipelineState, low: float, high: float) -> PipelineState:
    """Stretch the contrast between two percentiles of the subject; brightness of a scan has no unit.

    Comes before the crop, while the mask is known; every channel is stretched alike.
    """
    height, width = stage.image.shape[:2]
    inside = mask_steps.upsample_mask(stage.mask_or_full(), height, width)
    values = stage.image[inside]
    if values.size == 0:
        return stage
    dark, bright = steps.percentiles(values, (low, high), stage.copies)
    # five of 255 grey values: a stretch would show noise alone
    if bright - dark < 0.02:
        return stage.log("contrast left alone: the subject is all but uniform")
    return replace(stage, levels=(dark, bright)).log(f"contrast stretched from {dark:.2f} to {bright:.2f}")


def _crop(stage: PipelineState, margin: float) -> PipelineState:
    box = mask_steps.bounding_box(stage.mask_or_full())
    if box is None:
        return stage.log("empty mask: whole image kept")
    box = _in_image(stage, box, margin)
    if box.area == stage.image.shape[0] * stage.image.shape[1]:
        return stage
    return stage.crop(box).log(f"cut to the subject, {_share(stage, box)}")


STEPS: Mapping[str, Callable[..., PipelineState]] = {
    "clear_bright_ground": _clear_bright_ground,
    "close": _close,
    "crop": _crop,
    "dilate": _dilate,
    "drop_bands": _drop_bands,
    "erode": _erode,
    "extreme_points": _extreme_points,
    "fill_holes": _fill_holes,
    "gaussian_blur": _gaussian_blur,
    "grey": _grey,
    "ground_threshold": _ground_threshold,
    "largest_component": _largest_component,
    "open": _open,
    "plausible": _plausible,
    "resize": _resize,
    "stretch": _stretch,
    "threshold": _threshold,
    "trim": _trim,
    "work_size": _work_size,
}


def run(stage: PipelineState, steps_: tuple[Any, ...]) -> PipelineState:
    """Take a stage through steps, each with `name` and `params` (pairs of name and number)."""
    for step in steps_:
        # `crop` stretches what it leaves, to the same values; any other step works on stretched pixels
        stage = STEPS[step.name](stage if step.name == "crop" else _stretched(stage), **dict(step.params))
    return _stretched(stage)


def _stretched(stage: PipelineState) -> PipelineState:
    """Return the stage with the stretch that was put off."""
    if stage.levels is None:
        return stage
    return replace(stage, image=steps.stretch(stage.image, stage.levels), levels=None)
