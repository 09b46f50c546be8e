"""Augmentation with chance apart from action: `sample_params` draws numbers, `apply_params` is a pure function of them.

Drawn for each epoch and sample from `rng_for(seed, epoch, sample)`, so that what a sample becomes
depends neither on the number of workers nor on the order of the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UsageError
from headtohead.preprocess.augmentation_presets import (
    COLOUR,
    OPERATIONS,
    PRESETS,
    Border,
    Preset,
    RandomOp,
    get_preset,
)

__all__ = [
    "PRESETS",
    "AugmentationParams",
    "Preset",
    "apply_params",
    "get_preset",
    "rng_for",
    "sample_params",
]

Pixels = npt.NDArray[np.float32]

# Pillow's ImageFilter.SMOOTH, which the study's sharpness step uses.
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
# Optical density of haematoxylin, eosin and DAB in red, green and blue (Ruifrok and Johnston 2001), one row each.
_STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
_DARKEST = np.float32(1e-3)  # of a pixel whose logarithm is taken


@dataclass(frozen=True, slots=True)
class AugmentationParams:
    """What was drawn for one sample; all that `apply_params` needs besides the pixels.

    Attributes:
        values: (name, number) of each augmentation to apply, in the order of `OPERATIONS`;
            `shift` is drawn as two numbers, "shift" (down) and "shift_right".
        place: (down, right) in [0, 1), where an erased rectangle lies.
        seed: of the noise and of the smooth fields.
        border: what lies outside the image.
    """

    values: tuple[tuple[str, float], ...] = ()
    place: tuple[float, float] = (0.0, 0.0)
    seed: int = 0
    border: Border = "black"


def rng_for(seed: int, epoch: int, sample: str) -> np.random.Generator:
    """Return the generator of one sample in one epoch (Philox, keyed by a hash of the three).

    >>> float(rng_for(0, 3, "a").random()) == float(rng_for(0, 3, "a").random())
    True
    """
    key = hashlib.sha256(f"{seed}\0{epoch}\0{sample}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "big")))  # its key has 128 bits


def sample_params(preset: Preset, rng: np.random.Generator) -> AugmentationParams:
    """Draw one augmentation.

    Args:
        preset: from `get_preset`.
        rng: from `rng_for`.
    """
    chosen = {i.name: i for i in preset.ingredients}
    values: list[tuple[str, float]] = []
    for name in OPERATIONS:
        if name not in COLOUR:
            values += _drawn(name, chosen.get(name), rng)
    down, right = rng.random(2)
    seed = int(rng.integers(2**63))
    # last, so that the draws of presets without them are what they were before there were any
    for name in COLOUR:
        values += _drawn(name, chosen.get(name), rng)
    return AugmentationParams(tuple(values), (float(down), float(right)), seed, preset.border)


def _drawn(name: str, ingredient: RandomOp | None, rng: np.random.Generator) -> list[tuple[str, float]]:
    """Return the numbers of one augmentation; always three draws, whether it is applied or not."""
    # one operation more or less changes no other's draw
    chance, first, second = rng.random(3)
    if ingredient is None or chance >= ingredient.probability:
        return []
    width = ingredient.high - ingredient.low
    if name == "quarter_turn":
        return [(name, float(ingredient.low + int(first * (width + 1))))]
    found = [(name, float(ingredient.low + first * width))]
    return [*found, ("shift_right", float(ingredient.low + second * width))] if name == "shift" else found


def apply_params(drawn: AugmentationParams, pixels: Pixels) -> Pixels:
    """Return the pixels after what was drawn; the input is not changed.

    All moves and bends are one interpolation; flips and quarter turns need none.

    Args:
        drawn: from `sample_params`.
        pixels: float32 in [0, 1], (H, W) or (H, W, 3).

    Returns:
        Pixels of the same shape and range.

    Raises:
        UsageError: pixels of another type or shape.
    """
    if pixels.dtype != np.float32 or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise UsageError(
            f"Got {pixels.dtype} of shape {pixels.shape}; augmentation expects float32 (H, W) or (H, W, 3)."
        )
    if not drawn.values:
        return pixels.copy()
    values = dict(drawn.values)
    rng = np.random.Generator(np.random.Philox(key=drawn.seed))
    if values.keys() & set(COLOUR) and _is_coloured(pixels):
        pixels = _colour(pixels, values, drawn.seed)
    out = _move(_tone(pixels, values, rng), values, rng, drawn.border)
    out = np.clip(_focus(out, values, rng), 0, 1)
    if "erase" in values:
        _erase(out, values["erase"], drawn.place)
    return np.ascontiguousarray(out, dtype=np.float32)


def _move(pixels: Pixels, values: Mapping[str, float], rng: np.random.Generator, border: Border) -> Pixels:
    out = pixels
    if "flip" in values:
        out = out[:, ::-1]
    if "flip_vertical" in values:
        out = out[::-1]
    if "quarter_turn" in values:
        turned = np.rot90(out, int(values["quarter_turn"]))
        # a quarter turn would change the shape of what is not square; half a turn does not
        out = turned if turned.shape == out.shape else out[::-1, ::-1]
    out = np.ascontiguousarray(out)
    if not values.keys() & {"rotate", "shift", "scale", "elastic"}:
        return out
    height, width = out.shape[:2]
    mode = cv2.BORDER_CONSTANT if border == "black" else cv2.BORDER_REFLECT_101
    # what lies outside is black ground, which brightness may have lifted: no wedge shows
    outside = [float(_level(np.zeros((1, 1), np.float32), values)[0, 0])] * 3
    matrix = _matrix(values, height, width)
    if "elastic" not in values:
        moved = cv2.warpAffine(
            out, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=outside
        )
        return np.asarray(moved, np.float32)
    back = cv2.invertAffineTransform(matrix).astype(np.float32)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reach = values["elastic"] * min(height, width)
    map_x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2] + reach * _field(rng, height, width)
    map_y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2] + reach * _field(rng, height, width)
    moved = cv2.remap(out, map_x, map_y, cv2.INTER_LINEAR, borderMode=mode, borderValue=outside)
    return np.asarray(moved, np.float32)


def _matrix(values: Mapping[str, float], height: int, width: int) -> npt.NDArray[np.float64]:
    """Return the (2, 3) matrix that turns and enlarges about the centre, then shifts."""
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = np.asarray(
        cv2.getRotationMatrix2D(centre, values.get("rotate", 0.0), values.get("scale", 1.0)), np.float64
    )
    matrix[:, 2] += values.get("shift_right", 0.0) * width, values.get("shift", 0.0) * height
    return matrix


def _field(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """Return a smooth field in [-1, 1]: 5 x 5 numbers, enlarged by cubic interpolation."""
    coarse = rng.uniform(-1, 1, (5, 5)).astype(np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(fine, -1, 1), np.float32)


def _level(pixels: Pixels, values: Mapping[str, float]) -> Pixels:
    """Apply what depends on a pixel's own value alone: contrast, brightness, gamma."""
    out = pixels
    if "contrast" in values or "brightness" in values:
        factor = np.float32(values.get("contrast", 1.0))
        offset = np.float32(0.5 - 0.5 * float(factor) + values.get("brightness", 0.0))
        out = np.clip(out * factor + offset, 0, 1)
    if "gamma" in values:
        out = np.asarray(cv2.pow(out, values["gamma"]), np.float32).reshape(pixels.shape)
    return out


def _tone(pixels: Pixels, values: Mapping[str, float], rng: np.random.Generator) -> Pixels:
    out = _level(pixels, values)
    if "bias_field" in values:
        # twice, since such a field has a standard deviation of about a half
        shade = np.exp(values["bias_field"] * 2 * _field(rng, *out.shape[:2]))
        out = np.clip(out * (shade if out.ndim == 2 else shade[..., None]), 0, 1)
    return np.asarray(out, np.float32)


def _is_coloured(pixels: Pixels) -> bool:
    return pixels.ndim == 3 and float(np.ptp(pixels, axis=2).max()) > 0


def _colour(pixels: Pixels, values: Mapping[str, float], seed: int) -> Pixels:
    """Turn and stretch colours about grey; make each stain stronger or weaker (Tellez et al. 2018)."""
    out = pixels
    if "saturation" in values or "hue" in values:
        angle = np.deg2rad(values.get("hue", 0.0))
        # a turn about the grey axis, by Rodrigues' formula, with the luma kept
        cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
        turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) / 3
        grey = (out @ _LUMA)[..., None]
        apart = (out - grey) @ (values.get("saturation", 1.0) * turn.T).astype(np.float32)
        out = np.clip(grey + apart - (apart @ _LUMA)[..., None], 0, 1)
    if "stain" in values:
        rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
        amounts = rng.uniform(1 - values["stain"], 1 + values["stain"], 3)
        change = np.linalg.inv(_STAINS) @ np.diag(amounts) @ _STAINS
        density = -np.log(np.maximum(out, _DARKEST))
        out = np.clip(np.exp(-(density @ change.astype(np.float32))), 0, 1)
    return np.asarray(out, np.float32)


def _focus(pixels: Pixels, values: Mapping[str, float], rng: np.random.Generator) -> Pixels:
    out = pixels
    if "sharpness" in values:
        smooth = np.asarray(cv2.filter2D(out, -1, _SMOOTH), np.float32)
        out = smooth + np.float32(values["sharpness"]) * (out - smooth)
    if "blur" in values:
        sigma = values["blur"] * min(out.shape[:2]) / 224
        # OpenCV refuses a sigma of 0 where the kernel's size is left to it
        out = np.asarray(cv2.GaussianBlur(np.ascontiguousarray(out), (0, 0), max(sigma, 0.1)), np.float32)
    if "noise" in values:
        grain = rng.standard_normal(out.shape, dtype=np.float32)
        out = out + np.float32(values["noise"]) * grain
    return out


def _erase(pixels: Pixels, area: float, place: tuple[float, float]) -> None:
    """Set a rectangle of a share `area` to mid-grey, in place."""
    height, width = pixels.shape[:2]
    tall, broad = max(1, round(height * area**0.5)), max(1, round(width * area**0.5))
    top, left = int(place[0] * (height - tall + 1)), int(place[1] * (width - broad + 1))
    pixels[top : top + tall, left : left + broad] = 0.5
