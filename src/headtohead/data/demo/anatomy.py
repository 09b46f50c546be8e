"""Synthetic heads: tissue maps of the MNI152 template, cut and warped to one per subject."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.optional import require

__all__ = [
    "PLANES",
    "PLANE_SHARES",
    "SIDE",
    "HeadPhantom",
    "Template",
    "draw_head",
    "load_template",
    "smooth_noise",
]

Floats = npt.NDArray[np.float32]
Field = tuple[Floats, Floats, Floats]

SIDE = 240
"""Pixels along a side of the drawing canvas, 1 mm each."""

PLANES = ("axial", "coronal", "sagittal")
PLANE_SHARES = (0.74, 0.15, 0.11)  # axial, coronal, sagittal: mostly axial, as in public sets
# Slice positions in mm from the template's centre of mass, within which the brain is well seen.
_REACH = {"axial": (-14.0, 34.0), "coronal": (-40.0, 32.0), "sagittal": (6.0, 34.0)}


@dataclass(frozen=True, slots=True)
class Template:
    """Grey matter, white matter and brain mask at 1 mm, (X, Y, Z) with X to the right, Y forward, Z up."""

    grey: Floats
    white: Floats
    brain: Floats
    centre: tuple[float, float, float]


@functools.cache
def load_template() -> Template:
    """Return the tissue maps that nilearn ships (MNI ICBM152 2009a).

    Raises:
        MissingExtraError: nilearn is not installed.
    """
    datasets = require("nilearn.datasets", "demo", "make the synthetic demonstration images")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        volumes = [
            np.asarray(load(resolution=1).dataobj, np.float32)
            for load in (
                datasets.load_mni152_gm_template,
                datasets.load_mni152_wm_template,
                datasets.load_mni152_brain_mask,
            )
        ]
    grey, white, brain = volumes
    x, y, z = (float(places.mean()) for places in np.nonzero(brain > 0.5))
    return Template(grey, white, brain, (x, y, z))


def smooth_noise(rng: np.random.Generator, sigma: float, shape: tuple[int, int] = (SIDE, SIDE)) -> Floats:
    """Return Gaussian noise smoothed over `sigma` pixels, mean 0, standard deviation 1."""
    import cv2

    # broad noise is drawn on a coarser grid and enlarged, since a wide kernel costs far more
    factor = max(1, int(sigma / 3))
    small = (shape[0] // factor + 8, shape[1] // factor + 8)
    noise: Floats = rng.standard_normal(small).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma / factor), np.float32)
    if factor > 1:
        size = (small[1] * factor, small[0] * factor)
        noise = np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.float32)
    noise = noise[: shape[0], : shape[1]]
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


@dataclass(frozen=True, slots=True)
class HeadPhantom:
    """One subject's slice.

    Attributes:
        plane: "axial", "coronal" or "sagittal".
        grey, white, fluid: tissue shares in [0, 1], (SIDE, SIDE); they sum to the brain mask.
        skull, scalp: masks in [0, 1] around the brain.
    """

    plane: str
    grey: Floats
    white: Floats
    fluid: Floats
    skull: Floats
    scalp: Floats

    @property
    def brain(self) -> Floats:
        """Where the brain is, in [0, 1]."""
        return self.grey + self.white + self.fluid


def draw_field(rng: np.random.Generator, plane: str) -> Field:
    """Return the template coordinates (x, y, z) that each canvas pixel of a new subject shows.

    A slice position, a tilt, a size and two scales of smooth displacement, through the plane too,
    so that two subjects at the same position still differ everywhere.
    """
    low, high = _REACH[plane]
    tilt = np.deg2rad(rng.uniform(-9, 9, 2))
    turn = np.deg2rad(rng.uniform(-12, 12))
    size = rng.uniform(0.9, 1.1, 2)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32) - (SIDE - 1) / 2
    rows, columns = rows - rng.uniform(-4, 4), columns - rng.uniform(-4, 4)
    moved = [4.5 * smooth_noise(rng, 26) + 1.7 * smooth_noise(rng, 9) for _ in range(3)]
    right = (columns * np.cos(turn) + rows * np.sin(turn)) * size[0] + moved[0]
    up = (columns * np.sin(turn) - rows * np.cos(turn)) * size[1] + moved[1]
    if rng.random() < 0.5:
        right = -right
    through = rng.uniform(low, high) + np.sin(tilt[0]) * right + np.sin(tilt[1]) * up + 1.6 * moved[2]
    # (right, up) on the canvas are (x, y) of an axial, (x, z) of a coronal and (y, z) of a sagittal slice
    if plane == "axial":
        return right, up, through
    return (right, through, up) if plane == "coronal" else (through, right, up)


def displace(field: Field, centre: tuple[float, float], radius: float, strength: float) -> Field:
    """Return the field with what lies at `centre` pressed outwards, as a growing mass does.

    Sampling at c + (p - c) (1 - s exp(-(|p - c| / 2r)^2)) moves the content near c away from it.

    Args:
        centre: (row, column) on the canvas.
        radius: of the mass, in pixels.
        strength: s, 0 (nothing) to below 1.
    """
    import cv2

    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    down, across = rows - centre[0], columns - centre[1]
    keep = 1 - strength * np.exp(-(down**2 + across**2) / (2 * radius) ** 2)
    map_x, map_y = (
        (centre[1] + across * keep).astype(np.float32),
        (centre[0] + down * keep).astype(np.float32),
    )
    x, y, z = (
        np.asarray(cv2.remap(np.asarray(f, np.float32), map_x, map_y, cv2.INTER_LINEAR), np.float32)
        for f in field
    )
    return x, y, z


def _sample(volume: Floats, coordinates: npt.NDArray[np.float32]) -> Floats:
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(volume, coordinates, order=1, mode="constant"), np.float32)


def draw_head(
    rng: np.random.Generator, template: Template, plane: str, field: Field, atrophy: float
) -> HeadPhantom:
    """Return a subject's tissues along a field.

    The template is a mean of 152 brains and so is blurred; noise of the size of folds is added to the
    tissue shares before they are sharpened, which gives each subject folds of its own.

    Args:
        atrophy: 0 to 1, how much fluid gains against tissue.
    """
    x, y, z = template.centre
    coordinates = np.stack([field[0] + x, field[1] + y, field[2] + z]).astype(np.float32)
    grey, white, brain = (_sample(v, coordinates) for v in (template.grey, template.white, template.brain))
    fluid = np.clip(brain - grey - white, 0, 1)
    folds = [smooth_noise(rng, 2.0) + 0.7 * smooth_noise(rng, 4.5) for _ in range(2)]
    scores = np.stack(
        # where grey matter gains, fluid gives way
        [grey + 0.10 * folds[0], white + 0.05 * folds[1], fluid + 0.16 * atrophy - 0.10 * folds[0]]
    )
    weights = np.exp(9 * (scores - scores.max(axis=0)))  # softmax; the maximum is taken off against overflow
    grey, white, fluid = weights / weights.sum(axis=0) * (brain > 0.5)
    skull, scalp = _shell(rng, brain)
    return HeadPhantom(plane, *(np.asarray(m, np.float32) for m in (grey, white, fluid, skull, scalp)))


def _shell(rng: np.random.Generator, brain: Floats) -> tuple[Floats, Floats]:
    """Return bone and scalp as soft masks around a brain; the template itself has none."""
    import cv2

    size = 15
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
    # closing fills the furrows, which a skull does not follow
    smooth = cv2.morphologyEx((brain > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    outside = cv2.distanceTransform(1 - smooth, cv2.DIST_L2, 5)
    bone = rng.uniform(4, 9) + 1.0 * smooth_noise(rng, 20)
    skin = rng.uniform(3, 7) + 1.2 * smooth_noise(rng, 25)
    gap = 1.5  # mm between brain and bone

    def within(low: Floats | float, high: Floats) -> Floats:
        return np.asarray(np.clip(outside - low, 0, 1) * np.clip(high - outside, 0, 1), np.float32)

    return within(gap, gap + bone), within(gap + bone, gap + bone + np.maximum(skin, 1.5))
