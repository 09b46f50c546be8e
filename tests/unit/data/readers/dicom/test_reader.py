"""DICOM: stored numbers to what is shown, against the standard's formulas worked here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import processing

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image
from headtohead.data.readers.dicom.reader import window_of

Array = npt.NDArray[Any]
Maker = Callable[..., bytes]
SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


def shipped(name: str) -> bytes:
    return (SHIPPED / name).read_bytes()


def ramp(dtype: str = "uint16", shape: tuple[int, ...] = (5, 7)) -> Array:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def item(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


# ---- stored values to modality units ---------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32"])
def test_plain_numbers_stay_as_stored(dicom: Maker, dtype: str) -> None:
    pixels = ramp(dtype)
    pixels[0, 0] = np.iinfo(dtype).max
    pixels[0, 1] = np.iinfo(dtype).min
    image = read_image(dicom(pixels))
    assert image.pixels.dtype == np.dtype(dtype)
    assert np.array_equal(image.pixels, pixels)
    assert (image.format, image.mode, image.window) == ("DICOM", "MONOCHROME2", None)
    assert image.bit_depth == pixels.itemsize * 8


def test_numbers_without_a_type_of_the_house_are_converted_and_told(dicom: Maker) -> None:
    narrow = read_image(dicom(np.array([[-128, 127]], dtype=np.int8)))
    assert narrow.pixels.dtype == np.int16
    assert narrow.pixels.tolist() == [[-128, 127]]
    wide = read_image(dicom(np.array([[5, 2**32 - 1]], dtype=np.uint32)))
    assert wide.pixels.dtype == np.float32
    assert "Rounded to 32-bit floats." in wide.history


def test_whole_rescale_is_exact_and_not_clipped(dicom: Maker) -> None:
    pixels = np.array([[0, 1024, 4095]], dtype=np.uint16)
    image = read_image(dicom(pixels, BitsStored=12, HighBit=11, RescaleSlope="1", RescaleIntercept="-1024"))
    assert image.pixels.dtype == np.int16
    assert image.pixels.tolist() == [[-1024, 0, 3071]]
    assert image.bit_depth == 12
    assert image.history[0] == "Rescaled to modality units: value x 1 - 1024."
    full = read_image(dicom(np.array([[65535]], dtype=np.uint16), RescaleSlope="2", RescaleIntercept="-1"))
    assert full.pixels.tolist() == [[131069]]
    assert full.pixels.dtype == np.int32


def test_fractional_rescale_gives_floats(dicom: Maker) -> None:
    image = read_image(dicom(ramp(), RescaleSlope="0.25", RescaleIntercept="-3"))
    assert image.pixels.dtype == np.float32
    assert np.array_equal(image.pixels, ramp() * 0.25 - 3)


def test_a_rescale_that_flattens_everything_is_refused(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match="slope is 0"):
        read_image(dicom(ramp(), RescaleSlope="0", RescaleIntercept="5"))


def test_half_a_rescale_counts(dicom: Maker) -> None:
    assert np.array_equal(read_image(dicom(ramp(), RescaleIntercept="-5")).pixels, ramp("int32") - 5)
    assert np.array_equal(read_image(dicom(ramp(), RescaleSlope="3")).pixels, ramp("int32") * 3)
    with pytest.raises(UnreadableError, match="beyond 1e30"):
        read_image(dicom(ramp(), RescaleSlope="1e29"))


def test_meaningless_bits_do_not_reach_the_pixels(dicom: Maker) -> None:
    signed = np.array([[0x0FFF, 0x0800, 0x07FF, 0xF001]], dtype=np.uint16)
    image = read_image(dicom(signed, BitsStored=12, HighBit=11, PixelRepresentation=1))
    assert image.pixels.tolist() == [[-1, -2048, 2047, 1]]
    shifted = np.array([[0xABCD, 0x123F]], dtype=np.uint16)
    high = read_image(dicom(shifted, BitsStored=12, HighBit=15))
    assert high.pixels.tolist() == [[0xABC, 0x123]]


def test_numbers_beyond_the_stated_bits_do_not_wrap() -> None:
    """JPEG 2000 of 16 bits in a file that states 8: taken as they are, and told."""
    content = shipped("JPEG2000.dcm")
    dataset = pydicom.dcmread(io.BytesIO(content))
    whole = dataset.pixel_array
    dataset.BitsStored, dataset.HighBit = 4, 3
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    image = read_image(buffer.getvalue())
    assert image.pixels.dtype == np.int16
    assert np.array_equal(image.pixels, whole)
    assert any("beyond the 4 bits" in line for line in image.history)


# ---- VOI, window, MONOCHROME1 ---------------------------------------------------------------


def test_the_window_travels_and_is_not_applied(dicom: Maker) -> None:
    image = read_image(dicom(ramp(), WindowCenter=["40", "300"], WindowWidth=["400", "1500"]))
    assert np.array_equal(image.pixels, ramp())
    assert image.window == (-160.0, 239.0)
    assert "Display window kept, not applied: -160 to 239 (linear)." in image.history


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT"])
def test_window_bounds_agree_with_pydicoms_windowing(function: str) -> None:
    """Values at the bounds, and none inside, come out as black and white."""
    low, high = window_of(50.0, 81.0, function) or (0.0, 0.0)
    dataset = item(
        PhotometricInterpretation="MONOCHROME2", BitsStored=16, PixelRepresentation=1, VOILUTFunction=function,
        WindowCenter=50.0, WindowWidth=81.0,
    )  # fmt: skip
    values = np.array([low - 1, low, low + 0.5, high - 0.5, high, high + 1])
    shown = processing.apply_windowing(values, dataset)
    assert shown[0] == shown[1] == -32768
    assert shown[4] == pytest.approx(32767)
    assert shown[5] == 32767
    assert -32768 < shown[2] < shown[3] < 32767


def test_windows_that_cannot_be_used_are_told(dicom: Maker) -> None:
    image = read_image(dicom(ramp(), WindowCenter="40", WindowWidth="0"))
    assert image.window is None
    assert any("not usable" in line for line in image.history)
    assert window_of(10, 1) == (9.0, 10.0)
    assert window_of(10, 5, "CURVE") is None


def test_monochrome1_is_turned_with_its_window(dicom: Maker) -> None:
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    image = read_image(dicom(ramp(), **elements, WindowCenter="11", WindowWidth="21"))
    assert np.array_equal(image.pixels, 4095 - ramp())
    assert image.window == (4095 - 20.5, 4095 - 0.5)
    assert "MONOCHROME1 inverted: higher is brighter." in image.history
    rescaled = read_image(dicom(ramp(), **elements, RescaleSlope="1", RescaleIntercept="-100"))
    assert np.array_equal(rescaled.pixels, -100 + 3995 - (ramp().astype(int) - 100))


def test_monochrome1_equals_its_monochrome2_twin_on_the_screen(dicom: Maker) -> None:
    """The same window position shows the same grey: windowed images are each other's negative."""
    one = read_image(
        dicom(ramp(), PhotometricInterpretation="MONOCHROME1", WindowCenter="17", WindowWidth="20")
    )
    two = read_image(dicom(ramp(), WindowCenter="17", WindowWidth="20"))

    def shown(image: Any) -> Array:
        low, high = image.window
        shown: Array = np.clip((image.pixels.astype(float) - low) / (high - low), 0, 1)
        return shown

    assert shown(one) == pytest.approx(1 - shown(two))
