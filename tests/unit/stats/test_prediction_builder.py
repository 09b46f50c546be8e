"""Building the table of predictions: what is refused, and how it is sorted."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.unit.stats.builders import CLASSES, two_repeats

from headtohead.core.errors import (
    DataError,
    HeadToHeadError,
    InsufficientDataError,
    ManifestError,
    UnpairedError,
)
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.predictions import PredictionTable


def build(data: pd.DataFrame, **more: object) -> PredictionTable:
    options: dict[str, object] = {"classes": CLASSES, "positive": "yes", "contenders": None} | more
    return build_prediction_table(data, **options)  # type: ignore[arg-type]


def test_the_table_is_sorted_by_name_and_keeps_the_order_of_contenders() -> None:
    table = build(two_repeats())
    assert table.contenders == ("b", "a")
    assert table.repeats == (0, 1)
    assert table.samples.tolist() == [f"s{i}" for i in range(6)]
    assert table.sample_group.tolist() == [0, 0, 1, 1, 2, 2]
    assert table.of("a")[0].prob[:, 1] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert (table.n_samples, table.n_groups, table.binary, table.has_folds) == (6, 3, True, True)
    assert build(two_repeats(), contenders=["a", "b"]).contenders == ("a", "b")


def test_the_order_of_the_rows_does_not_matter() -> None:
    plain, shuffled = (
        build(two_repeats()),
        build(two_repeats().sample(frac=1, random_state=0), contenders=["b", "a"]),
    )
    for key, lines in plain.lines.items():
        for field in ("sample", "group", "label", "fold", "prob"):
            assert np.array_equal(getattr(lines, field), getattr(shuffled.lines[key], field))


def test_the_positive_class_comes_last() -> None:
    table = build(two_repeats(), positive="no")
    assert table.classes == ("yes", "no")
    assert table.of("a")[0].prob[0, 1] == pytest.approx(0.9)


def _without(column: str) -> pd.DataFrame:
    return two_repeats().drop(columns=column)


def _with(column: str, value: str | float | None, row: int = 0) -> pd.DataFrame:
    data = two_repeats()
    data[column] = data[column].astype(object)
    data.loc[row, column] = value
    return data


BROKEN: dict[str, tuple[pd.DataFrame, type[HeadToHeadError], str]] = {
    "no column": (_without("prob_yes"), ManifestError, "prob_yes"),
    "no line": (two_repeats().iloc[:0], InsufficientDataError, "no line"),
    "no sample": (_with("sample", None), ManifestError, "'sample' is empty"),
    "half a repeat": (_with("repeat", 0.5), ManifestError, "whole numbers"),
    "unknown label": (_with("label", "maybe"), ManifestError, "maybe"),
    "not a number": (_with("prob_yes", "x"), ManifestError, "not a finite number"),
    "above one": (_with("prob_yes", 1.4), ManifestError, "outside"),
    "sum": (_with("prob_yes", 0.9), ManifestError, "add up to 1"),
    "two labels": (_with("label", "no", 1), DataError, "more than one label"),
    "two groups": (_with("group", "g9"), DataError, "more than one group"),
    "twice": (pd.concat([two_repeats(), two_repeats().iloc[:1]]), ManifestError, "more than once"),
    "not paired": (two_repeats().iloc[1:], UnpairedError, "no prediction for 1 of 6"),
    "other folds": (_with("fold", 2), UnpairedError, "different folds"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_compared_is_refused_with_the_reason(case: str) -> None:
    data, error, words = BROKEN[case]
    with pytest.raises(error, match=words):
        build(data)


def test_repeats_and_folds_are_optional() -> None:
    data = two_repeats()
    table = build(data[data["repeat"] == 0].drop(columns=["repeat", "fold"]))
    assert table.repeats == (0,)
    assert not table.has_folds


def test_probabilities_of_three_digits_add_up() -> None:
    data = two_repeats()
    data["prob_yes"] = data["prob_yes"].round(3)
    data["prob_no"] = (1 - data["prob_yes"] + 0.0005).round(4)
    assert build(data).n_samples == 6


def test_a_sample_with_two_labels_or_groups_is_named_with_both() -> None:
    for column, value, names in (("label", "yes", "no and yes"), ("group", "g9", "g0 and g9")):
        with pytest.raises(DataError) as caught:
            build(_with(column, value))
        assert str(caught.value) == (
            f"1 sample(s) carry more than one {column}; sample 's0' has {names}. Each sample needs one {column} in all "
            "lines."
        )


@pytest.mark.parametrize("column", ["repeat", "fold"])
@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e30, math.nan, "x"])
def test_a_number_of_a_repeat_or_fold_that_is_none_is_refused(column: str, value: str | float) -> None:
    with pytest.raises(ManifestError, match=f"Column '{column}' must hold whole numbers in every line"):
        build(_with(column, value))


def test_classes_and_the_positive_one_are_checked_first() -> None:
    with pytest.raises(
        InsufficientDataError, match=r"Got the classes \['yes'\]; a comparison needs at least two"
    ):
        build(two_repeats(), classes=("yes",))
    with pytest.raises(ManifestError, match=r"positive class 'ill' is not among the classes \['no', 'yes'\]"):
        build(two_repeats(), positive="ill")


def test_a_contender_that_lacks_samples_is_named_with_three_of_them() -> None:
    data = two_repeats()
    gone = (data["contender"] == "a") & (data["repeat"] == 1) & (data["sample"] != "s0")
    with pytest.raises(UnpairedError) as caught:
        build(data[~gone])
    assert "Contender 'a' has no prediction for 5 of 6 samples in repeat 1: s1, s2, s3 …." in str(
        caught.value
    )
    # one that is left out of the comparison need not cover them
    assert build(data[~gone], contenders=["b"]).contenders == ("b",)
