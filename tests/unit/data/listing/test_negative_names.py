"""Which of two class names says that nothing was found, in any spelling and either order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.data.listing.negative_names import as_number, is_negative_word, negative_of

WORDS = st.text(st.characters(categories=("L", "N"), max_codepoint=0x24F), min_size=1, max_size=8)


@given(first=WORDS, second=WORDS)
def test_the_order_of_two_names_plays_no_part(first: str, second: str) -> None:
    assert negative_of(first, second)[0] == negative_of(second, first)[0] or first == second


@given(
    word=st.sampled_from(["tumor", "lesion", "Befund", "carie"]),
    upper=st.booleans(),
    mark=st.sampled_from("_- ."),
)
def test_a_denial_is_negative_in_every_spelling(word: str, upper: bool, mark: str) -> None:
    for denial in (f"no{mark}{word}", f"non{word}", f"{word}{mark}free", f"{word}-neg", f"kein{mark}{word}"):
        names = [name.upper() if upper else name for name in (denial, word)]
        assert negative_of(*names) == (names[0], f"{names[0]!r} reads as the negative class")


@pytest.mark.parametrize(
    ("name", "negative"),
    [
        ("Unauffällig", True), ("UNAUFFALLIG", True), ("sağlıklı", True), ("łagodny", True), ("saudável", True),
        ("HC", True), ("NoTumor", True), ("normal_scan", True), ("abnormal", False), ("nodule", False),
        ("notch", False), ("negation", False), ("hcc", False), ("", False), ("__", False),
    ],
)  # fmt: skip
def test_words_count_whole_and_without_accents(name: str, negative: bool) -> None:
    assert is_negative_word(name) == negative


@pytest.mark.parametrize(
    ("first", "second", "negative"),
    [
        ("0", "1", "0"), ("-1", "1", "-1"), ("0", "2", "0"), ("0,0", "0,5", "0,0"), ("-2", "-1", None),
        ("0", "-1", None), ("1", "2", None), ("\N{MINUS SIGN}1", "3", "\N{MINUS SIGN}1"),
    ],
)  # fmt: skip
def test_of_two_numbers_the_one_that_is_not_above_zero_is_negative(
    first: str, second: str, negative: str | None
) -> None:
    found, why = negative_of(first, second)
    assert found == negative
    assert why == (
        f"of the numbers {first} and {second} the larger one, by convention"
        if negative
        else "two numbers on one side of 0 do not say which one is negative"
    )


def test_a_number_beside_a_word_is_read_as_a_word() -> None:
    assert negative_of("0", "tumor")[0] == "0"
    assert negative_of("1", "tumor") == (None, "neither name reads as negative")
    assert negative_of("no", "normal") == (None, "both names read as negative")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 7 ", 7.0),
        ("+1", 1.0),
        ("1.50", 1.5),
        ("1,5", 1.5),
        ("1e3", None),
        ("1.", None),
        (".5", None),
        ("", None),
    ],
)
def test_a_name_is_a_number_where_it_is_nothing_else(text: str, number: float | None) -> None:
    assert as_number(text) == number


@pytest.mark.parametrize(
    ("negative", "positive"),
    [("ER-", "ER+"), ("er-", "ER+"), ("her2neg", "her2pos"), ("unhealed", "healed"), ("tumorfrei", "tumor")],
)
def test_signs_and_endings_deny_the_same_stem(negative: str, positive: str) -> None:
    assert negative_of(negative, positive)[0] == negative


def test_a_sign_or_ending_of_another_stem_denies_nothing() -> None:
    assert negative_of("ER-", "PR+")[0] is None
    assert negative_of("her2neg", "erpos")[0] is None
