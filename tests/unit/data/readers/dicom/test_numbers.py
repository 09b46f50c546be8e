"""Numbers of DICOM elements as devices write them."""

from __future__ import annotations

import pytest

from headtohead.data.readers.dicom.parse import number


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("1,5", 1.5),
        ("-1024,5", -1024.5),
        ("1.5", 1.5),
        (["2,25", "3"], 2.25),
        ("1,5,2", None),
        ("x", None),
        ("", None),
    ],
)
def test_a_decimal_comma_is_read_as_a_point(value: object, meant: float | None) -> None:
    assert number(value) == meant
