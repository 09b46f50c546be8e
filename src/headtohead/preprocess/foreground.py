"""Where the subject of an image is: the mask and the box behind the recipe `foreground`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box, Image
from headtohead.preprocess import mask_steps, steps
from headtohead.preprocess import pipeline as stage
from headtohead.preprocess.recipe import CROP, MASK_STEPS, check_shape

__all__ = ["crop_loss", "foreground_and_mask", "foreground_box", "foreground_mask"]


def _start(pixels: npt.NDArray[Any], window: tuple[float, float] | None) -> stage.PipelineState:
    check_shape(pixels)
    return stage.start(steps.to_unit(steps.one_plane(pixels), window)[0])


def foreground_box(
    pixels: npt.NDArray[Any], window: tuple[float, float] | None = None
) -> tuple[Box, tuple[str, ...]]:
    """Return the box of the subject, in the image's pixels, and how it was found.

    It is the box to which the recipe `foreground` cuts.

    Args:
        pixels: (H, W) or (H, W, 3), any depth.
        window: (low, high) of the display window, where the file states one.

    >>> import numpy as np
    >>> image = np.zeros((100, 100), np.uint8); image[20:80, 30:70] = 200
    >>> foreground_box(image)[0]
    Box(top=20, left=30, bottom=80, right=70)
    """
    done = stage.run(_start(pixels, window), (*MASK_STEPS, CROP))
    return done.region, done.history


def foreground_mask(
    pixels: npt.NDArray[Any], window: tuple[float, float] | None = None
) -> npt.NDArray[np.bool_]:
    """Return where the subject is, holes filled, as bool (H, W).

    Args: as `foreground_box`. Where no plausible subject is found, all but trimmed borders is set.
    """
    return _mask(stage.run(_start(pixels, window), MASK_STEPS), pixels)


def _mask(done: stage.PipelineState, pixels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    region = done.region
    mask = np.zeros(pixels.shape[:2], bool)
    height, width = region.bottom - region.top, region.right - region.left
    # a view of `mask`, which is filled through it
    region.crop(mask)[...] = mask_steps.upsample_mask(done.mask_or_full(), height, width)
    return mask


def foreground_and_mask(
    pixels: npt.NDArray[Any], window: tuple[float, float] | None = None
) -> tuple[Box, npt.NDArray[np.bool_], tuple[str, ...]]:
    """Return box, mask and history of the subject at once, in half the time of asking for each.

    Args: as `foreground_box`.

    >>> import numpy as np
    >>> image = np.zeros((100, 100), np.uint8); image[20:80, 30:70] = 200
    >>> box, mask, _ = foreground_and_mask(image)
    >>> box == foreground_box(image)[0], bool((mask == foreground_mask(image)).all())
    (True, True)
    """
    masked = stage.run(_start(pixels, window), MASK_STEPS)
    cut = stage.run(masked, (CROP,))
    return cut.region, _mask(masked, pixels), cut.history


def crop_loss(image: Image, box: Box) -> float:
    """Return the share of the subject's pixels that a box cuts off, 0 to 1.

    Args:
        image: the whole image.
        box: in its pixels.
    """
    mask = foreground_mask(image.pixels, image.window)
    total = int(mask.sum())
    return 0.0 if total == 0 else 1.0 - int(box.crop(mask).sum()) / total
