"""DICOM: bits, colours, palettes, frames and spacing, as the standard lays them out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, count_frames, read_image

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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_pixel_data(dicom: Maker, dtype: str) -> None:
    pixels = (ramp("float64") / 7).astype(dtype)
    pixels[0, 0] = np.nan
    image = read_image(dicom(pixels))
    assert image.pixels.dtype == np.float32
    assert image.pixels[0, 0] == image.pixels[0, 1]
    assert np.array_equal(image.pixels[1:], pixels[1:].astype(np.float32))
    assert any("1 NaN" in line for line in image.history)


def test_one_bit_segmentation(dicom: Maker) -> None:
    mask = ramp("uint8", (16, 16)) % 3 == 0
    packed = np.packbits(mask.ravel(), bitorder="little")
    content = dicom(
        packed.reshape(2, 16),
        Rows=16,
        Columns=16,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=packed.tobytes(),
    )
    image = read_image(content)
    assert np.array_equal(image.pixels, mask)
    assert (image.bit_depth, image.window) == (1, (0.0, 1.0))


def test_planes_and_pixels_give_the_same_colours(dicom: Maker) -> None:
    colours = ramp("uint8", (4, 6, 3))
    planes = np.moveaxis(colours, -1, 0).tobytes()
    by_pixel, by_plane = dicom(colours), dicom(colours, PlanarConfiguration=1, PixelData=planes)
    assert np.array_equal(read_image(by_pixel).pixels, colours)
    assert np.array_equal(read_image(by_plane).pixels, colours)


def test_ybr_full_by_the_standards_formula(dicom: Maker, rng: np.random.Generator) -> None:
    """PS3.3 C.7.6.3.1.2: R = Y + 1.402 (Cr - 128), …"""
    ybr = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    y, blue, red = (ybr[..., i].astype(float) for i in range(3))
    expected = np.stack(
        [
            y + 1.402 * (red - 128),
            y - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
            y + 1.772 * (blue - 128),
        ],
        axis=-1,
    )
    image = read_image(dicom(ybr, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(image.pixels - np.clip(expected, 0, 255)).max() <= 1
    assert image.history == ("YBR colours converted to RGB.",)
    assert image.mode == "YBR_FULL"


def test_frames_of_a_file(dicom: Maker) -> None:
    volume = ramp("uint16", (4, 5, 6))
    content = dicom(volume)
    assert count_frames(content) == 4
    for i in range(4):
        assert np.array_equal(read_image(content, frame=i).pixels, volume[i])
    assert read_image(content).history == ("The file holds 4 frames; the first was taken.",)
    with pytest.raises(UnreadableError, match=r"frame 4 was requested; the file holds 4 frames \(0 to 3\)"):
        read_image(content, frame=4)
    with pytest.raises(UnreadableError, match=r"limit is 3 \(--limit frames"):
        count_frames(content, limits=Limits(frames=3))


@pytest.mark.parametrize("name", ["examples_ybr_color.dcm", "SC_rgb_rle_2frame.dcm", "rtdose_rle.dcm"])
def test_frames_of_compressed_files(name: str) -> None:
    content = shipped(name)
    n = count_frames(content)
    for i in (0, n // 2, n - 1):
        expected = pixel_array(pydicom.dcmread(SHIPPED / name), index=i)
        assert np.array_equal(read_image(content, frame=i).pixels, expected)


def test_enhanced_files_keep_facts_per_frame(dicom: Maker) -> None:
    shared = item(PixelMeasuresSequence=Sequence([item(PixelSpacing=["0.5", "0.75"])]))
    frames = [
        item(
            PixelValueTransformationSequence=Sequence(
                [item(RescaleSlope="1", RescaleIntercept=str(-10 * i))]
            ),
            FrameVOILUTSequence=Sequence([item(WindowCenter=str(100 + i), WindowWidth="11")]),
        )
        for i in range(3)
    ]
    content = dicom(
        ramp("uint8", (3, 4, 5)),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
    )
    image = read_image(content, frame=2)
    assert np.array_equal(image.pixels, ramp("int16", (3, 4, 5))[2] - 20)
    assert image.spacing_mm == (0.5, 0.75)
    assert image.window == (96.5, 106.5)


def test_spacing_prefers_the_patient_over_the_detector(dicom: Maker) -> None:
    both = read_image(dicom(ramp(), PixelSpacing=["0.4", "0.3"], ImagerPixelSpacing=["0.5", "0.5"]))
    assert both.spacing_mm == (0.4, 0.3)
    detector = read_image(dicom(ramp(), ImagerPixelSpacing=["0.5", "0.6"]))
    assert detector.spacing_mm == (0.5, 0.6)
    assert any("ImagerPixelSpacing" in line for line in detector.history)
    assert read_image(dicom(ramp(), PixelSpacing=["0", "-1"])).spacing_mm is None


def test_overlays_are_told(dicom: Maker) -> None:
    dataset = pydicom.dcmread(SHIPPED / "examples_overlay.dcm")
    assert (0x6000, 0x3000) in dataset
    assert "1 overlay plane ignored." in read_image(shipped("examples_overlay.dcm")).history


def test_a_file_that_does_not_say_whether_low_is_dark_is_refused(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match=r"PhotometricInterpretation is missing.*MONOCHROME2"):
        read_image(dicom(ramp(), PhotometricInterpretation=""))
