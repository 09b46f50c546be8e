"""libtiff's errors are raised as reasons and not printed."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image

Array = npt.NDArray[Any]


Maker = Callable[..., bytes]


def scene(height: int = 33, width: int = 47) -> Array:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def damaged_tiff(saved: Maker, compression: str) -> bytes:
    grey = PIL.Image.fromarray(scene(64, 64)[..., 0])
    image = grey.convert("1") if compression.startswith("group") else grey
    content = bytearray(saved(image, "TIFF", compression=compression))
    content[60:90] = b"\x13" * 30
    return bytes(content)


@pytest.mark.parametrize(
    ("compression", "words"),
    [("group4", "Fax4Decode: "), ("tiff_lzw", "damaged"), ("tiff_adobe_deflate", "ZIPDecode: ")],
)
def test_libtiff_is_heard_and_not_printed(
    saved: Maker, compression: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fax page with unknown code words comes back from the decoder as if it were whole."""
    for _ in range(2):
        with pytest.raises(UnreadableError, match=words):
            read_image(damaged_tiff(saved, compression))
    assert capfd.readouterr() == ("", "")


def test_threads_hear_their_own_file_alone(saved: Maker, capfd: pytest.CaptureFixture[str]) -> None:
    sound = saved(PIL.Image.fromarray(scene(64, 64)[..., 0]).convert("1"), "TIFF", compression="group4")
    files = [sound, damaged_tiff(saved, "group4")] * 40

    def outcome(content: bytes) -> bool:
        try:
            read_image(content)
        except UnreadableError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(outcome, files)) == [True, False] * 40
    assert capfd.readouterr() == ("", "")


def test_the_handler_of_others_is_put_back(saved: Maker, capfd: pytest.CaptureFixture[str]) -> None:
    content = damaged_tiff(saved, "group4")
    with pytest.raises(UnreadableError):
        read_image(content)
    PIL.Image.open(io.BytesIO(content)).load()
    assert "Fax4Decode" in capfd.readouterr().err


def test_a_libtiff_out_of_reach_changes_nothing(saved: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headtohead.data.readers.raster.libtiff_errors._error_handler", lambda: None)
    assert read_image(saved(scene(), "TIFF", compression="tiff_lzw")).pixels.shape == scene().shape
    with pytest.raises(UnreadableError, match="truncated or damaged"):
        read_image(damaged_tiff(saved, "tiff_adobe_deflate"))
