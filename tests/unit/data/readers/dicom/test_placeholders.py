"""Patient ids that name nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.data.readers.dicom.placeholders import is_placeholder


@pytest.mark.parametrize(
    "value", ["", " ", "-", "0", "0000", "xXx", "ANON", "Anonymous^", "un known", "N/A", "no-id"]
)
def test_placeholders(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["1", "P0", "ANON-0031", "x1", "anonymous7", "Ümit", "患者12"])
def test_ids_that_tell_patients_apart(value: str) -> None:
    assert not is_placeholder(value)


@given(number=st.integers(1, 10**12), prefix=st.sampled_from(["", "ANON", "patient ", "x"]))
def test_a_number_makes_any_word_an_id(number: int, prefix: str) -> None:
    assert not is_placeholder(f"{prefix}{number}")
