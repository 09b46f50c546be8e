"""What is taken of a file is kept as text and read back; numbers that cannot be are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.errors import UsageError
from headtohead.data.readers.limits import DEFAULT_LIMITS
from headtohead.data.readers.reading import AS_STORED, Reading

CHANNELS = st.one_of(st.just(()), st.tuples(st.integers(0, 50)), st.tuples(*[st.integers(0, 50)] * 3))


@settings(max_examples=30)
@given(st.none() | st.integers(0, 99), CHANNELS, st.none() | st.floats(0.01, 1e4))
def test_what_was_stated_survives_as_text(
    volume: int | None, channels: tuple[int, ...], most: float | None
) -> None:
    reading = Reading(volume, channels, most)
    assert Reading.parse(reading.text()) == reading
    assert (reading.text() == "") == (reading == AS_STORED)


def test_the_first_volume_asked_for_is_not_the_same_as_none() -> None:
    assert Reading(volume=0).text() == '{"volume": 0}' and Reading.parse("") == AS_STORED


@pytest.mark.parametrize(
    ("channels", "volume", "words"),
    [
        ((0, 1), None, "Got the channels 0,1; expected one"),
        ((0, 1, 2, 3), None, "Got the channels 0,1,2,3"),
        ((-1,), None, "Got the channels -1"),
        ((0, -1, 2), None, "counted from 0"),
        ((), -1, "Got volume -1; volumes are counted from 0"),
    ],
)
def test_what_cannot_be_is_refused(channels: tuple[int, ...], volume: int | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Reading(volume, channels)


def test_megapixels_are_millions_of_pixels() -> None:
    assert AS_STORED.within(DEFAULT_LIMITS) is DEFAULT_LIMITS
    found = Reading(max_megapixels=1.5).within(DEFAULT_LIMITS)
    assert found.pixels == 1_500_000 and found.bytes == DEFAULT_LIMITS.bytes
    assert Reading(max_megapixels=1e-9).within(DEFAULT_LIMITS).pixels == 1
