"""Votes of local features: who shares a part with whom, in bounded memory, and never by scattered features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from tests.planting.scenes import head

from headtohead.audit.duplicates import keypoint_votes as parts
from headtohead.audit.duplicates.keypoint_votes import FEW, MANY, VotingParams, match_by_votes, sampled
from headtohead.audit.duplicates.keypoints import NOTHING, Keypoints, coarse_keypoints, find_keypoints

Grey = npt.NDArray[np.uint8]
HEADS = [head(seed) for seed in range(12)]
CROPPED = [HEADS[0][20:-20, 20:-20], HEADS[1][:160, :160], np.ascontiguousarray(HEADS[2][:, ::-1])]
STRONG = {(0, 12, 0), (2, 14, 1)}
WANTED = STRONG | {(1, 13, 0)}


def voted(views: list[Keypoints], vote: VotingParams) -> list[tuple[int, int, int]]:
    return match_by_votes(views, [views[i] for i in sampled(len(views))], vote)


@pytest.mark.parametrize(
    ("ready", "vote"), [(find_keypoints, FEW), (coarse_keypoints, MANY)], ids=["few", "many"]
)
def test_crops_and_mirrored_images_are_partners(
    ready: Callable[[Grey], Keypoints], vote: VotingParams
) -> None:
    assert set(voted([ready(grey) for grey in HEADS + CROPPED], vote)) >= WANTED


def test_features_that_follow_no_common_transform_elect_nobody() -> None:
    strict = replace(MANY, fit=12)
    views = [coarse_keypoints(grey) for grey in HEADS + CROPPED]
    assert STRONG <= set(voted(views, strict)) <= WANTED
    rng = np.random.default_rng(0)
    scattered = [replace(view, points=rng.permutation(view.points)) for view in views]
    assert voted(scattered, strict) == []
    assert len(voted(scattered, replace(MANY, fit=0))) > 10, "without the transform many are elected"


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    views = [find_keypoints(grey) for grey in HEADS + CROPPED]
    whole = voted(views, FEW)
    monkeypatch.setattr(parts, "_BLOCK", 100)
    assert voted(views, FEW) == whole


def test_images_without_features_elect_nobody() -> None:
    assert voted([NOTHING, NOTHING], MANY) == []
    flat = coarse_keypoints(np.full((64, 64), 9, np.uint8))
    mirrored = coarse_keypoints(np.ascontiguousarray(HEADS[0][:, ::-1]))
    found = voted([flat, NOTHING, *map(coarse_keypoints, HEADS), mirrored], MANY)
    assert (2, 14, 1) in found
    assert all(a >= 2 for a, _, _ in found)


def test_a_sample_of_a_large_set_stays_small() -> None:
    assert len(sampled(100)) == 100
    assert 400 <= len(sampled(100_000)) <= 500
