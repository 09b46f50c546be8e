"""Limits by name: as stated, else the default, and refused where they are no number."""

from __future__ import annotations

import pytest

from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.core.safety.limits import ENVIRONMENT, LIMITS, limit, parse_limits, raise_hint


def test_the_environment_states_some_and_the_others_keep_their_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ENVIRONMENT, " pixels = 1_000 ,,frames=2,")
    assert limit("pixels") == 1000 and limit("frames") == 2
    assert limit("voxels") == LIMITS["voxels"][0]
    monkeypatch.setenv(ENVIRONMENT, "pixels=7")
    assert limit("pixels") == 7 and limit("frames") == LIMITS["frames"][0], "no earlier text is remembered"
    monkeypatch.delenv(ENVIRONMENT)
    assert limit("pixels") == LIMITS["pixels"][0]


def test_the_last_of_two_statements_holds() -> None:
    assert parse_limits("pixels=1,pixels=2") == {"pixels": 2}
    assert parse_limits("") == {}


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "1e9", "٣", "²", "x", "1" * 19, "_", "0x10", "1 2"])
def test_other_numbers_are_refused(number: str) -> None:
    with pytest.raises(UsageError, match=r"The limit pixels is .*expected a whole number above 0"):
        parse_limits(f"pixels={number}")


def test_the_largest_number_is_one_that_64_bits_hold() -> None:
    assert parse_limits("pixels=" + "9" * 18) == {"pixels": 10**18 - 1}


def test_a_number_is_not_needed_to_name_an_unknown_limit() -> None:
    with pytest.raises(UnknownNameError, match="Unknown limit 'pixel'; did you mean 'pixels'"):
        parse_limits("pixel=1")
    with pytest.raises(UsageError, match="The limit pixels is ''"):
        parse_limits("pixels")


def test_the_hint_shows_the_limit_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "table-rows=1234567")
    assert raise_hint("table-rows") == "the limit is 1,234,567 (--limit table-rows=NUMBER raises it)"


def test_every_default_passes_as_a_statement() -> None:
    text = ",".join(f"{name}={number}" for name, (number, _) in LIMITS.items())
    assert parse_limits(text) == {name: number for name, (number, _) in LIMITS.items()}
