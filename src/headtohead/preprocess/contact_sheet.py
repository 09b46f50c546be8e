"""Contact sheets for eyes: images before and after a recipe, and under augmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box, Image
from headtohead.preprocess import steps
from headtohead.preprocess.augmentation import apply_params, rng_for, sample_params
from headtohead.preprocess.augmentation_presets import Preset
from headtohead.preprocess.recipe import Recipe

__all__ = ["Drawing", "SheetRow", "augmented_page", "pages", "png", "row"]

Canvas = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Drawing = Callable[[np.random.Generator, Floats], tuple[Floats, Sequence[tuple[str, float]]]]
"""Draws from the generator; returns the changed pixels and (name, number) of all that was drawn."""

CELL = 190  # pixels: six images in a row of a wide page
CAPTION = 48  # pixels: three lines of text
_GROUND, _INK, _BOX = (38, 38, 38), (225, 225, 225), (60, 220, 60)
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.36
_CHARACTERS = 60  # that fit under two cells


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One image's line in the table and place on a sheet.

    Attributes:
        path: as the data set names it.
        box: the part that is kept, in the image's own pixels.
        kept: its share of the image's area.
        history: what was done.
        cell: (H, W, 3) RGB drawing: before with the box, after, caption.
    """

    path: str
    box: Box
    kept: float
    history: tuple[str, ...]
    cell: Canvas


def row(path: str, image: Image, recipe: Recipe) -> SheetRow:
    """Apply a recipe to one image and draw it before and after.

    Args:
        path: the caption's first line.
        image: the whole image.
        recipe: what is shown.
    """
    done = recipe.apply(image)
    before = _rgb(steps.to_unit(image.pixels, image.window)[0])
    height, width = image.size
    cell = np.full((CELL + CAPTION, 2 * CELL + 6, 3), _GROUND, np.uint8)
    small, scale = _fit(before)
    corners = [round(v * scale) for v in (done.box.left, done.box.top, done.box.right, done.box.bottom)]
    cv2.rectangle(small, (corners[0], corners[1]), (corners[2] - 1, corners[3] - 1), _BOX, 1)
    _put(cell, small, 0)
    _put(cell, _fit(_rgb(done.pixels))[0], CELL + 3)
    kept = done.box.area / (height * width)
    added = done.history[len(image.history) :]
    caption = f"{height} x {width}, {100 * kept:.0f} % kept"
    _write(cell, [path[-_CHARACTERS:], caption, *(added[-1:])], CELL + 12)
    return SheetRow(path, done.box, kept, added, cell)


def pages(cells: Iterable[Canvas], columns: int = 4, rows: int = 6) -> Iterator[Canvas]:
    """Yield sheets of `columns` x `rows` cells of equal size, as RGB images, as they fill."""
    source = iter(cells)
    while part := list(islice(source, columns * rows)):
        height, width = part[0].shape[:2]
        deep = -(-len(part) // columns)
        sheet = np.full((deep * (height + 8), columns * (width + 8), 3), _GROUND, np.uint8)
        for k, cell in enumerate(part):
            top, left = k // columns * (height + 8) + 4, k % columns * (width + 8) + 4
            sheet[top : top + height, left : left + width] = cell
        yield sheet


def augmented_page(
    images: Sequence[tuple[str, Floats]], preset: Preset | Drawing, *, draws: int = 7, seed: int = 0
) -> Canvas:
    """Return a sheet with one line an image: as it is, then `draws` epochs of a preset.

    Args:
        images: (name, pixels in [0, 1]) after the recipe.
        preset: from `get_preset`, or what draws, applies and tells in its stead.
        draws: number of epochs shown.
        seed: as a training would be given.
    """
    drawing = _drawing(preset) if isinstance(preset, Preset) else preset
    cells: list[Canvas] = []
    for name, pixels in images:
        plain = np.asarray(cv2.resize(pixels, (224, 224), interpolation=cv2.INTER_AREA), np.float32)
        cells.append(_captioned(plain, [name[-28:], "as it is"]))
        for epoch in range(draws):
            changed, values = drawing(rng_for(seed, epoch, name), plain)
            said = [f"{key} {value:.2g}" for key, value in values]
            lines = [", ".join(said[k : k + 2]) for k in range(0, len(said), 2)]
            cells.append(_captioned(changed, lines or ["nothing drawn"]))
    return next(pages(cells, columns=draws + 1, rows=max(1, len(images))))


def _drawing(preset: Preset) -> Drawing:
    def shown(rng: np.random.Generator, pixels: Floats) -> tuple[Floats, Sequence[tuple[str, float]]]:
        drawn = sample_params(preset, rng)
        return apply_params(drawn, pixels), drawn.values

    return shown


def png(canvas: Canvas) -> bytes:
    """Return an RGB image as PNG bytes."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR))[1].tobytes())


def _captioned(pixels: Floats, lines: Sequence[str]) -> Canvas:
    cell = np.full((CELL + 62, CELL, 3), _GROUND, np.uint8)
    _put(cell, _fit(_rgb(pixels))[0], 0)
    _write(cell, lines[:4], CELL + 12)
    return cell


def _rgb(pixels: Floats) -> Canvas:
    whole = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return whole if whole.ndim == 3 else np.repeat(whole[..., None], 3, axis=2)


def _fit(source: Canvas) -> tuple[Canvas, float]:
    """Return the image with its longer side CELL pixels long, and the scale."""
    height, width = source.shape[:2]
    scale = CELL / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(source, size, interpolation=how), np.uint8), scale


def _put(cell: Canvas, source: Canvas, left: int) -> None:
    cell[: source.shape[0], left : left + source.shape[1]] = source


def _write(cell: Canvas, lines: Sequence[str], top: int) -> None:
    for k, line in enumerate(lines):
        plain = line.encode("ascii", "replace").decode()  # OpenCV's fonts have no other letters
        cv2.putText(cell, plain, (2, top + 13 * k), _FONT, _SIZE, _INK, 1, cv2.LINE_AA)
