"""A picture on its way through a recipe, and the named steps that take it further."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box
from headtohead.preprocess import steps

__all__ = ["STEPS", "Stage", "start"]

Number = float | int


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step is given and what it returns.

    Attributes:
        picture: float32 in [0, 1], (H, W) or (H, W, 3); only cut and resized, never filtered.
        region: the part of the original picture that `picture` shows, in original pixels.
        work: the grey copy (uint8) from which the mask is made, at any scale; covers `region`.
        mask: bool, of the size of `work`, or None before a threshold was taken.
        history: what was done, one sentence a step.
    """

    picture: npt.NDArray[np.float32]
    region: Box
    work: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_] | None = None
    history: tuple[str, ...] = ()

    def said(self, sentence: str) -> Stage:
        """Return the stage with one more sentence in its history."""
        return replace(self, history=(*self.history, sentence))

    def cut(self, box: Box) -> Stage:
        """Return the stage cut to `box`, given in pixels of `picture`; the mask is dropped."""
        height, width = self.picture.shape[:2]
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
        picture = box.cut(self.picture)
        return replace(self, picture=picture, region=region, work=steps.grey(picture), mask=None)

    def masked(self) -> npt.NDArray[np.bool_]:
        """Return the mask; before any threshold everything is set."""
        return np.ones(self.work.shape, bool) if self.mask is None else self.mask


def start(picture: npt.NDArray[np.float32], history: tuple[str, ...] = ()) -> Stage:
    """Return the stage before the first step."""
    box = Box(0, 0, int(picture.shape[0]), int(picture.shape[1]))
    return Stage(picture, box, steps.grey(picture), None, history)


def _in_picture(stage: Stage, box: Box, margin: float) -> Box:
    """Bring a box of the work copy to the picture's pixels, `margin` (share of its side) wider."""
    height, width = stage.picture.shape[:2]
    down, across = height / stage.work.shape[0], width / stage.work.shape[1]
    more_y, more_x = margin * (box.bottom - box.top) * down, margin * (box.right - box.left) * across
    top, bottom = int(np.floor(box.top * down - more_y)), int(np.ceil(box.bottom * down + more_y))
    left, right = int(np.floor(box.left * across - more_x)), int(np.ceil(box.right * across + more_x))
    return Box(max(0, top), max(0, left), min(height, bottom), min(width, right))


def _grey(stage: Stage) -> Stage:
    return replace(stage, work=steps.grey(stage.picture), mask=None)


def _resize(stage: Stage, height: int, width: int) -> Stage:
    picture = steps.resize_cubic(stage.picture, height, width)
    stage = replace(stage, picture=picture, work=steps.grey(picture), mask=None)
    return stage.said(f"resized to {height} x {width} (cubic)")


def _gaussian_blur(stage: Stage, size: int) -> Stage:
    return replace(stage, work=steps.gaussian_blur(stage.work, size))


def _threshold(stage: Stage, level: float) -> Stage:
    return replace(stage, mask=steps.threshold(stage.work, level))


def _erode(stage: Stage, times: int) -> Stage:
    return replace(stage, mask=steps.erode(stage.masked(), times))


def _dilate(stage: Stage, times: int) -> Stage:
    return replace(stage, mask=steps.dilate(stage.masked(), times))


def _extreme_points(stage: Stage) -> Stage:
    box = steps.extreme_points(steps.largest_contour(stage.masked()))
    if box is None:
        return stage.said("no contour found: whole picture kept")
    box = _in_picture(stage, box, 0.0)
    return stage.cut(box).said(f"cut to the extreme points of the largest contour, {_share(stage, box)}")


def _share(stage: Stage, box: Box) -> str:
    height, width = stage.picture.shape[:2]
    return f"{100 * box.area / (height * width):.0f} % of the picture"


def _trim(stage: Stage, dark: float, bright: float, least: float, most: float, rounds: int) -> Stage:
    before = stage.region
    bands = False
    for _ in range(rounds):
        box = steps.trim_bright(stage.work, bright, least, most)
        whole = box.area == stage.work.size
        bands = bands or not whole
        stage = stage if whole else stage.cut(box)
        box = steps.trim_dark(stage.work, dark)
        if whole and box.area == stage.work.size:
            break
        stage = stage.cut(box)
    if bands:
        return stage.said(f"bright bands at the edge trimmed, {_of(stage.region, before)}")
    return (
        stage if stage.region == before else stage.said(f"black border trimmed, {_of(stage.region, before)}")
    )


def _of(part: Box, whole: Box) -> str:
    return f"{100 * part.area / whole.area:.0f} % of the picture left"


def _work_size(stage: Stage, side: int) -> Stage:
    return replace(stage, work=steps.resize_area(stage.work, side), mask=None)


def _clear_bright_ground(stage: Stage, level: float, perimeter: float, ground: float) -> Stage:
    work, found = steps.drop_bright_ground(stage.work, level, perimeter, ground)
    return replace(stage, work=work).said("white ground around the subject ignored") if found else stage


def _ground_threshold(stage: Stage, corner: float, share: float, most: float, least: float) -> Stage:
    """Take what is brighter than the ground by `share` of the way to Otsu's level.

    Otsu's level itself may lie between dark and bright tissue, so the very bright is tamed first and
    only a part of the way is gone. Uneven ground raises the level, up to `most` of the way.
    """
    ground, upper = steps.ground_level(stage.work, corner)
    between = steps.otsu(steps.tame_bright(stage.work, ground, least))
    if between <= ground:
        whole = np.ones(stage.work.shape, bool)
        return replace(stage, mask=whole).said("the ground is not darker than the subject")
    low = ground + max(share * (between - ground), least)
    level = max(low, min(upper, ground + most * (between - ground)))
    return replace(stage, mask=steps.threshold(stage.work, level)).said(f"mask above grey level {level:.0f}")


def _drop_bands(stage: Stage, least: float, after: float, most: float) -> Stage:
    return replace(stage, mask=steps.drop_bands(stage.masked(), least, after, most))


def _pixels_of(stage: Stage, share: float) -> int:
    """A length given as a share of the work copy's longer side, as an odd number of pixels."""
    return 2 * (int(share * max(stage.work.shape)) // 2) + 1


def _close(stage: Stage, share: float) -> Stage:
    return replace(stage, mask=steps.close(stage.masked(), _pixels_of(stage, share)))


def _open(stage: Stage, share: float) -> Stage:
    return replace(stage, mask=steps.open_(stage.masked(), _pixels_of(stage, share)))


def _fill_holes(stage: Stage) -> Stage:
    return replace(stage, mask=steps.fill_holes(stage.masked()))


def _largest_component(stage: Stage) -> Stage:
    return replace(stage, mask=steps.largest_component(stage.masked()))


def _plausible(stage: Stage, least: float, aspect: float, fill: float) -> Stage:
    """Give up the mask where it cannot be the subject: too small, too long, too ragged."""
    box = steps.bounding_box(stage.masked())
    reason = ""
    if box is None:
        reason = "nothing stands out from the ground"
    else:
        height, width = box.bottom - box.top, box.right - box.left
        area = int(stage.masked().sum())
        if area < least * stage.work.size:
            reason = f"the subject found takes only {100 * area / stage.work.size:.0f} % of the picture"
        elif max(height, width) > aspect * min(height, width):
            reason = f"the subject found is {height} x {width}, too long to be one"
        elif area < fill * box.area:
            reason = f"the subject found fills only {100 * area / box.area:.0f} % of its box"
    if not reason:
        return stage
    return replace(stage, mask=np.ones(stage.work.shape, bool)).said(f"{reason}: whole picture kept")


def _stretch(stage: Stage, low: float, high: float) -> Stage:
    """Stretch the contrast between two percentiles of the subject; brightness of a scan has no unit.

    Comes before the crop, while the mask is known; every channel is stretched alike.
    """
    height, width = stage.picture.shape[:2]
    inside = steps.enlarge(stage.masked(), height, width)
    values = stage.picture[inside]
    if values.size == 0:
        return stage
    dark, bright = (float(v) for v in np.percentile(values, (low, high)))
    if bright - dark < 0.02:
        return stage.said("contrast left alone: the subject is all but uniform")
    picture = np.clip((stage.picture - np.float32(dark)) / np.float32(bright - dark), 0, 1)
    return replace(stage, picture=picture).said(f"contrast stretched from {dark:.2f} to {bright:.2f}")


def _crop(stage: Stage, margin: float) -> Stage:
    box = steps.bounding_box(stage.masked())
    if box is None:
        return stage.said("empty mask: whole picture kept")
    box = _in_picture(stage, box, margin)
    if box.area == stage.picture.shape[0] * stage.picture.shape[1]:
        return stage
    return stage.cut(box).said(f"cut to the subject, {_share(stage, box)}")


STEPS: Mapping[str, Callable[..., Stage]] = {
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


def run(stage: Stage, steps_: tuple[Any, ...]) -> Stage:
    """Take a stage through steps, each with `name` and `params` (pairs of name and number)."""
    for step in steps_:
        stage = STEPS[step.name](stage, **dict(step.params))
    return stage
