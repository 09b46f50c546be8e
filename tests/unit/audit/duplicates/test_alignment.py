"""Whether two images are one scene: each bound of the decision, and transforms that are known beforehand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.planting.scenes import head

from headtohead.audit.duplicates import alignment as laid
from headtohead.audit.duplicates.alignment import AlignmentResult, align, is_duplicate, is_similar
from headtohead.audit.duplicates.keypoints import NOTHING, find_keypoints, rotated
from headtohead.audit.duplicates.matching import FEWEST, find_transform, match

COPY = AlignmentResult(
    inliers=100, matches=110, residual=0.2, ncc=0.99, detail=0.95, overlap=0.9, zoom=1.0, turn=0.0, matrix=np.eye(3),
    structure=0.9,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "copy"),
    [
        ({}, True),
        ({"residual": 0.45}, True), ({"residual": 0.46}, False),
        ({"residual": 0.85, "structure": 0.98}, True), ({"residual": 0.86, "structure": 0.98}, False),
        ({"residual": 0.5, "structure": 0.979}, False),
        ({"detail": 0.75}, True), ({"detail": 0.749}, False),
        ({"ncc": 0.5}, True), ({"ncc": 0.49}, False),
        ({"inliers": 77}, True), ({"inliers": 76}, False),  # seven of ten matches
        ({"overlap": 0.3}, True), ({"overlap": 0.29}, False),
        # a copy made smaller may be off by more, up to twice as much
        ({"residual": 0.6, "zoom": 1.34}, True), ({"residual": 0.6, "zoom": 1.3}, False),
        ({"residual": 0.6, "zoom": 1 / 1.34}, True),
        ({"residual": 0.9, "zoom": 5.0}, True), ({"residual": 0.91, "zoom": 5.0}, False),
        ({"residual": 0.54, "stretch": 1.5}, True), ({"residual": 0.56, "stretch": 1.5}, False),
    ],
)  # fmt: skip
def test_each_bound_of_a_copy(changed: dict[str, Any], copy: bool) -> None:
    assert is_duplicate(replace(COPY, **changed)) is copy


@pytest.mark.parametrize(
    ("inliers", "matches", "similar"),
    [(9, 3, True), (9, 4, False), (39, 100, True), (38, 100, False), (8, 0, False)],
)
def test_brown_and_lowes_rule(inliers: int, matches: int, similar: bool) -> None:
    assert is_similar(replace(COPY, inliers=inliers, matches=matches)) is similar
    assert not is_similar(replace(COPY, inliers=inliers, matches=matches, overlap=0.29))


def test_agreement_in_one_corner_is_no_patient() -> None:
    assert laid.inliers_cover_image(replace(COPY, spread=0.15))
    assert not laid.inliers_cover_image(replace(COPY, spread=0.149))


# ---- known transforms ---------------------------------------------------------------------------------------

HEAD = head(0)
VIEW = find_keypoints(HEAD)


def moved(angle: float = 0.0, zoom: float = 1.0) -> Any:
    side = HEAD.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, zoom)
    return np.asarray(cv2.warpAffine(HEAD, matrix, (side, side)), np.uint8)


@pytest.mark.parametrize("angle", [-20.0, 7.0, 35.0])
def test_a_turn_is_measured_in_degrees(angle: float) -> None:
    seen = align(VIEW, find_keypoints(moved(angle)))
    assert seen is not None and is_duplicate(seen)
    assert seen.turn == pytest.approx(-angle, abs=0.3) and seen.zoom == pytest.approx(1.0, abs=0.01)
    assert seen.stretch == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_zoom_is_in_the_images_own_pixels(factor: float) -> None:
    other = np.asarray(cv2.resize(HEAD, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    seen = align(VIEW, find_keypoints(other))
    assert seen is not None and is_duplicate(seen)
    assert seen.zoom == pytest.approx(factor, rel=0.02) and seen.overlap > 0.95


def test_a_stretched_copy_is_told_so_and_one_stretched_too_far_is_none() -> None:
    wide = np.asarray(cv2.resize(HEAD, None, fx=1.0, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8)
    seen = align(VIEW, find_keypoints(wide))
    assert seen is not None and seen.stretch == pytest.approx(1 / 0.75, rel=0.03)


def test_mirrored_and_inverted_copies_agree_in_their_own_kind_alone() -> None:
    changes = {
        1: np.ascontiguousarray(HEAD[:, ::-1]),
        2: 255 - HEAD,
        3: np.ascontiguousarray(255 - HEAD[:, ::-1]),
    }
    for kind, pixels in changes.items():
        for tried in range(4):
            seen = align(VIEW, find_keypoints(np.asarray(pixels, np.uint8)), tried)
            assert (seen is not None and is_duplicate(seen)) is (tried == kind), (kind, tried)


def test_the_matrix_of_a_mirrored_copy_leads_into_the_image_as_it_is() -> None:
    other = find_keypoints(np.ascontiguousarray(HEAD[:, ::-1]))
    seen = align(VIEW, other, 1)
    assert seen is not None
    width = other.grey.shape[1]
    x, y, _ = seen.matrix @ np.array([40.0, 60.0, 1.0])
    assert (x, y) == (pytest.approx(width - 1 - 40.0, abs=1.0), pytest.approx(60.0, abs=1.0))
    assert laid.agrees_under_transform(VIEW, other, seen.matrix, inverted=False) is True


def test_a_chain_contradicts_only_where_images_overlap() -> None:
    far = np.eye(3)
    far[0, 2] = 250.0
    assert laid.agrees_under_transform(VIEW, VIEW, far, inverted=False) is None
    assert laid.agrees_under_transform(VIEW, VIEW, np.eye(3), inverted=False) is True
    assert laid.agrees_under_transform(VIEW, find_keypoints(head(5)), np.eye(3), inverted=False) is False
    dark = replace(VIEW, grey=np.asarray(255 - VIEW.grey, np.uint8))
    assert laid.agrees_under_transform(VIEW, dark, np.eye(3), inverted=True) is True
    assert laid.agrees_under_transform(VIEW, dark, np.eye(3), inverted=False) is False


def test_other_scenes_and_nothing_at_all_do_not_align() -> None:
    seen = align(VIEW, find_keypoints(head(7)))
    assert seen is None or not is_similar(seen)
    assert align(VIEW, NOTHING) is None and align(NOTHING, VIEW) is None


# ---- matches and transforms ---------------------------------------------------------------------------------


def test_an_image_matches_itself_point_by_point() -> None:
    on_a, on_b = match(VIEW, VIEW)
    assert len(on_a) > 0.8 * len(VIEW.points) and (on_a == on_b).all()
    few = replace(
        VIEW, points=VIEW.points[: FEWEST - 1], descriptors=VIEW.descriptors[: FEWEST - 1],
        strength=VIEW.strength[: FEWEST - 1], subject=VIEW.subject[: FEWEST - 1],
    )  # fmt: skip
    assert len(match(few, VIEW)[0]) == 0


def points(n: int, seed: int) -> Any:
    return np.random.default_rng(seed).uniform(0, 256, (n, 2)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.floats(-180, 180), st.floats(0.4, 2.5), st.floats(-50, 50), st.integers(0, 99))
def test_a_similarity_is_found_again(angle: float, zoom: float, shift: float, seed: int) -> None:
    on_a = points(40, seed)
    c, s = zoom * np.cos(np.radians(angle)), zoom * np.sin(np.radians(angle))
    matrix = np.array([[c, -s, shift], [s, c, -shift]])
    on_b = (on_a @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    found = find_transform(on_a, on_b)
    assert found is not None
    np.testing.assert_allclose(found[0], matrix, atol=0.02)
    assert found[1].all()


@pytest.mark.parametrize(
    ("linear", "there"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], True),
        ([[-1.0, 0.0], [0.0, 1.0]], False),  # mirrored
        ([[1.55, 0.0], [0.0, 1.0]], True),
        ([[1.7, 0.0], [0.0, 1.0]], False),  # stretched by more than 1.6
        ([[0.11, 0.0], [0.0, 0.11]], True),
        ([[0.09, 0.0], [0.0, 0.09]], False),
        ([[11.0, 0.0], [0.0, 11.0]], False),
    ],
)
def test_transforms_that_no_copy_undergoes_are_refused(linear: Any, there: bool) -> None:
    on_a = points(60, 1)
    scale = 100.0 if linear[0][0] < 1 else 1.0  # so that three pixels of slack do not hide a small zoom
    found = find_transform(on_a * scale, (on_a * scale @ np.array(linear).T).astype(np.float32))
    assert (found is not None and int(found[1].sum()) > 50) is there


def test_too_few_points_make_no_transform() -> None:
    on_a = points(FEWEST, 2)
    assert find_transform(on_a, on_a) is not None
    assert find_transform(on_a[:-1], on_a[:-1]) is None


# ---- local features -----------------------------------------------------------------------------------------


def test_a_mirrored_view_is_that_of_the_mirrored_image() -> None:
    flipped = find_keypoints(np.ascontiguousarray(HEAD[:, ::-1]))
    turned = rotated(VIEW, 1)
    assert (turned.grey == flipped.grey).mean() > 0.99
    on_a, on_b = match(turned, flipped)
    assert len(on_a) > 0.6 * len(VIEW.points)
    assert float(np.median(np.abs(on_a - on_b))) < 0.5
    assert rotated(VIEW, 0) is VIEW
    back = rotated(rotated(VIEW, 3), 3)
    assert (back.descriptors == VIEW.descriptors).all() and (back.grey == VIEW.grey).all()
    np.testing.assert_allclose(back.points, VIEW.points, atol=1e-4)
