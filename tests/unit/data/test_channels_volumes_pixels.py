"""Channels, volumes and sizes by option: what was chosen is read, said, and read again by a later step."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image as PillowImage

from headtohead.core.errors import HeadToHeadError, NoEffectError, UnreadableError, UsageError
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.readers import count_frames, read_image
from headtohead.data.readers.reading import Reading

Tree = Callable[[dict[str, bytes]], Path]
STACK = np.random.default_rng(0).integers(0, 4000, (12, 10, 5)).astype(np.uint16)
CHOSEN = Reading(channels=(4, 2, 0))


def tiff(array: npt.NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="minisblack", **options)
    return file.getvalue()


def npy(array: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


KINDS = {
    "samples": tiff(STACK, planarconfig="contig"),
    "planes": tiff(np.moveaxis(STACK, -1, 0), planarconfig="separate"),
    "pages": tiff(np.moveaxis(STACK, -1, 0), metadata={"axes": "CYX"}),
    "deflate": tiff(STACK, planarconfig="contig", compression="zlib"),
    "array": npy(STACK),
    "array, channels first": npy(np.moveaxis(STACK, -1, 0)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_three_channels_in_the_order_asked_for_and_one_as_grey(kind: str) -> None:
    content = KINDS[kind]
    image = read_image(content, reading=CHOSEN)
    assert np.array_equal(image.pixels, STACK[..., [4, 2, 0]])
    assert "Channels 4, 2, 0 of 5 taken (counted from 0)." in image.history
    assert np.array_equal(read_image(content, reading=Reading(channels=(3,))).pixels, STACK[..., 3])
    assert count_frames(content, reading=CHOSEN) == 1
    with pytest.raises(UnreadableError, match=r"channel 5 was requested; the file holds 5 \(0 to 4\)"):
        read_image(content, reading=Reading(channels=(5,)))


def test_without_the_option_it_is_named() -> None:
    with pytest.raises(UnreadableError, match=r"5 channels.*--channels 0,1,2"):
        read_image(KINDS["samples"])


def test_a_strip_that_unfolds_beyond_its_part_is_refused() -> None:
    content = KINDS["deflate"]
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page: Any = file.pages[0]
        start, length = page.dataoffsets[0], page.databytecounts[0]
    bomb = zlib.compress(bytes(1_000_000), 9)
    assert len(bomb) < length
    hostile = content[:start] + bomb + content[start + len(bomb) :]
    with pytest.raises(UnreadableError, match="unfolds to more"):
        read_image(hostile, reading=CHOSEN)
    with pytest.raises(UnreadableError, match="compressed as JPEG2000"):
        read_image(tiff(STACK, planarconfig="contig", compression="jpeg2000"), reading=CHOSEN)


def test_what_tifffile_logs_of_an_odd_tag_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    content = bytearray(KINDS["samples"])
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page: Any = file.pages[0]
        place = page.tags["ExtraSamples"].valueoffset
    content[place : place + 2] = b"\xff\xff"
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages[0]
        assert page.samplesperpixel == 5
    assert "EXTRASAMPLE" in caplog.text, "the damage is one that is logged"
    caplog.clear()
    assert np.array_equal(read_image(bytes(content), reading=CHOSEN).pixels, STACK[..., [4, 2, 0]])
    assert caplog.text == ""


def test_jpeg_2000_tiles_are_named() -> None:
    content = tiff(STACK[..., 0].astype(np.uint8), compression="jpeg2000")
    with pytest.raises(UnreadableError, match="JPEG 2000, which is not read in a TIFF; export"):
        read_image(content)


def test_channels_are_said_and_read_again(tree: Tree) -> None:
    files = {f"{c}/{i}.tif": tiff(STACK + i, planarconfig="contig") for c in "ab" for i in range(3)}
    data = load(str(tree(files)), LoadOptions(channels=(4, 2, 0)))
    assert "Channels 4, 2, 0 of 5 are read of 6 files." in data.notes
    again = type(data).from_frame(data.frame(), root=data.root, classes=data.classes, positive=data.positive)
    assert np.array_equal(again.read(again.samples[0]).pixels, STACK[..., [4, 2, 0]])


def test_an_option_without_effect_or_that_cannot_be_is_refused(
    tree: Tree, image: Callable[..., bytes]
) -> None:
    source = str(tree({f"{c}/{i}.png": image(i) for c in "ab" for i in range(3)}))
    with pytest.raises(NoEffectError, match="channels has no effect"):
        load(source, LoadOptions(channels=(0, 1, 2)))
    with pytest.raises(NoEffectError, match="volume=1 has no effect"):
        load(source, LoadOptions(volume=1))
    with pytest.raises(UsageError, match=r"expected one .* or three"):
        load(source, LoadOptions(channels=(0, 1)))


def test_the_volume_of_a_series_is_chosen_and_said(tree: Tree) -> None:
    voxels = np.random.default_rng(1).integers(0, 900, (6, 7, 4, 3)).astype(np.int16)
    volumes: Any = nib.Nifti1Image(voxels, np.eye(4))  # type: ignore[no-untyped-call]
    content = volumes.to_bytes()
    source = str(tree({f"{c}/{i}.nii": content for c in "ab" for i in range(2)}))
    first, third = load(source), load(source, LoadOptions(volume=2))
    assert any("volume 0 of each is read. To use another of up to 3: --volume N" in n for n in first.notes)
    assert any("volume 2 of each is read." in note for note in third.notes)
    for data, number in ((first, 0), (third, 2)):
        assert np.array_equal(
            np.sort(data.read(data.samples[0]).pixels, axis=None),
            np.sort(voxels[:, :, data.samples[0].frame, number], axis=None),
        )
    with pytest.raises(HeadToHeadError, match=r"volume 3 was requested; the file holds 3 volumes \(0 to 2\)"):
        load(source, LoadOptions(volume=3))
    with pytest.raises(UnreadableError, match="that volume 2 needs"):
        read_image(content[:-9], reading=Reading(volume=2))


def test_a_slide_is_read_under_a_raised_limit_and_at_a_level_under_a_lower_one(tree: Tree) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (80, 100), dtype=np.uint8)
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG")
    pyramid = io.BytesIO()
    with tifffile.TiffWriter(pyramid) as writer:
        writer.write(pixels, photometric="minisblack", tile=(32, 32))
        writer.write(pixels[::2, ::2], photometric="minisblack", tile=(32, 32))
    files = {f"{c}/{i}.png": file.getvalue() for c in "ab" for i in range(2)}
    source = str(tree(files | {f"{c}/s.svs": pyramid.getvalue() for c in "ab"}))
    data = load(source, LoadOptions(max_megapixels=0.004))
    assert sorted(s.path for s in data.samples) == ["a/s.svs", "b/s.svs"] and data.samples[0].width == 50
    assert data.read(data.samples[0]).size == (40, 50)
    assert all("--max-megapixels 1 raises it" in problem.reason for problem in data.problems)
    whole = load(source, LoadOptions(max_megapixels=0.009))
    assert len(whole) == 6 and {s.width for s in whole.samples} == {100}
