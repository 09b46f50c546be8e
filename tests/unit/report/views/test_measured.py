"""Numbers beside images: in the unit of their check."""

from __future__ import annotations

import pytest

from headtohead.report.views.measured import measured


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("H2H112", -31.0, "31"), ("H2H129", 2.0, "2"), ("H2H115", 0.65432, "0.654"), ("H2H114", 0.123, "12 %"),
        ("H2H126", 0.305, "30 %"), ("H2H120", 0.00021, "0.02 %"), ("H2H121", 0.0105, "1.05 %"), ("H2H111", 1.0, ""),
        ("H2H999", 1.0, ""),
    ],
)  # fmt: skip
def test_a_number_is_written_as_its_check_measures_it(code: str, value: float, text: str) -> None:
    assert measured(code, value) == text
