"""The order of classes and the positive one of two."""

from __future__ import annotations

import re
import shlex

import pytest

from headtohead.core.errors import (
    InsufficientDataError,
    NoEffectError,
    UnknownNameError,
    UsageError,
)
from headtohead.data.listing.class_order import choose_classes, natural_key, need_positive


@pytest.mark.parametrize(
    ("names", "positive"),
    [
        (("yes", "no"), "yes"),
        (("malignant", "benign"), "malignant"),
        (("NORMAL", "PNEUMONIA"), "PNEUMONIA"),
        (("0", "1"), "1"),
        (("notumor", "tumor"), "tumor"),
        (("No_Finding", "Edema"), "Edema"),
        (("covid-negative", "covid-positive"), "covid-positive"),
        (("normal", "abnormal"), "abnormal"),
        (("bénin", "malin"), "malin"),
        (("gesund", "krank"), "krank"),
        (("saudável", "doente"), "doente"),
        (("здоровый", "рак"), "рак"),
        (("AD", "CN"), "AD"),
        (("HC", "PD"), "PD"),
        (("ER+", "ER-"), "ER+"),
        (("tumor", "tumor-free"), "tumor"),
        (("her2neg", "her2pos"), "her2pos"),
        (("uninfected", "infected"), "infected"),
        (("NonTumor", "Tumor"), "Tumor"),
        (("non-normal", "normal"), "non-normal"),
        (("healthy", "unhealthy"), "unhealthy"),
        (("-1", "1"), "1"),
        (("\N{MINUS SIGN}1", "+1"), "+1"),
        (("0.0", "1.0"), "1.0"),
        (("True", "False"), "True"),
        (("no", "10"), "10"),
    ],
)
def test_the_positive_class(names: tuple[str, str], positive: str) -> None:
    for given in (names, names[::-1]):
        order = choose_classes(given, None)
        assert order.positive == order.classes[-1] == positive and repr(positive) in order.sentence
        assert not order.doubt
    other = next(name for name in names if name != positive)
    reverse = choose_classes(names, other)
    assert (reverse.classes, reverse.positive, reverse.doubt) == ((positive, other), other, "")


@pytest.mark.parametrize(
    ("names", "doubt"),
    [
        (("melanoma", "nevus"), "neither name reads as negative"),
        (("cat", "dog"), "neither name"),
        (("benign", "normal"), "both names read as negative"),
        (("1", "2"), "two numbers on one side of 0"),
        (("3", "7"), "two numbers on one side of 0"),
        (("low", "high"), "neither name"),
    ],
)
def test_no_positive_class_is_guessed(names: tuple[str, str], doubt: str) -> None:
    order = choose_classes(names, None)
    assert doubt in order.doubt and "--positive" in order.sentence
    assert set(order.classes) == set(names) and order.classes[-1] == order.positive
    with pytest.raises(UsageError, match="Which class is positive") as refusal:
        need_positive(order.doubt, {names[1]: 2, names[0]: 1}, "image")
    said = str(refusal.value)
    assert f"{names[0]!r} (1 image)" in said and f"{names[1]!r} (2 images)" in said
    assert f"--positive {names[0]}" in said and doubt in said.lower()
    need_positive(choose_classes(names, names[0]).doubt, {}, "image")


def test_the_option_is_quoted_where_a_shell_needs_it() -> None:
    with pytest.raises(UsageError, match="--positive=-2 or --positive 'type B'"):
        need_positive("who knows", {"type B": 1, "-2": 1}, "image")


def test_classes_beyond_two_and_wrong_choices() -> None:
    order = choose_classes(["grade 10", "grade 2", "grade 1"], None)
    assert (order.classes, order.positive, order.doubt) == (("grade 1", "grade 2", "grade 10"), None, "")
    with pytest.raises(NoEffectError, match="3 classes"):
        choose_classes(["a", "b", "c"], "a")
    with pytest.raises(UnknownNameError, match="did you mean 'yes'"):
        choose_classes(["yes", "no"], "yess")
    with pytest.raises(InsufficientDataError, match="got none"):
        choose_classes([], None)


def test_natural_order_bears_very_long_numbers() -> None:
    assert natural_key("9" * 9000) > natural_key("8" * 9000) > natural_key("7")


def test_numbers_sort_as_numbers() -> None:
    assert sorted(["10", "2", "-1", "0.5", "-10", "b", "a2", "a10"], key=natural_key) == [
        "-10", "-1", "0.5", "2", "10", "a2", "a10", "b",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["grade 1", "O'Brien", "$HOME", "-2", "Übergang", "a;b", "it's *", "1.5"])
def test_a_shell_reads_the_option_that_is_offered_as_the_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        need_positive("who knows", {name: 1, "zz other": 2}, "image")
    offered = re.search(r"Give (.*) \(positive=", str(caught.value))
    assert offered is not None
    words = shlex.split(offered[1].replace("=", " "))
    assert words in (
        ["--positive", name, "or", "--positive", "zz other"],
        ["--positive", "zz other", "or", "--positive", name],
    )
