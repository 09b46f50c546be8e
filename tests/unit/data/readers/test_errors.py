"""Whatever a decoder raises becomes a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image
from headtohead.data.readers.errors import decoding_errors


def test_refused_lets_through_what_ends_the_program_and_reasons() -> None:
    class PanicError(BaseException):
        """Like a Rust panic, no Exception."""

    with pytest.raises(UnreadableError, match=r"no luck \(PanicError\)"), decoding_errors("no luck"):
        raise PanicError("quoted")
    with pytest.raises(KeyboardInterrupt), decoding_errors("no luck"):
        raise KeyboardInterrupt
    with pytest.raises(UnreadableError, match=r"^the reason$"), decoding_errors("no luck"):
        raise UnreadableError("the reason")


Array = npt.NDArray[Any]


Maker = Callable[..., bytes]


SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"


def shipped(name: str) -> bytes:
    return (SHIPPED / name).read_bytes()


def ramp(dtype: str = "uint16", shape: tuple[int, ...] = (5, 7)) -> Array:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("JPEG2000.dcm", "pylibjpeg-openjpeg"),
        ("MR_small_jpeg_ls_lossless.dcm", "pyjpegls"),
        ("SC_rgb_jpeg.dcm", "pillow"),
    ],
)
def test_a_missing_decoder_is_no_damage(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = SimpleNamespace(is_available=False)
    monkeypatch.setattr("headtohead.data.readers.dicom.decode.get_decoder", lambda syntax: absent)
    with pytest.raises(UnreadableError, match=f"decoder {package} is missing; install it with .pip install"):
        read_image(shipped(name))


def test_a_module_that_cannot_be_imported_is_no_damage(dicom: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*args: object, **kwargs: object) -> None:
        raise ModuleNotFoundError("No module named 'openjpeg'", name="openjpeg.utils")

    monkeypatch.setattr("headtohead.data.readers.dicom.reader.decode_frame", absent)
    with pytest.raises(UnreadableError, match="pip install pylibjpeg-openjpeg") as caught:
        read_image(dicom(ramp()))
    assert "gave up" not in str(caught.value)
