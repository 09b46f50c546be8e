"""The stated order of classes: exactly the classes, each once."""

from __future__ import annotations

import pytest

from headtohead.core.errors import NoEffectError, UsageError
from headtohead.evaluate.external.class_order import in_stated_order

CLASSES = ("high", "low", "mid")


def test_the_order_stated_is_the_one_returned() -> None:
    assert in_stated_order(CLASSES, ["mid", "low", "high"]) == ("mid", "low", "high")


@pytest.mark.parametrize(
    ("stated", "wrong"),
    [
        (("low", "mid"), "it lacks high"),
        (("low", "mid", "high", "top"), "there is no class top"),
        (("low", "mid", "high", "mid"), "twice: mid"),
        (("low", "mit", "low"), "it lacks high, mid; there is no class mit; twice: low"),
    ],
)
def test_what_is_wrong_with_the_order_is_said_in_full(stated: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        in_stated_order(CLASSES, stated)
    assert str(caught.value) == (
        f"Got --ordered-classes {','.join(stated)}: {wrong}. Expected each class once, from the least to the most: "
        "high, low, mid."
    )


def test_two_classes_have_no_order_that_matters() -> None:
    with pytest.raises(
        NoEffectError, match="Got --ordered-classes a,b with two classes; every error is one step"
    ):
        in_stated_order(("a", "b"), ("a", "b"))
