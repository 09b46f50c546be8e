"""Which images of a run are explained: its errors, all, or those that were named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.explain.run.chosen_images import chosen_images, mean_predictions
from headtohead.explain.run.chosen_images import tested_images as in_a_test_part

IDS = [f"{n}.png" for n in range(6)]
LABELS = ["no", "no", "no", "yes", "yes", "yes"]
P = {"a": [0.1, 0.6, 0.2, 0.9, 0.8, 0.4], "b": [0.1, 0.2, 0.7, 0.9, 0.8, 0.9]}


def frame() -> pd.DataFrame:
    """Return two repeats; in the second all probabilities are 0.1 lower."""
    return pd.DataFrame(
        [
            {"contender": name, "repeat": repeat, "sample": IDS[n], "label": LABELS[n],
             "prob_no": 1 - p + 0.1 * repeat, "prob_yes": p - 0.1 * repeat}
            for name, values in P.items() for repeat in (0, 1) for n, p in enumerate(values) if n != 4
        ]
    )  # fmt: skip


def run() -> Any:
    tests = ([3, 1], [0, 5, 2], [1, 3, 5], [0, 2])  # number 4 was in no test part
    return cast(
        Any,
        SimpleNamespace(
            dataset=SimpleNamespace(samples=[SimpleNamespace(id=one) for one in IDS], classes=("no", "yes")),
            folds=[SimpleNamespace(test=np.array(part)) for part in tests],
            folder=SimpleNamespace(table=lambda name: frame() if name == "predictions.parquet" else None),
        ),
    )


def test_tested_images_are_in_order_and_once() -> None:
    assert in_a_test_part(run()) == [0, 1, 2, 3, 5]
    assert chosen_images(run(), "all", []) == [0, 1, 2, 3, 5]


def test_probabilities_are_averaged_over_repeats() -> None:
    found = mean_predictions(run(), "a")
    assert found["prob_yes"].to_dict() == pytest.approx(
        {"0.png": 0.05, "1.png": 0.55, "2.png": 0.15, "3.png": 0.85, "5.png": 0.35}
    )
    assert found.loc["5.png", "label"] == "yes"


def test_errors_are_of_any_of_the_contenders() -> None:
    assert chosen_images(run(), "errors", ["a"]) == [1, 5]
    assert chosen_images(run(), "errors", ["b"]) == [2]
    assert chosen_images(run(), "errors", ["a", "b"]) == [1, 2, 5]
    assert chosen_images(run(), "errors", []) == []


@pytest.mark.parametrize("images", ["5.png, 0.png", ["5.png", "0.png"], " 5.png ,,0.png,"])
def test_named_images_keep_the_order_given(images: Any) -> None:
    assert chosen_images(run(), images, []) == [5, 0]


def test_images_that_cannot_be_explained_are_named() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown image '9\.png'; did you mean"):
        chosen_images(run(), "0.png,9.png", [])
    with pytest.raises(UsageError, match=r"4\.png was in no test part of this run"):
        chosen_images(run(), ["4.png"], [])
    nothing: tuple[Any, ...] = ("", " , ", [])
    for empty in nothing:
        with pytest.raises(UsageError, match="expected errors, all, or sample ids with commas"):
            chosen_images(run(), empty, [])
