"""Palettes and lookup tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import processing
from pydicom.sequence import Sequence

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image

Array = npt.NDArray[Any]


Maker = Callable[..., bytes]


SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


def shipped(name: str) -> bytes:
    return (SHIPPED / name).read_bytes()


def palette(first: int, bits: int, tables: Array) -> dict[str, Any]:
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [len(table), first, bits]
        elements[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    return elements


def test_palette_with_first_entry_and_clipping(dicom: Maker) -> None:
    tables = np.array([[10, 20, 30, 40], [11, 21, 31, 41], [12, 22, 32, 42]], dtype=np.uint16) * 100
    image = read_image(dicom(np.array([[0, 5, 6, 99]], dtype=np.uint8), **palette(4, 16, tables)))
    assert image.pixels.tolist() == [
        [[1000, 1100, 1200], [2000, 2100, 2200], [3000, 3100, 3200], [4000, 4100, 4200]]
    ]
    assert (image.mode, image.bit_depth) == ("PALETTE COLOR", 16)


def test_palettes_agree_with_pydicom() -> None:
    for name in ("examples_palette.dcm",):
        dataset = pydicom.dcmread(SHIPPED / name)
        expected = processing.apply_color_lut(dataset.pixel_array, dataset)
        assert np.array_equal(read_image(shipped(name)).pixels, expected)


def test_segmented_palettes(dicom: Maker) -> None:
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    segments = np.array([0, 2, 5, 10, 1, 4, 50, 0, 2, 7, 8], dtype=np.uint16)  # 5 10, line to 50, 7 8
    for name in ("Red", "Green", "Blue"):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [8, 0, 16]
        elements[f"Segmented{name}PaletteColorLookupTableData"] = segments.tobytes()
    image = read_image(dicom(np.arange(8, dtype=np.uint8).reshape(1, 8), **elements))
    assert image.pixels[0, :, 0].tolist() == [5, 10, 20, 30, 40, 50, 7, 8]
    bomb = np.array([0, 1, 5] + [1, 65535, 9] * 40, dtype=np.uint16)
    elements["SegmentedRedPaletteColorLookupTableData"] = bomb.tobytes()
    with pytest.raises(UnreadableError, match="expands beyond the 8 entries"):
        read_image(dicom(np.zeros((1, 8), np.uint8), **elements))


def ramp(dtype: str = "uint16", shape: tuple[int, ...] = (5, 7)) -> Array:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def table(start: int, bits: int, values: Any, *, count: int | None = None, kind: str = "OW") -> Sequence:
    """A lookup table as one-item sequence; its data as words (OW) or as numbers (US)."""
    made = Dataset()
    made.add_new(0x00283002, "US" if start >= 0 else "SS", [count or len(values), start, bits])
    data = np.asarray(values, dtype=np.uint16)
    made.add_new(0x00283006, kind, data.tobytes() if kind == "OW" else data.tolist())
    made.ModalityLUTType = "US"
    return Sequence([made])


@pytest.mark.parametrize("kind", ["OW", "US"])
def test_modality_table_replaces_rescale(dicom: Maker, kind: str) -> None:
    pixels = np.array([[0, 10, 11, 12, 13, 14, 60]], dtype=np.uint16)
    image = read_image(dicom(pixels, ModalityLUTSequence=table(10, 16, [100, 200, 300, 400], kind=kind)))
    assert image.pixels.tolist() == [[100, 100, 200, 300, 400, 400, 400]]
    assert "Modality lookup table applied." in image.history


def test_voi_table_is_applied_and_replaces_the_window(dicom: Maker) -> None:
    data = (np.arange(35) ** 2).astype(int).tolist()
    image = read_image(dicom(ramp(), VOILUTSequence=table(0, 12, data), WindowCenter="3", WindowWidth="4"))
    assert np.array_equal(image.pixels, ramp().astype(int) ** 2)
    assert image.window is None
    assert "VOI lookup table applied; no window." in image.history


@pytest.mark.parametrize("start", [-1, 65535])
def test_voi_table_starting_below_zero(dicom: Maker, start: int) -> None:
    pixels = np.array([[-5, -1, 0, 1, 5]], dtype=np.int16)
    content = dicom(pixels, VOILUTSequence=table(start, 8, [7, 8, 9], kind="US"))
    assert read_image(content).pixels.tolist() == [[7, 7, 8, 9, 9]]


def test_a_short_table_is_refused(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match="holds 3 entries where it claims 300"):
        read_image(dicom(ramp(), VOILUTSequence=table(0, 12, [1, 2, 3], count=300)))
