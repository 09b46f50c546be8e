"""Read one frame of a DICOM file, in modality units, higher is brighter.

The order is the standard's (PS3.3 C.11, PS3.4 N.2): stored numbers -> modality table or rescale (CT:
Hounsfield units) -> VOI table if there is one -> MONOCHROME1 inverted so that higher is brighter. A
window is *not* applied: it travels in `Image.window`, and the recipe decides. Presentation states,
overlays, ICC profiles, dose scaling and the makers' private scalings are not applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers.arrays import fill_non_finite, is_grey_as_rgb, narrow, narrowed
from headtohead.data.readers.dicom.decode import Layout, decode_frame, layout_of
from headtohead.data.readers.dicom.lookup_tables import apply_palette, lookup_table
from headtohead.data.readers.dicom.metadata import facts_of, spacing_of
from headtohead.data.readers.dicom.parse import Dataset, first, from_groups, get, number, open_dataset
from headtohead.data.readers.limits import Limits

__all__ = ["count_dicom", "read_dicom", "size_dicom"]

Array = npt.NDArray[Any]
Notes = tuple[str, ...]
_TRANSFORM = "PixelValueTransformationSequence"
_VOI = "FrameVOILUTSequence"


@dataclass(frozen=True, slots=True)
class GreyPixels:
    """Grey values with the range that they can take and the display window."""

    pixels: Array
    low: float
    high: float
    window: tuple[float, float] | None = None


def read_dicom(content: bytes, *, frame: int | None, limits: Limits, salt: bytes) -> Image:
    """Read one frame of a DICOM file.

    Args:
        content: the whole file, with or without preamble.
        frame: from 0; None for the first.
        limits: how much the file may ask for.
        salt: for the hashed ids in `facts` ("patient", "series").

    Returns:
        Grey (H, W) in modality units, or RGB (H, W, 3). No name, date, id, UID or private element of
        the file is in it.

    Raises:
        UnreadableError: no image in it, damaged, beyond the limits, or no decoder for it.
    """
    dataset = open_dataset(content, limits)
    layout = layout_of(dataset, limits)
    index = frame or 0
    stored, photometric = decode_frame(dataset, layout, index)
    facts = facts_of(dataset, salt)
    spacing, spacing_notes = spacing_of(dataset, index)
    frame_notes = _frame_notes(frame, layout.frames)
    if stored.ndim == 3 or photometric == "PALETTE COLOR":
        pixels, depth, notes = _colour(dataset, stored, layout, photometric)
        window = None
        if is_grey_as_rgb(pixels):
            facts["grey_as_rgb"] = "yes"
    else:
        grey, notes = _grey(dataset, stored, layout, index)
        pixels, window, depth = grey.pixels, grey.window, layout.stored
    history = (*frame_notes, *notes, *spacing_notes, *_ignored_notes(dataset))
    mode = facts["photometric"] or "not stated"
    return Image(pixels, depth, mode, "DICOM", spacing, history, facts, window)


def count_dicom(content: bytes, *, limits: Limits) -> int:
    """Return the number of frames.

    Raises:
        UnreadableError: no image in it, or beyond the limits.
    """
    return layout_of(open_dataset(content, limits), limits).frames


def size_dicom(content: bytes, *, limits: Limits) -> tuple[int, int]:
    """Return the (height, width) that the header claims.

    Raises:
        UnreadableError: no image in it, or beyond the limits.
    """
    layout = layout_of(open_dataset(content, limits), limits)
    return layout.rows, layout.columns


def _frame_notes(frame: int | None, frames: int) -> Notes:
    if frames == 1:
        return ()
    if frame is None:
        return (f"The file holds {frames} frames; the first was taken.",)
    return (f"Frame {frame} of {frames} taken (counted from 0).",)


def _ignored_notes(dataset: Dataset) -> Notes:
    overlays = sum(1 for i in range(16) if (0x6000 + 2 * i, 0x0010) in dataset)
    notes = [f"{overlays} overlay plane{'s' if overlays > 1 else ''} ignored."] if overlays else []
    if get(dataset, "PixelPaddingValue") is not None:
        notes.append("A padding value marks pixels outside the image; they are left as stored.")
    return tuple(notes)


def _colour(dataset: Dataset, stored: Array, layout: Layout, photometric: str) -> tuple[Array, int, Notes]:
    if photometric == "PALETTE COLOR":
        pixels, depth = apply_palette(stored, dataset, little=_is_little(dataset), signed=layout.signed)
        return pixels, depth, ("Palette looked up: RGB.",)
    if photometric != "RGB":
        raise UnreadableError(
            "its colours are stored in a way that is not read (neither RGB, YBR nor palette)"
        )
    low, high, beyond = _range(stored, layout)
    pixels, rounded = narrowed(stored, low, high)
    notes = (*beyond, *rounded)
    if layout.photometric != "RGB":
        notes = ("YBR colours converted to RGB.", *notes)
    return pixels, layout.stored, notes


def _grey(dataset: Dataset, stored: Array, layout: Layout, index: int) -> tuple[GreyPixels, Notes]:
    if layout.photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnreadableError(
            "it has one sample per pixel but is neither MONOCHROME1, MONOCHROME2 nor palette"
        )
    grey, notes = _modality(dataset, stored, layout, index)
    pixels, repair_notes = fill_non_finite(grey.pixels)
    grey = GreyPixels(pixels, grey.low, grey.high, grey.window)
    grey, display_notes = _display(dataset, grey, index)
    notes = (*notes, *repair_notes, *display_notes)
    if layout.photometric == "MONOCHROME1":
        grey = _inverted(grey)
        notes = (*notes, "MONOCHROME1 inverted: higher is brighter.")
    return grey, notes


def _range(stored: Array, layout: Layout) -> tuple[int, int, Notes]:
    """Return the range that the stored numbers can take: of the stated bits, if they keep to them."""
    low, high = layout.value_range
    if low <= int(stored.min()) and int(stored.max()) <= high:
        return low, high, ()
    info = np.iinfo(stored.dtype)
    return (
        int(info.min),
        int(info.max),
        (f"Pixels go beyond the {layout.stored} bits stated: taken as they are.",),
    )


def _floats(stored: Array) -> tuple[Array, Notes]:
    notes = ("64-bit floats rounded to 32 bits.",) if stored.dtype.itemsize > 4 else ()
    return stored.astype(np.float32), notes


def _modality(dataset: Dataset, stored: Array, layout: Layout, index: int) -> tuple[GreyPixels, Notes]:
    """Turn stored numbers into modality units: by table, by rescale, or as they are."""
    if stored.dtype.kind == "f":
        pixels, notes = _floats(stored)
        return GreyPixels(pixels, *_span(pixels)), ("Float pixels, taken as they are.", *notes)
    low, high, beyond = _range(stored, layout)
    if layout.allocated == 1:
        return GreyPixels(stored.astype(np.uint8), 0, 1, (0.0, 1.0)), (
            "1 bit per pixel: delivered as 0 and 1.",
        )
    item = first(from_groups(dataset, index, _TRANSFORM, "ModalityLUTSequence"))
    if item is not None:
        table = lookup_table(item, little=_is_little(dataset), signed=layout.signed)
        return GreyPixels(table.apply(stored), 0, (1 << table.bits) - 1), ("Modality lookup table applied.",)
    slope = number(from_groups(dataset, index, _TRANSFORM, "RescaleSlope"))
    intercept = number(from_groups(dataset, index, _TRANSFORM, "RescaleIntercept"))
    slope, intercept = 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
    if (slope, intercept) == (1, 0):
        pixels, rounded = narrowed(stored, low, high)
        return GreyPixels(pixels, low, high), (*beyond, *rounded)
    grey, notes = _rescaled(stored, low, high, slope, intercept)
    return grey, (*beyond, *notes)


def _rescaled(stored: Array, low: int, high: int, slope: float, intercept: float) -> tuple[GreyPixels, Notes]:
    bottom, top = sorted((low * slope + intercept, high * slope + intercept))
    if slope == 0:
        raise UnreadableError("its rescale slope is 0, which would make every pixel equal")
    if max(-bottom, top) > 1e30:
        raise UnreadableError("its rescale slope or intercept leads to numbers beyond 1e30: damaged")
    sign = "-" if intercept < 0 else "+"
    notes = (f"Rescaled to modality units: value x {slope:g} {sign} {abs(intercept):g}.",)
    if slope == int(slope) and intercept == int(intercept) and max(-bottom, top) < 1 << 31:
        whole = stored.astype(np.int64) * int(slope) + int(intercept)
        return GreyPixels(narrow(whole, bottom, top), bottom, top), notes
    return GreyPixels((stored.astype(np.float64) * slope + intercept).astype(np.float32), bottom, top), notes


def _display(dataset: Dataset, grey: GreyPixels, index: int) -> tuple[GreyPixels, Notes]:
    """Apply a VOI table if there is one; else note the window that the file asks for."""
    item = first(from_groups(dataset, index, _VOI, "VOILUTSequence"))
    if item is not None:
        table = lookup_table(item, little=_is_little(dataset), signed=grey.low < 0)
        return GreyPixels(table.apply(grey.pixels), 0, (1 << table.bits) - 1), (
            "VOI lookup table applied; no window.",
        )
    centre = number(from_groups(dataset, index, _VOI, "WindowCenter"))
    width = number(from_groups(dataset, index, _VOI, "WindowWidth"))
    if centre is None or width is None:
        return grey, ()
    function = str(first(from_groups(dataset, index, _VOI, "VOILUTFunction")) or "LINEAR").strip().upper()
    window = window_of(centre, width, function)
    if window is None:
        return grey, (
            "The file's display window is not usable (its width is too small or its function unknown).",
        )
    words = "sigmoid, taken as its straight part" if function == "SIGMOID" else function.lower()
    note = f"Display window kept, not applied: {window[0]:g} to {window[1]:g} ({words})."
    return GreyPixels(grey.pixels, grey.low, grey.high, window), (note,)


def window_of(centre: float, width: float, function: str = "LINEAR") -> tuple[float, float] | None:
    """Return (low, high): values up to low are black, from high on white; None for an unusable window.

    Source: DICOM PS3.3 C.11.2.1.2 (LINEAR has its half-pixel corrections), C.11.2.1.3. A width of 1
    makes LINEAR a threshold: low and high are then one step apart.

    >>> window_of(40, 400), window_of(40, 400, "LINEAR_EXACT")
    ((-160.0, 239.0), (-160.0, 240.0))
    """
    if function == "LINEAR" and width >= 1:
        half = (width - 1) / 2
        return (centre - 0.5 - half, centre - 0.5 + half) if half else (centre - 1.0, float(centre))
    if function in ("LINEAR_EXACT", "SIGMOID") and width > 0:
        return centre - width / 2, centre + width / 2
    return None


def _inverted(grey: GreyPixels) -> GreyPixels:
    """Invert values and window within the range that they can take."""
    total = grey.low + grey.high
    if grey.pixels.dtype.kind == "f":
        pixels = (total - grey.pixels.astype(np.float64)).astype(np.float32)
    else:
        pixels = (int(total) - grey.pixels.astype(np.int64)).astype(grey.pixels.dtype)
    window = None if grey.window is None else (total - grey.window[1], total - grey.window[0])
    return GreyPixels(pixels, grey.low, grey.high, window)


def _span(pixels: Array) -> tuple[float, float]:
    finite = pixels[np.isfinite(pixels)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _is_little(dataset: Dataset) -> bool:
    return bool(dataset.original_encoding[1])
