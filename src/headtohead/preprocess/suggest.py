"""Which recipe fits a data set, from what its images look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from headtohead.core.records import Image
from headtohead.preprocess import border_steps, steps

__all__ = ["Appearance", "appearance_of", "suggest_recipe", "suggest_recipe_for"]

_MOST = 64  # images: the answer is a majority, and decoding costs time
_COLOURED = 0.06  # mean channel difference of 0 to 1: above tints, below stained tissue
_DARK = 0.25  # of the grey range: air around a body, not tissue


@dataclass(frozen=True, slots=True)
class Appearance:
    """What the choice of a recipe asks of an image: is it coloured, does it lie on a dark background?"""

    coloured: bool
    on_dark: bool


def appearance_of(image: Image) -> Appearance:
    """Return the appearance of an image."""
    coloured = _is_coloured(image)
    return Appearance(coloured, not coloured and _is_on_dark(image))


def suggest_recipe(images: Iterable[Image]) -> tuple[str, str]:
    """Return the name of the recipe that fits most images, and why; the caller reports it.

    `foreground` where at least half of the images are grey on a dark background; otherwise `none`, as
    colour photographs and histology have no background to cut away.

    Args:
        images: a sample of the data; the first 64 are looked at.

    >>> import numpy as np
    >>> suggest_recipe([Image(np.full((8, 8, 3), (200, 90, 150), np.uint8), 8, "RGB", "PNG")])[0]
    'none'
    """
    return suggest_recipe_for(appearance_of(image) for image in images)


def suggest_recipe_for(appearances: Iterable[Appearance]) -> tuple[str, str]:
    """Return the name of the recipe that fits most images, and why.

    Args:
        appearances: of a sample of the data; the first 64 count.
    """
    seen = fits = coloured = 0
    for appearance in islice(appearances, _MOST):
        seen += 1
        coloured += appearance.coloured
        fits += appearance.on_dark
    if seen == 0:
        return "none", "there are no images to look at"
    if 2 * fits >= seen:
        return "foreground", f"{fits} of {seen} images looked at are grey on a dark background"
    what = f"{coloured} in colour" if coloured else "grey, but not on a dark background"
    return "none", f"only {fits} of {seen} images looked at are grey on a dark background ({what})"


def _is_coloured(image: Image) -> bool:
    """Whether the channels differ by more than a tint: mean spread above 6 % of full brightness."""
    if image.pixels.ndim == 2 or _is_grey_thrice(image):
        return False
    unit, _ = steps.to_unit(image.pixels, image.window)
    first, second, third = (unit[..., channel] for channel in range(3))
    # twice as fast as `ptp` over an axis of three, with the same digits
    spread = np.maximum(np.maximum(first, second), third) - np.minimum(np.minimum(first, second), third)
    return bool(spread.mean() > _COLOURED)


def _is_grey_thrice(image: Image) -> bool:
    """Whether the three channels are one, as those of most medical images that were saved as colour."""
    first = image.pixels[..., 0]
    return all(np.array_equal(first, image.pixels[..., channel]) for channel in (1, 2))


def _is_on_dark(image: Image) -> bool:
    unit, _ = steps.to_unit(image.pixels, image.window)
    source = steps.grey(unit)
    # numbers of the recipe's `trim` and `ground_threshold`, so that both see the same ground
    inner = border_steps.crop_bright_border(source, 170, 0.85, 0.35).crop(source)
    ground, _ = steps.background_level(inner, 0.06)
    return ground < _DARK * 255 and ground < steps.otsu(inner)
