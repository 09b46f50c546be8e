"""Classes in front of file names are proposed with an option that works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import InsufficientDataError
from headtohead.data.listing.evidence.name_prefixes import prefix_advice
from headtohead.data.load import load
from headtohead.data.options import LoadOptions

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def test_the_option_that_is_named_gives_these_classes(tree: Tree, image: Image) -> None:
    names = [f"all/{c}-clip{i}.png" for c in ("Cov", "Reg") for i in range(3)]
    source = str(tree({name: image(i) for i, name in enumerate(names)}))
    with pytest.raises(
        InsufficientDataError, match=r"begin with Cov \(3\), Reg \(3\): --label-from"
    ) as caught:
        load(source)
    pattern = str(caught.value).split("'")[1]
    assert load(source, LoadOptions(label_from=pattern)).classes == ("Cov", "Reg")


@pytest.mark.parametrize(
    "paths",
    [
        ["a/1.png", "a/2.png"],
        ["a/img-1.png", "a/img-2.png"],
        ["a/x-1.png", "a/y-1.png"],
        ["a/x-1.png", "a/2.png"],
    ],
    ids=["numbers", "one prefix", "one image each", "not all"],
)
def test_names_without_classes_propose_nothing(paths: list[str]) -> None:
    assert prefix_advice(paths) == ""
