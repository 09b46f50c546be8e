"""Splitters: parts that are whole, complete and trainable, over random group structures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.errors import DataError, InsufficientDataError, UsageError
from headtohead.data.splits.splitters import (
    group_holdout,
    groups_per_class,
    holdout_fraction,
    inner_folds,
    predefined_split,
    stratified_group_kfold,
)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels and groups; each group has one label, each class at least ten groups."""
    labels, groups = [], []
    for label in (0, 1):
        for number in range(draw(st.integers(10, 16))):
            size = draw(st.integers(1, 4))
            labels += [label] * size
            groups += [f"{label}-{number}"] * size
    return np.array(labels), np.array(groups, dtype=object)


@settings(max_examples=25, deadline=None)
@given(data=grouped(), folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_kfold_scores_each_sample_once_per_repeat_and_keeps_groups_whole(
    data: tuple[np.ndarray, np.ndarray], folds: int, seed: int
) -> None:
    labels, groups = data
    split = stratified_group_kfold(labels, groups, ("no", "yes"), folds=folds, repeats=2, seed=seed)
    assert [(repeat, fold) for repeat, fold, *_ in split] == [(r, f) for r in range(2) for f in range(folds)]
    for repeat in range(2):
        tests = np.concatenate([test for r, _, _, test in split if r == repeat])
        assert sorted(tests) == list(range(len(labels)))
    for _, _, train, test in split:
        assert not set(groups[train]) & set(groups[test])
        assert set(labels[train]) == set(labels[test]) == {0, 1}
        assert min(groups_per_class(labels[train], groups[train], 2)) >= 2


@settings(max_examples=25, deadline=None)
@given(data=grouped(), fraction=st.floats(0.15, 0.6), seed=st.integers(0, 99))
def test_holdout_is_near_the_fraction_and_grouped(
    data: tuple[np.ndarray, np.ndarray], fraction: float, seed: int
) -> None:
    labels, groups = data
    split, (note,) = group_holdout(labels, groups, ("no", "yes"), fraction=fraction, repeats=3, seed=seed)
    for _, _, train, test in split:
        assert not set(groups[train]) & set(groups[test])
        assert abs(len(test) / len(labels) - fraction) < 0.15
    assert f"Holdout {fraction:g}: 3 draws" in note
    average = np.mean([len(test) for *_, test in split]) / len(labels)
    assert f", {average:.3f} of them on average." in note


@settings(max_examples=25, deadline=None)
@given(data=grouped(), n_folds=st.integers(2, 5))
def test_inner_folds_cover_the_training_part_once(data: tuple[np.ndarray, np.ndarray], n_folds: int) -> None:
    labels, groups = data
    folds = inner_folds(labels, groups, n_folds, seed=0)
    assert len(folds) == n_folds
    assert sorted(np.concatenate([valid for _, valid in folds])) == list(range(len(labels)))
    for train, valid in folds:
        assert not set(groups[train]) & set(groups[valid])
        assert all(a < b for a, b in pairwise(train)) and all(a < b for a, b in pairwise(valid))


def test_inner_folds_become_fewer_where_a_class_has_few_groups_and_need_two() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 1]), np.array(list("abcdef"), dtype=object)
    assert len(inner_folds(labels, groups, 5, seed=0)) == 3
    with pytest.raises(InsufficientDataError, match="is in 1 group"):
        inner_folds(labels, np.array(list("abcddd"), dtype=object), 2, seed=0)
    with pytest.raises(UsageError, match="at least 2; got 1"):
        inner_folds(labels, groups, 1, seed=0)


def test_a_given_split_without_a_part_is_refused() -> None:
    labels, groups = np.array([0, 1, 0, 1]), np.array(list("abcd"), dtype=object)
    with pytest.raises(DataError, match="1 of 4 have none"):
        predefined_split(["train", "train", "test", None], labels, groups, ("no", "yes"))
    with pytest.raises(DataError, match="something to train on and something to score"):
        predefined_split(["train"] * 4, labels, groups, ("no", "yes"))
    with pytest.raises(InsufficientDataError, match=r"test part holds no sample of \['yes'\]"):
        predefined_split(["train", "train", "test", "train"], labels, groups, ("no", "yes"))


@pytest.mark.parametrize("split", ["holdout:0", "holdout:1", "holdout:x", "holdout:nan", "holdout:"])
def test_fractions_that_leave_nothing_are_refused(split: str) -> None:
    assert holdout_fraction("holdout:0.25") == 0.25
    with pytest.raises(UsageError, match="fraction between 0 and 1"):
        holdout_fraction(split)


def test_folds_of_the_data_are_each_tested_once() -> None:
    labels, groups = np.array([0, 1] * 6), np.arange(12).astype(object)
    splits = [f"fold {i // 2 % 3}" for i in range(12)]
    drawn, notes = predefined_split(splits, labels, groups, ("no", "yes"))
    assert [fold for _, fold, _, _ in drawn] == [0, 1, 2]
    for _, fold, train, test in drawn:
        assert {splits[i] for i in test} == {f"fold {fold}"}
        assert sorted([*train, *test]) == list(range(12))
    assert notes == ("The data's own 3 folds, each tested once.",)


@pytest.mark.parametrize(
    ("splits", "words"),
    [
        (["fold 0", "fold 1", None, "fold 1"], "1 of 4 have none"),
        (["fold 0"] * 4, "two folds at least"),
        (["fold 0", "fold 1", "fold 0", "fold 1"], r"rest of 'fold 0' holds no sample of \['no'\]"),
    ],
)
def test_folds_that_cannot_be_used_are_refused(splits: list[str | None], words: str) -> None:
    with pytest.raises(DataError, match=words):
        predefined_split(splits, np.array([0, 1, 0, 1]), np.arange(4).astype(object), ("no", "yes"))


def test_a_class_that_one_part_lacks_is_told_with_all_that_must_go() -> None:
    splits = ["train"] * 6 + ["test"] * 4
    labels = np.array([0, 0, 1, 1, 2, 2, 0, 1, 3, 3])
    with pytest.raises(InsufficientDataError, match=r"only in test d, only in train c.*--drop 'c,d'"):
        predefined_split(splits, labels, np.arange(10).astype(object), ("a", "b", "c", "d"))
