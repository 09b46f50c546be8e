"""The order of classes and the positive one of two."""

from __future__ import annotations

import pytest

from headtohead.core.errors import (
    InsufficientDataError,
    NoEffectError,
    UnknownNameError,
)
from headtohead.data.listing.class_order import choose_classes, natural_key


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
        (("cat", "dog"), "dog"),
        (("benign", "normal"), "normal"),
    ],
)
def test_the_positive_class(names: tuple[str, str], positive: str) -> None:
    classes, chosen, why = choose_classes(names, None)
    assert chosen == classes[-1] == positive and repr(positive) in why
    other = next(name for name in names if name != positive)
    assert choose_classes(names, other)[:2] == ((positive, other), other)


def test_classes_beyond_two_and_wrong_choices() -> None:
    assert choose_classes(["grade 10", "grade 2", "grade 1"], None)[:2] == (
        ("grade 1", "grade 2", "grade 10"),
        None,
    )
    with pytest.raises(NoEffectError, match="3 classes"):
        choose_classes(["a", "b", "c"], "a")
    with pytest.raises(UnknownNameError, match="did you mean 'yes'"):
        choose_classes(["yes", "no"], "yess")
    with pytest.raises(InsufficientDataError, match="got none"):
        choose_classes([], None)


def test_natural_order_bears_very_long_numbers() -> None:
    assert natural_key("9" * 9000) > natural_key("8" * 9000) > natural_key("7")
