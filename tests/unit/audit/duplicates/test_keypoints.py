"""What is done to an image before its features are looked for."""

from __future__ import annotations

import numpy as np
import pytest
from tests.planting.scenes import head

from headtohead.audit.duplicates import keypoints
from headtohead.audit.duplicates.keypoints import find_keypoints, stretched, without_impulses

HEAD = head(3)


def sprinkled(salt: float, pepper: float, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    plane = np.full((100, 100), 120, np.uint8)
    at = np.random.default_rng(seed).permutation(10_000)
    plane.ravel()[at[: int(salt * 10_000)]] = 255
    plane.ravel()[at[5000 : 5000 + int(pepper * 10_000)]] = 0
    return plane


def test_salt_and_pepper_go_and_white_dots_alone_stay() -> None:
    assert (without_impulses(sprinkled(0.01, 0.01)) == 120).mean() > 0.999
    for noise in ((0.01, 0.0), (0.0, 0.01), (0.01, 0.0019)):
        plane = sprinkled(*noise)
        assert without_impulses(plane) is plane, noise
    small = np.array([[0, 255], [255, 0]], np.uint8)
    assert without_impulses(small) is small


def test_texture_is_no_impulse() -> None:
    assert without_impulses(HEAD) is HEAD
    struck = HEAD.copy()
    at = np.random.default_rng(1).permutation(struck.size)[:2000]
    struck.ravel()[at[:1000]], struck.ravel()[at[1000:]] = 0, 255
    mended = without_impulses(struck)
    assert np.abs(mended.astype(int) - HEAD).mean() < 0.2 * np.abs(struck.astype(int) - HEAD).mean()
    untouched = np.ones(struck.size, bool)
    untouched[at] = False
    assert (mended.ravel()[untouched] == struck.ravel()[untouched]).mean() > 0.98, (
        "other pixels keep their values"
    )


@pytest.mark.parametrize(
    ("span", "changed"), [(99, True), (100, False), (200, False), (8, True), (7, False), (0, False)]
)
def test_faint_images_get_more_contrast(span: int, changed: bool) -> None:
    plane = np.repeat(np.array([50, 50 + span], np.uint8), 500).reshape(10, 100)
    found = stretched(plane)
    assert (found is not plane) is changed
    if changed:
        assert (found.min(), found.max()) == (0, 180)


def test_a_view_is_of_one_size_and_its_features_are_the_strongest() -> None:
    tall = np.asarray(np.pad(HEAD, ((0, 0), (0, HEAD.shape[0])))[: HEAD.shape[0]], np.uint8)
    view = find_keypoints(tall)
    assert view.grey.shape == (128, 256) and view.scale == pytest.approx(256 / tall.shape[1])
    few = find_keypoints(HEAD, features=20)
    assert 15 <= len(few.points) <= 25
    assert view.descriptors.dtype == np.uint8 and view.descriptors.shape == (len(view.points), 128)
    lengths = np.linalg.norm(view.descriptors.astype(float) / 512, axis=1)
    assert lengths == pytest.approx(np.ones(len(lengths)), abs=0.02), "root-SIFT rows have unit length"


def test_flat_images_have_no_features() -> None:
    view = find_keypoints(np.full((50, 90), 60, np.uint8))
    assert len(view.points) == len(view.descriptors) == len(view.subject) == 0
    assert view.grey.shape == (142, 256)


def test_chosen_features_keep_their_parts_together() -> None:
    view = find_keypoints(HEAD)
    kept = np.array([5, 2])
    some = keypoints.chosen(view, kept)
    assert (some.points == view.points[kept]).all() and (some.descriptors == view.descriptors[kept]).all()
    assert (some.strength == view.strength[kept]).all() and (some.subject == view.subject[kept]).all()
    assert some.grey is view.grey
