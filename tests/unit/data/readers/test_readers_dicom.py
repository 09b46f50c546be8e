"""DICOM: values against pydicom's own decoding and against the standard's formulas worked here."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import processing
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, count_frames, read_image, sniff
from headtohead.data.readers.dicom import window_of
from headtohead.data.readers.streams import stream_shape

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


def table(start: int, bits: int, values: Any, *, count: int | None = None, kind: str = "OW") -> Sequence:
    """A lookup table as one-item sequence; its data as words (OW) or as numbers (US)."""
    made = Dataset()
    made.add_new(0x00283002, "US" if start >= 0 else "SS", [count or len(values), start, bits])
    data = np.asarray(values, dtype=np.uint16)
    made.add_new(0x00283006, kind, data.tobytes() if kind == "OW" else data.tolist())
    made.ModalityLUTType = "US"
    return Sequence([made])


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


@pytest.mark.parametrize("kind", ["OW", "US"])
def test_modality_table_replaces_rescale(dicom: Maker, kind: str) -> None:
    pixels = np.array([[0, 10, 11, 12, 13, 14, 60]], dtype=np.uint16)
    image = read_image(dicom(pixels, ModalityLUTSequence=table(10, 16, [100, 200, 300, 400], kind=kind)))
    assert image.pixels.tolist() == [[100, 100, 200, 300, 400, 400, 400]]
    assert "Modality lookup table applied." in image.history


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


def test_monochrome1_is_turned_with_its_window(dicom: Maker) -> None:
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    image = read_image(dicom(ramp(), **elements, WindowCenter="11", WindowWidth="21"))
    assert np.array_equal(image.pixels, 4095 - ramp())
    assert image.window == (4095 - 20.5, 4095 - 0.5)
    assert "MONOCHROME1 inverted: higher is brighter." in image.history
    rescaled = read_image(dicom(ramp(), **elements, RescaleSlope="1", RescaleIntercept="-100"))
    assert np.array_equal(rescaled.pixels, -100 + 3995 - (ramp().astype(int) - 100))


def test_monochrome1_equals_its_monochrome2_twin_on_the_screen(dicom: Maker) -> None:
    """The same window position shows the same grey: windowed pictures are each other's negative."""
    one = read_image(
        dicom(ramp(), PhotometricInterpretation="MONOCHROME1", WindowCenter="17", WindowWidth="20")
    )
    two = read_image(dicom(ramp(), WindowCenter="17", WindowWidth="20"))

    def shown(image: Any) -> Array:
        low, high = image.window
        shown: Array = np.clip((image.pixels.astype(float) - low) / (high - low), 0, 1)
        return shown

    assert shown(one) == pytest.approx(1 - shown(two))


# ---- layouts ---------------------------------------------------------------------------------


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
    with pytest.raises(UnreadableError, match="unfolds beyond the 8 entries"):
        read_image(dicom(np.zeros((1, 8), np.uint8), **elements))


def test_frames_of_a_file(dicom: Maker) -> None:
    volume = ramp("uint16", (4, 5, 6))
    content = dicom(volume)
    assert count_frames(content) == 4
    for i in range(4):
        assert np.array_equal(read_image(content, frame=i).pixels, volume[i])
    assert read_image(content).history == ("The file holds 4 frames; the first was taken.",)
    with pytest.raises(UnreadableError, match=r"frame 4 was asked for; the file holds 4 frames \(0 to 3\)"):
        read_image(content, frame=4)
    with pytest.raises(UnreadableError, match=r"limit is 3 \(Limits.frames\)"):
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


# ---- encodings -------------------------------------------------------------------------------


def test_no_preamble(dicom: Maker) -> None:
    content = dicom(ramp(), bare=True)
    assert content[:2] == b"\x08\x00"
    assert sniff(content) == "DICOM"
    assert np.array_equal(read_image(content).pixels, ramp())


def test_deflated(dicom: Maker) -> None:
    content = dicom(ramp(), syntax=DeflatedExplicitVRLittleEndian)
    image = read_image(content)
    assert np.array_equal(image.pixels, ramp())
    assert image.facts["transfer_syntax"] == "Deflated Explicit VR Little Endian"
    with pytest.raises(UnreadableError):
        read_image(content[:-20] + b"\xff" * 20)


def test_a_deflate_bomb_is_refused(dicom: Maker) -> None:
    content = dicom(ramp(), syntax=DeflatedExplicitVRLittleEndian)
    body = pydicom.dcmread(SHIPPED / "image_dfl.dcm")
    assert body.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    meta_end = content.index(b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    (group_length,) = np.frombuffer(content[140:144], "<u4")
    start = 144 + int(group_length)
    assert meta_end < start
    with pytest.raises(UnreadableError, match="decompression bomb"):
        read_image(content[:start] + bomb)
    with pytest.raises(UnreadableError, match=r"limit is 1,000,000 \(raise Limits.unfolded"):
        read_image(content[:start] + bomb, limits=Limits(unfolded=1_000_000))


def test_dual_tiff_and_dicom_files_are_dicom() -> None:
    content = shipped("CT_small.dcm")
    assert content[:4] == b"II*\0"
    assert read_image(content).format == "DICOM"


@pytest.mark.parametrize("colour", [False, True])
def test_rle(dicom: Maker, colour: bool) -> None:
    pixels = ramp("uint8", (9, 11, 3)) if colour else ramp("uint16", (9, 11))
    dataset = pydicom.dcmread(io.BytesIO(dicom(pixels)))
    dataset.compress(RLELossless)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert np.array_equal(read_image(buffer.getvalue()).pixels, pixels)


def test_a_stream_that_disagrees_with_the_header_is_refused() -> None:
    content = shipped("JPEG2000.dcm")
    place = content.index(b"\xff\x4f\xff\x51") + 8
    claim = (60_000).to_bytes(4, "big")
    bomb = content[:place] + claim + claim + content[place + 8 :]
    with pytest.raises(
        UnreadableError, match=r"stream claims \(rows, columns, samples\) \(60000, 60000, 1\)"
    ):
        read_image(bomb)


@pytest.mark.parametrize(
    ("stream", "shape"),
    [
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x0b\x08\0\x10\0\x20\x03" + bytes(20), (16, 32, 3, 8)),
        (b"\xff\xd8\xff\xf7\0\x0b\x0c\0\x01\0\x02\x01" + bytes(20), (1, 2, 1, 12)),
        (b"\xff\xd8\xff\xe0\0\x04ab", None),
        (b"nothing", None),
        (b"", None),
    ],
)
def test_what_streams_claim(stream: bytes, shape: tuple[int, ...] | None) -> None:
    assert stream_shape(stream) == shape


def test_claims_are_checked_before_memory_is_asked_for(dicom: Maker) -> None:
    with pytest.raises(UnreadableError, match="65535 x 65535"):
        read_image(dicom(ramp(), Rows=65535, Columns=65535))
    with pytest.raises(UnreadableError, match="truncated: 70 bytes of the 20,000"):
        read_image(dicom(ramp(), Rows=100, Columns=100))
    with pytest.raises(UnreadableError, match="Rows is missing"):
        read_image(dicom(ramp(), Rows=None))
    with pytest.raises(UnreadableError, match="bits do not fit"):
        read_image(dicom(ramp(), BitsStored=17))
    with pytest.raises(UnreadableError, match="holds no pixel data"):
        read_image(shipped("rtplan.dcm"))


# ---- every file that pydicom ships -----------------------------------------------------------

FILES = sorted(path for path in SHIPPED.rglob("*") if path.is_file())
NO_DECODER = {"JPEG-lossy.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm"}
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
        assert path.suffix not in (".dcm",) or "pixel" in str(error) or path.name in NO_DECODER | BROKEN | {
            "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm",
        }  # fmt: skip
    else:
        assert path.name not in NO_DECODER | BROKEN
        assert image.pixels.dtype in (np.uint8, np.uint16, np.int16, np.int32, np.float32)
        assert image.pixels.ndim == 2 or image.pixels.shape[2:] == (3,)
        assert count_frames(content) >= 1


def reference_of(path: Path) -> Array | None:
    """Work the grey or colour values out again, with pydicom's functions, in 64-bit floats."""
    dataset = pydicom.dcmread(path)
    try:
        stored = pixel_array(dataset, index=0)
    except Exception:  # noqa: BLE001 - not a picture, or no decoder
        return None
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return np.asarray(processing.apply_color_lut(stored, dataset))
    values = np.asarray(processing.apply_modality_lut(stored, dataset), dtype=np.float64)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
        values = (2**dataset.BitsStored - 1) * slope + 2 * intercept - values
    return values


PICTURES = [path for path in FILES if path.suffix == ".dcm" or "dicomdirtests" in path.parts]


def test_the_values_of_all_shipped_pictures() -> None:
    compared = 0
    for path in PICTURES:
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
