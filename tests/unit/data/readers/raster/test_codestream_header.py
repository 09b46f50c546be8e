"""What compressed streams claim of themselves."""

from __future__ import annotations

import pytest

from headtohead.data.readers.raster.codestream_header import codestream_shape


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
    assert codestream_shape(stream) == shape
