"""Every reader: a cut file gives an image or a reason, and reading twice gives the same pixels."""

from __future__ import annotations

import functools
import importlib.util
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.listing.ingest import pixel_hash
from headtohead.data.readers import count_frames, read_image, sniff

FUZZER = Path(__file__).parents[2] / "benchmarks" / "fuzz_readers.py"
KINDS = {
    "PNG",
    "JPEG",
    "TIFF",
    "BMP",
    "WEBP",
    "GIF",
    "JPEG2000",
    "PNM",
    "DICOM",
    "NIFTI",
    "NPY",
    "MAT",
    "HDF5",
    "NRRD",
    "METAIMAGE",
    "MGH",
    "AVIF",
}


@functools.cache
def sound_files() -> dict[str, bytes]:
    """Small sound files of every kind that is read."""
    spec = importlib.util.spec_from_file_location("fuzz_for_contract", FUZZER)
    assert spec is not None and spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    files: dict[str, bytes] = fuzz.make_corpus()
    return {name: content for name, content in files.items() if not name.startswith("pydicom/")}


NAMES = sorted(sound_files())


def test_every_kind_is_in_the_corpus() -> None:
    assert {sniff(content) for content in sound_files().values()} == KINDS


@pytest.mark.parametrize("name", NAMES)
def test_reading_twice_gives_the_same_pixels(name: str) -> None:
    content = sound_files()[name]
    first, second = read_image(content), read_image(content)
    assert pixel_hash(first) == pixel_hash(second)
    assert first.pixels is not second.pixels and not first.pixels.flags.writeable


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_is_an_image_or_explained(name: str, data: st.DataObject) -> None:
    content = sound_files()[name]
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    for job in (read_image, count_frames):
        try:
            result = job(cut)
        except UnreadableError as error:
            assert len(str(error)) > 10
        else:
            assert (isinstance(result, Image) and result.pixels.size) or (isinstance(result, int) and result)


def test_an_exception_of_a_library_becomes_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a library's exception inside a reader."""

    def leaky(*_: object, **__: object) -> Image:
        raise io.UnsupportedOperation("library")

    monkeypatch.setattr("headtohead.data.readers.raster.reader.read_raster", leaky)
    png = next(content for content in sound_files().values() if sniff(content) == "PNG")
    with pytest.raises(UnreadableError, match="UnsupportedOperation"):
        read_image(png)
