"""Splits of the states: a stratified fifth, whole groups or not, from seeds alone, with their leaks written down."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.errors import InsufficientDataError, LeakageError
from headtohead.data.dataset import Dataset
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS
from headtohead.studies.reproduction.splits import Split, draw_split, leak_share, split_tables

LABELS = np.repeat([0, 1], [100, 60])
ALONE = np.array([f"g{i}" for i in range(160)], dtype=object)
PAIRS = np.array([f"g{i // 2}" for i in range(160)], dtype=object)


@given(st.integers(0, 10_000), st.booleans())
def test_a_fifth_of_each_class_is_scored_and_the_rest_is_learned_from(seed: int, grouped: bool) -> None:
    pool = np.arange(160)
    split = draw_split(LABELS, ALONE, pool, grouped=grouped, seed=seed)
    assert np.bincount(LABELS[split.scored]).tolist() == [20, 12]
    assert np.array_equal(np.sort(np.concatenate([split.train, split.scored])), pool)
    assert (np.diff(split.scored) > 0).all() and (np.diff(split.train) > 0).all()


def test_only_the_pool_takes_part() -> None:
    pool = np.arange(0, 160, 2)
    for grouped in (True, False):
        split = draw_split(LABELS, PAIRS, pool, grouped=grouped, seed=1)
        assert set(split.train) | set(split.scored) == set(pool)
        assert np.bincount(LABELS[split.scored]).tolist() == [10, 6]


def test_a_draw_follows_from_its_seed_and_the_names_of_groups() -> None:
    def scored(seed: int, groups: Any = PAIRS) -> list[int]:
        found = draw_split(LABELS, groups, np.arange(160), grouped=True, seed=seed)
        return [int(i) for i in found.scored]

    assert scored(3) == scored(3)
    assert len({tuple(scored(seed)) for seed in range(5)}) == 5


def test_groups_that_would_pass_the_fifth_end_it() -> None:
    groups = np.array([f"g{i // 10}" for i in range(160)], dtype=object)
    split = draw_split(LABELS, groups, np.arange(160), grouped=True, seed=0)
    assert np.bincount(LABELS[split.scored]).tolist() == [20, 20], "whole groups of ten: the second passes 12"


def test_too_few_images_to_score_any_are_told() -> None:
    labels, groups = np.array([0, 0, 1, 1]), np.array(list("abcd"), dtype=object)
    with pytest.raises(InsufficientDataError) as told:
        draw_split(labels, groups, np.arange(4), grouped=False, seed=0)
    assert str(told.value) == (
        "A fifth of 4 images, class by class, is none; the study needs at least 3 images of a class."
    )
    enough = draw_split(np.array([0, 0, 0]), groups[:3], np.arange(3), grouped=True, seed=0)
    assert len(enough.scored) == 1


def test_the_share_of_copies_is_of_the_scored_images() -> None:
    groups = np.array(["a", "a", "b", "c", "c", "d"], dtype=object)
    split = Split(np.array([0, 3, 5]), np.array([1, 2, 4]))
    assert leak_share(split, groups) == pytest.approx(2 / 3)
    assert leak_share(Split(np.array([0, 1]), np.array([2, 3])), groups) == 0.0


class Source:
    """Gives each state one split: a leaking one where groups are not kept whole, or always."""

    def __init__(self, dataset: Dataset, *, always: bool = False) -> None:
        self.dataset, self.always = dataset, always

    def splits(self, step: Any, arm: str) -> list[Split]:
        leaking = Split(np.array([0, 2]), np.array([1, 3]))
        clean = Split(np.array([0, 1]), np.array([2, 3]))
        return [clean, leaking] if self.always or not step.grouped else [clean]


def test_splits_are_written_with_state_arm_and_proof(samples: Callable[..., Dataset]) -> None:
    data = samples([0, 0, 1, 1], ["a", "a", "b", "b"])
    found = split_tables(Source(data))
    assert set(found.frame["state"]) == {step.name for step in CORRECTIONS} and set(
        found.frame["arm"]
    ) == set(ARMS)
    published = found.frame[(found.frame["state"] == "as published") & (found.frame["arm"] == "vit")]
    leaking = published[published["repeat"] == 1]
    assert sorted(leaking[leaking["part"] == "test"]["sample"]) == ["s001", "s003"]
    assert {(leak["state"], leak["arm"], leak["repeat"]) for leak in found.leaks} == {
        ("as published", arm, 1) for arm in ARMS
    }
    assert len(found.leaks) == 4, "two scored samples in each arm"
    assert len(found.proof) == 2 * (len(CORRECTIONS) + 1)
    planted = [one["shared_groups"] for one in found.proof if one["state"] == "as published"]
    assert planted == [0, 2, 0, 2], "the first draw of each arm is clean"
    assert not any(one["shared_groups"] for one in found.proof if one["state"] != "as published")


def test_a_state_that_keeps_groups_whole_must_not_leak(samples: Callable[..., Dataset]) -> None:
    data = samples([0, 0, 1, 1], ["a", "a", "b", "b"])
    with pytest.raises(LeakageError):
        split_tables(Source(data, always=True))


def test_the_runner_draws_more_often_where_nothing_else_shares_its_splits(tmp_path: Any) -> None:
    from headtohead.core.config import ReproductionConfig
    from headtohead.core.progress import QUIET
    from headtohead.core.run_folder import RunFolder
    from headtohead.studies.reproduction.runner import ProtocolRunner

    data: Any = SimpleNamespace(
        samples=[SimpleNamespace(path=f"{i}.jpg") for i in range(160)], classes=("no", "yes"),
        labels=lambda: LABELS, groups=lambda: PAIRS,
    )  # fmt: skip

    def runner(seed: int) -> ProtocolRunner:
        config = ReproductionConfig(data="x", splits=2, many_splits=5, seed=seed)
        return ProtocolRunner(data, None, config, RunFolder(tmp_path), QUIET)  # type: ignore[arg-type]

    one = runner(0)
    apart, shared = CORRECTIONS[1], CORRECTIONS[3]
    assert [len(one.splits(apart, arm)) for arm in ARMS] == [5, 2]
    assert [len(one.splits(shared, arm)) for arm in ARMS] == [2, 2]
    drawn = [tuple(split.scored) for arm in ARMS for split in one.splits(apart, arm)]
    assert len(set(drawn)) == 7, "the arms draw apart while their images differ"
    assert tuple(runner(1).splits(apart, "cnn")[0].scored) not in set(drawn)
    assert one.leaks(shared, "cnn") == 0.0 and one.leaks(CORRECTIONS[0], "cnn") > 0.5


def test_every_image_is_scored_once_a_repeat_in_the_last_state(
    samples: Callable[..., Dataset], tmp_path: Any
) -> None:
    from headtohead.core.config import ReproductionConfig
    from headtohead.core.progress import QUIET
    from headtohead.core.run_folder import RunFolder
    from headtohead.studies.reproduction.runner import ProtocolRunner

    data = samples([i % 2 for i in range(40)])
    config = ReproductionConfig(data="x")
    runner = ProtocolRunner(data, None, config, RunFolder(tmp_path), QUIET)  # type: ignore[arg-type]
    for arm, repeats in (("cnn", 3), ("vit", 1)):
        splits = runner.splits(CORRECTIONS[-1], arm)  # type: ignore[arg-type]
        scored = np.concatenate([split.scored for split in splits])
        assert len(splits) == 5 * repeats and np.bincount(scored).tolist() == [repeats] * 40
