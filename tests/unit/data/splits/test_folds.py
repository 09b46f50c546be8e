"""Folds: disjoint, complete, groups whole, stratified; leaks are caught; order plays no part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.errors import DataError, InsufficientDataError, LeakageError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.data.splits import splitters
from headtohead.data.splits.folds import CrossValidationSplits, Fold, inner_folds, make_folds

Made = Callable[..., Dataset]


def ints(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, dtype=np.int64)


def table(plan: CrossValidationSplits) -> pd.DataFrame:
    return plan.frame().sort_values(["repeat", "fold", "part", "sample"], ignore_index=True)


def balanced(made: Made, n_groups: int = 30) -> Dataset:
    return made([("ab"[g % 2], f"g{g}") for g in range(n_groups) for _ in range(1 + g % 3)])


def planted(dataset: Dataset, *, source: int, copy: int, **shared: bool) -> Dataset:
    """Give one sample what another has."""
    samples = list(dataset.samples)
    update = {name: getattr(samples[source], name) for name in shared}
    samples[copy] = samples[copy].model_copy(update=update)
    return replace(dataset, samples=tuple(samples))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 5), st.sampled_from("abc")), min_size=24, max_size=60),
    folds=st.integers(3, 4),
    seed=st.integers(0, 2**31),
)
def test_folds_are_disjoint_complete_whole_and_stratified(
    made: Made, sizes: list[tuple[int, str]], folds: int, seed: int
) -> None:
    sizes = sizes + [(1, name) for name in "abc" for _ in range(4)]
    data = made([(label, f"g{g}") for g, (size, label) in enumerate(sizes) for _ in range(size)])
    plan = make_folds(data, folds=folds, repeats=2, seed=seed)
    labels, groups = data.labels(), data.groups()
    for repeat in range(2):
        parts = [fold for fold in plan.folds if fold.repeat == repeat]
        assert [fold.fold for fold in parts] == list(range(folds))
        assert sorted(np.concatenate([fold.test for fold in parts])) == list(range(len(data)))
        for fold in parts:
            assert sorted([*fold.train, *fold.test]) == list(range(len(data)))
            assert not set(groups[fold.train]) & set(groups[fold.test])
            for index in range(3):
                n_class = int((labels == index).sum())
                got = int((labels[fold.test] == index).sum())
                assert 1 <= got < n_class
                assert abs(got - n_class / folds) <= 5  # the size of the largest group
    assert all(not value for proof in plan.proof for key, value in proof.items() if key.startswith("shared"))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(40)), split=st.sampled_from(["kfold", "holdout:0.25"]))
def test_the_order_of_samples_plays_no_part(made: Made, order: list[int], split: str) -> None:
    data = made([("ab"[i % 2], f"g{i // 2 % 15}") for i in range(40)])
    shuffled = replace(data, samples=tuple(data.samples[i] for i in order))
    assert table(make_folds(data, split=split)).equals(table(make_folds(shuffled, split=split)))


def test_the_names_of_groups_play_no_part_but_seed_and_repeat_do(made: Made) -> None:
    data = balanced(made)
    renamed = data.with_groups({s.id: f"z{s.group[::-1]}x{s.group}" for s in data.samples})
    plan = make_folds(data)
    assert table(plan).equals(table(make_folds(renamed)))
    assert not table(plan).equals(table(make_folds(data, seed=1)))
    first, second = ([fold.test.tolist() for fold in plan.folds if fold.repeat == r] for r in (0, 1))
    assert first != second


def test_a_fold_refuses_a_sample_in_both_parts_and_empty_parts() -> None:
    with pytest.raises(LeakageError, match="1 samples in train and in test, at positions 3"):
        Fold(0, 0, ints(1, 2, 3), ints(3, 4))
    with pytest.raises(DataError, match="empty test part"):
        Fold(0, 0, ints(1, 2), ints())
    fold = Fold(0, 0, ints(2, 1, 1), ints(4, 3))
    assert fold.train.tolist() == [1, 2] and fold.test.tolist() == [3, 4]
    with pytest.raises(ValueError, match="read-only"):
        fold.train[0] = 7


@pytest.mark.parametrize(
    ("field", "word"), [("group", "group"), ("pixel_hash", "pixels"), ("sha256", "bytes"), ("path", "path")]
)
def test_a_planted_leak_is_caught(made: Made, field: str, word: str) -> None:
    data = made([("ab"[i % 2], f"g{i}") for i in range(8)])
    train, test = ints(0, 1, 2, 3), ints(4, 5, 6, 7)
    assert Fold.checked(data, repeat=0, fold=0, train=train, test=test).test.tolist() == [4, 5, 6, 7]
    leaking = planted(data, source=1, copy=5, **{field: True})
    with pytest.raises(LeakageError, match=rf"s0005 \(test\) and s0001 \(train\) share {word}"):
        Fold.checked(leaking, repeat=0, fold=0, train=train, test=test)


def test_equal_pixels_in_different_groups_are_refused_or_carried_along(made: Made) -> None:
    data = planted(balanced(made), source=1, copy=8, pixel_hash=True)
    assert data.samples[1].group != data.samples[8].group
    with pytest.raises(LeakageError, match=r"share pixels.*Put what belongs together in one group"):
        make_folds(data, repeats=6)
    plan = make_folds(data, repeats=6, allow_leaks=True)
    assert plan.leaks and all(leak.shared == ("pixels",) for leak in plan.leaks)
    assert sum(proof["shared_pixel_hashes"] for proof in plan.proof) == len(plan.leaks)
    assert any("Leaks were allowed" in note for note in plan.notes)


def test_the_table_goes_through_parquet_and_is_proven_again(made: Made, tmp_path: Path) -> None:
    data = balanced(made)
    plan = make_folds(data)
    plan.frame().to_parquet(tmp_path / "folds.parquet")
    again = pd.read_parquet(tmp_path / "folds.parquet")
    assert list(again.columns) == ["sample", "repeat", "fold", "part"]
    back = CrossValidationSplits.from_frame(again, data)
    assert table(back).equals(table(plan)) and back.proof == plan.proof
    shuffled = CrossValidationSplits.from_frame(again.sample(frac=1, random_state=0), data)
    assert table(shuffled).equals(table(plan))
    again.loc[again.index[0], "sample"] = "stranger"
    with pytest.raises(DataError, match="stranger"):
        CrossValidationSplits.from_frame(again, data)
    with pytest.raises(DataError, match="lacks"):
        CrossValidationSplits.from_frame(plan.frame().drop(columns="part"), data)
    test = plan.frame().query("part == 'test' and repeat == 0 and fold == 0")
    with pytest.raises(LeakageError):
        CrossValidationSplits.from_frame(pd.concat([plan.frame(), test.assign(part="train")]), data)


def test_given_split(made: Made) -> None:
    rows = [("ab"[i % 2], f"g{i}") for i in range(12)]
    data = made(rows, ["train"] * 6 + ["val"] * 2 + ["test"] * 4)
    plan = make_folds(data, split="given")
    (fold,) = plan.folds
    assert fold.train.tolist() == list(range(8)) and fold.test.tolist() == [8, 9, 10, 11]
    assert any("2 validation samples count as training" in note for note in plan.notes)
    unscored = make_folds(made(rows, ["train"] * 8 + ["val"] * 4), split="given")
    assert any("no test part" in note for note in unscored.notes)
    with pytest.raises(DataError, match="12 of 12 have none"):
        make_folds(made(rows), split="given")
    with pytest.raises(DataError, match="something to train on"):
        make_folds(made(rows, ["train"] * 12), split="given")
    with pytest.raises(InsufficientDataError, match=r"test part holds no sample of \['b'\]"):
        make_folds(
            made(rows, ["test" if i % 2 == 0 and i > 5 else "train" for i in range(12)]), split="given"
        )


def test_a_given_split_that_leaks_lists_the_first_ten_pairs_and_how_many(made: Made) -> None:
    data = made([("ab"[i % 2], f"g{i % 12}") for i in range(24)], ["train"] * 12 + ["test"] * 12)
    with pytest.raises(LeakageError, match="12 test samples share something") as caught:
        make_folds(data, split="given")
    assert str(caught.value).count("(test) and") == 10 and "and 2 more" in str(caught.value)
    plan = make_folds(data, split="given", allow_leaks=True)
    assert len(plan.leaks) == 12 and plan.leaks[0].n_train == 1
    assert plan.leaks[0].model_dump(mode="json")["shared"] == ["group"]


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 0.3, 0.5, 0.8])
def test_holdout_is_grouped_stratified_and_near_the_fraction(made: Made, fraction: float) -> None:
    data = made([("aab"[g % 3], f"g{g}") for g in range(120) for _ in range(1 + g % 2)])
    plan = make_folds(data, split=f"holdout:{fraction}", repeats=4)
    assert [(fold.repeat, fold.fold) for fold in plan.folds] == [(r, 0) for r in range(4)]
    assert len({tuple(fold.test) for fold in plan.folds}) == 4
    labels = data.labels()
    for fold in plan.folds:
        assert abs(len(fold.test) / len(data) - fraction) < 0.03
        assert abs(labels[fold.test].mean() - labels.mean()) < 0.06


@pytest.mark.parametrize("split", ["holdout:0", "holdout:1", "holdout:x", "holdout:nan", "leave-one-out"])
def test_unknown_splits_are_refused(made: Made, split: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        make_folds(balanced(made), split=split)
    with pytest.raises(UsageError, match="at least 2 folds"):
        make_folds(balanced(made), folds=1)


def test_too_few_groups_is_an_error_with_advice(made: Made) -> None:
    rows = [("a", f"a{i}") for i in range(9)] + [("b", f"b{i}") for i in range(3)] * 5
    with pytest.raises(InsufficientDataError, match=r"class 'b' is in 3 group\(s\).*Use 3 folds"):
        make_folds(made(rows), folds=5)
    assert len(make_folds(made(rows), folds=3, repeats=1).folds) == 3
    with pytest.raises(InsufficientDataError, match=r"class 'b' is in 1 group\(s\).*Add images"):
        make_folds(made([("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b1")]), folds=2)
    with pytest.raises(InsufficientDataError, match=r"holdout:0\.2 needs at least 3"):
        make_folds(made([("a", "a1"), ("a", "a2"), ("b", "b1")]), split="holdout:0.2")


def test_groups_with_several_labels(made: Made) -> None:
    rows = [("ab"[(g + i) % 2], f"g{g}") for g in range(12) for i in range(3)]
    plan = make_folds(made(rows), folds=4)
    assert all(proof["shared_groups"] == 0 for proof in plan.proof)
    hopeless = [("a", f"g{g}") for g in range(2) for _ in range(4)] + [("b", "g0"), ("b", "g1"), ("a", "g2")]
    with pytest.raises(InsufficientDataError):
        make_folds(made(hopeless), folds=3)


def test_inner_folds(made: Made) -> None:
    data = balanced(made)
    labels, groups = data.labels(), data.groups()
    folds = inner_folds(labels, groups, 4, seed=3)
    assert len(folds) == 4
    assert sorted(np.concatenate([valid for _, valid in folds])) == list(range(len(data)))
    for train, valid in folds:
        assert not set(groups[train]) & set(groups[valid])
        assert set(labels[train]) == set(labels[valid]) == {0, 1}
    again = inner_folds(labels, groups, 4, seed=3)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))
    fewer = inner_folds(ints(0, 0, 0, 1, 1), np.array(list("abcde"), dtype=object), 5, seed=0)
    assert len(fewer) == 2
    with pytest.raises(InsufficientDataError, match="inner folds needs at least 2"):
        inner_folds(ints(0, 0, 1, 1), np.array(list("abcc"), dtype=object), 3, seed=0)
    with pytest.raises(UsageError, match="at least 2"):
        inner_folds(labels, groups, 1, seed=0)


def test_inner_folds_are_drawn_once_for_all_contenders(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    data = balanced(made)
    labels, groups = data.labels(), data.groups()
    first = inner_folds(labels, groups, 4, seed=8)
    first[0][1][:] = -1  # what a caller does to its folds is its own affair
    drawn: list[int] = []
    parts = splitters._parts
    monkeypatch.setattr(splitters, "_parts", lambda *given: drawn.append(1) or parts(*given))  # type: ignore[func-returns-value]
    again = inner_folds(labels, groups, 4, seed=8)
    assert not drawn and sorted(np.concatenate([valid for _, valid in again])) == list(range(len(data)))
    renamed = np.array([f"{group}'" for group in groups], dtype=object)
    for others in (
        (1 - labels, groups, 4, 8),
        (labels, renamed, 4, 8),
        (labels, groups, 3, 8),
        (labels, groups, 4, 9),
    ):
        drawn.clear()
        inner_folds(*others)
        assert drawn


def test_inner_folds_of_a_class_that_is_not_in_this_part() -> None:
    labels = ints(0, 0, 0, 2, 2, 2)
    assert len(inner_folds(labels, np.array(list("abcdef"), dtype=object), 3, seed=0)) == 3


def test_the_real_images_need_their_groups(brain_mri: Path) -> None:
    data = load(str(brain_mri))
    with pytest.raises(LeakageError, match="share pixels"):
        make_folds(data)
    first: dict[str, str] = {}
    grouped = data.with_groups({s.id: first.setdefault(s.pixel_hash, s.id) for s in data.samples})
    plan = make_folds(grouped)
    assert len(plan.folds) == 15 and all(50 <= len(fold.test) <= 51 for fold in plan.folds)


def test_every_training_part_can_be_divided_again(made: Made) -> None:
    data = made([("a", f"a{i}") for i in range(9)] + [("b", f"b{i}") for i in range(3)])
    labels, groups = data.labels(), data.groups()
    for split in ("kfold", "holdout:0.3"):
        for fold in make_folds(data, split=split, folds=3, repeats=5).folds:
            assert len(inner_folds(labels[fold.train], groups[fold.train], 3, seed=0)) == 2
    with pytest.raises(
        InsufficientDataError, match=r"class 'b' is in 2 group\(s\); folds=2 needs at least 4"
    ):
        make_folds(data.subset([s.id for s in data.samples[:-1]]), folds=2)
    alone = made(
        [("a", f"a{i}") for i in range(4)] + [("b", "b0"), ("b", "b0"), ("b", "b1")],
        ["train"] * 3 + ["test"] + ["train"] * 2 + ["test"],
    )
    with pytest.raises(InsufficientDataError, match=r"train part holds \['b'\] in one group only"):
        make_folds(alone, split="given")


def test_a_class_that_one_group_dominates_leaves_too_little_to_train_on(made: Made) -> None:
    rows = [("a", f"a{i}") for i in range(20)] + [("b", "big")] * 12 + [("b", f"b{i}") for i in range(3)]
    with pytest.raises(InsufficientDataError, match="No division into 2 folds"):
        make_folds(made(rows), folds=2)
    assert make_folds(made(rows), folds=3).folds
