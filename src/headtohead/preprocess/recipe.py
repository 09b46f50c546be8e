"""Preprocessing as data: named steps with their numbers, hashable, applied with a history.

A recipe decides what of an image a backbone gets to see. What the backbone's weights ask of the
result (size, interpolation, mean, standard deviation) travels with the weights, not with the recipe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.records import Box, Image

__all__ = ["CROP", "MASK_STEPS", "RECIPES", "Prepared", "Recipe", "Step", "get_recipe", "step"]

Number = int | float

# Raised whenever a step's arithmetic changes, so that cached features of old crops are not reused.
ARITHMETIC = 1


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One named step and its numbers, as sorted pairs; make it with `step`."""

    name: str
    params: tuple[tuple[str, Number], ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v:g}' for k, v in self.params)})"


def step(name: str, **params: Number) -> Step:
    """Return a step after checking its name.

    >>> str(step("threshold", level=45))
    'threshold(level=45)'
    """
    from headtohead.preprocess.pipeline import STEPS

    if name not in STEPS:
        raise unknown_name("step", name, STEPS)
    return Step(name, tuple(sorted(params.items())))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image after its recipe.

    Attributes:
        pixels: float32 in [0, 1], (H, W) or (H, W, 3).
        box: the part of the original image that is shown, in its pixels.
        history: what the reader and the recipe did, in order.
    """

    pixels: npt.NDArray[np.float32]
    box: Box
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Named steps in order; equal recipes do the same to every image."""

    name: str
    steps: tuple[Step, ...] = field(default=())

    def digest(self) -> str:
        """Return a short hash of the steps and their numbers, the same in every process.

        The name is left out: two names for one list of steps share their cached features.
        """
        # 1 and 1.0 are one number
        steps = [[s.name, [[k, float(v)] for k, v in s.params]] for s in self.steps]
        return hashlib.sha256(json.dumps([ARITHMETIC, steps]).encode()).hexdigest()[:16]

    def apply(self, image: Image, *, as_plane: bool = False) -> Prepared:
        """Take one image through the steps.

        Args:
            image: pixels of any depth; they are not changed.
            as_plane: return (H, W) for an 8-bit image with three equal channels, the values of each of them.

        Returns:
            Pixels in [0, 1], the box they come from, and the history.

        Raises:
            UsageError: the pixels are not (H, W) or (H, W, 3), or have no area.
        """
        from headtohead.preprocess import pipeline as stage
        from headtohead.preprocess import steps

        check_shape(image.pixels)
        whole = image.pixels
        # Cubic interpolation of three channels at once may round otherwise than that of one.
        plane = whole if any(s.name == "resize" for s in self.steps) else steps.one_plane(whole)
        # 0 where the image is taken as it is
        copies = whole.ndim - plane.ndim and whole.shape[-1]
        unit, how = steps.to_unit(plane, image.window)
        done = stage.run(stage.start(unit, (*image.history, how), max(1, copies)), self.steps)
        pixels = np.ascontiguousarray(done.image, dtype=np.float32)
        if copies and not as_plane:
            pixels = np.repeat(pixels[..., None], copies, axis=2)
        return Prepared(pixels, done.region, done.history)

    def __str__(self) -> str:
        return f"{self.name}: " + (" > ".join(str(s) for s in self.steps) or "whole image")


def check_shape(pixels: npt.NDArray[Any]) -> None:
    """Refuse arrays that are no image.

    Raises:
        UsageError: the shape is not (H, W) or (H, W, 3), or a side is zero.
    """
    shape = pixels.shape
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) or 0 in shape:
        raise UsageError(f"Got pixels of shape {shape}; expected (H, W) or (H, W, 3), no side zero.")


MASK_STEPS = (
    # first: the ground is read in the corners
    step("trim", dark=8, bright=170, least=0.85, most=0.35, rounds=6),
    step("work_size", side=256),  # so that sizes in pixels mean the same for all
    step("clear_bright_ground", level=240, perimeter=0.12, ground=0),
    step("gaussian_blur", size=5),
    step("ground_threshold", corner=0.06, share=0.3, most=0.5, least=8),
    # before holes are filled, for which a frame would close a ring around the ground
    step("drop_bands", least=0.8, after=0.6, most=0.08),
    step("close", share=0.03),
    step("fill_holes"),  # before opening, which would take a thin skull around a dark brain
    step("open", share=0.08),
    step("largest_component"),
    step("plausible", least=0.08, aspect=2.5, fill=0.4),
)

CROP = step("crop", margin=0.0)

RECIPES: Mapping[str, Recipe] = {
    "none": Recipe("none"),
    # the crop of the published study and of many notebooks, kept to show what it cuts off
    "classical": Recipe(
        "classical",
        (
            step("grey"),
            step("gaussian_blur", size=5),
            step("threshold", level=45),
            step("erode", times=2),
            step("dilate", times=2),
            step("extreme_points"),
        ),
    ),
    "foreground": Recipe("foreground", (*MASK_STEPS, step("stretch", low=0.5, high=99.5), CROP)),
    "foreground-plain": Recipe("foreground-plain", (*MASK_STEPS, CROP)),
}


def get_recipe(name: str) -> Recipe:
    """Return a recipe of the catalogue.

    Raises:
        UnknownNameError: no recipe of that name; the nearest are named.

    >>> str(get_recipe("none"))
    'none: whole image'
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]
