"""DICOM: every file that pydicom ships, against its own decoding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.pixels import processing
from pydicom.pixels.utils import pixel_array

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import count_frames, read_image

Array = npt.NDArray[Any]
Maker = Callable[..., bytes]
SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


FILES = sorted(path for path in SHIPPED.rglob("*") if path.is_file())
BROKEN = {"JPEG2000-embedded-sequence-delimiter.dcm", "MR_truncated.dcm", "badVR.dcm", "no_meta.dcm"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SHIPPED)))
def test_every_shipped_file_is_read_or_refused_with_a_reason(path: Path) -> None:
    content = path.read_bytes()
    try:
        reference = pydicom.dcmread(path).pixel_array
    except Exception:  # noqa: BLE001 - whatever pydicom cannot show either
        reference = None
    try:
        image = read_image(content)
    except UnreadableError as error:
        assert len(str(error)) > 20
        assert reference is None, "pydicom can show it, and it was refused"
        assert path.suffix not in (".dcm",) or "pixel" in str(error) or path.name in BROKEN | {
            "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm",
        }  # fmt: skip
    else:
        assert path.name not in BROKEN
        assert image.pixels.dtype in (np.uint8, np.uint16, np.int16, np.int32, np.float32)
        assert image.pixels.ndim == 2 or image.pixels.shape[2:] == (3,)
        assert count_frames(content) >= 1


def reference_of(path: Path) -> Array | None:
    """Work the grey or colour values out again, with pydicom's functions, in 64-bit floats."""
    dataset = pydicom.dcmread(path)
    try:
        stored = pixel_array(dataset, index=0)
    except Exception:  # noqa: BLE001 - not an image, or no decoder
        return None
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return np.asarray(processing.apply_color_lut(stored, dataset))
    values = np.asarray(processing.apply_modality_lut(stored, dataset), dtype=np.float64)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
        values = (2**dataset.BitsStored - 1) * slope + 2 * intercept - values
    return values


IMAGES = [path for path in FILES if path.suffix == ".dcm" or "dicomdirtests" in path.parts]


def test_the_values_of_all_shipped_images() -> None:
    compared = 0
    for path in IMAGES:
        try:
            expected = reference_of(path)
        except Exception:  # noqa: BLE001 - pydicom does not parse it
            expected = None
        if expected is None:
            continue
        pixels = read_image(path.read_bytes()).pixels
        assert pixels.shape == expected.shape, path.name
        assert np.allclose(pixels, expected, rtol=1e-6, atol=0), path.name
        compared += 1
    assert compared >= 85
