"""Frames, letters, screens and grounds: what is found, from which bound on, and what is left alone."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.audit.descriptors import artifact_detectors as marks

DARK = np.full((200, 200), 10, np.uint8)


def line(at: int, length: int, axis: int = 0, value: int = 255) -> Any:
    plane = DARK.copy()
    if axis == 0:
        plane[at, :length] = value
    else:
        plane[:length, at] = value
    return plane


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("at", [0, 9, 190, 199])
def test_a_line_near_any_side_counts_by_its_length(at: int, axis: int) -> None:
    assert marks.frame_share(line(at, 150, axis)) == 0.75


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("at", [10, 100, 189])
def test_a_line_further_in_is_no_frame(at: int, axis: int) -> None:
    assert marks.frame_share(line(at, 200, axis)) <= 1 / 200


def test_brightness_of_a_frame_begins_at_two_hundred() -> None:
    assert marks.frame_share(line(0, 200, value=200)) == 1.0
    assert marks.frame_share(line(0, 200, value=199)) == 0.0
    small = np.zeros((20, 20), np.uint8)
    small[2] = 255
    assert marks.frame_share(small) == 1.0, "three pixels are looked at, however small the image"
    small[2], small[3] = 0, 255
    assert marks.frame_share(small) < 1.0


# ---- letters ------------------------------------------------------------------------------------------------


def spot(height: int, width: int, top: int = 20, left: int = 20, value: int = 200, side: int = 200) -> Any:
    plane = np.full((side, side), 10, np.uint8)
    plane[top : top + height, left : left + width] = value
    plane[top + height // 2, left + width // 2] = 10  # no solid block
    return plane


NOWHERE = np.zeros((200, 200), bool)


def letters(plane: Any, mask: Any = NOWHERE) -> int:
    return marks.count_text_blobs(plane, mask)


def holed(height: int, width: int, **where: int) -> Any:
    """Return a frame-like spot, as an O is one: with a hole that leaves 0.15 to 0.92 of its box."""
    plane = spot(height, width, **where)
    top, left = where.get("top", 20), where.get("left", 20)
    plane[top + 2 : top + height - 2, left + 2 : left + width - 2] = 10
    return plane


def test_a_letter_is_counted_and_its_size_is_bounded() -> None:
    assert letters(holed(12, 8)) == 1
    assert letters(holed(16, 8)) == 1, "8 % of the edge"
    assert letters(holed(17, 8)) == 0
    assert letters(holed(6, 6)) == 1 and letters(holed(5, 5)) == 0


def test_lines_and_blocks_are_no_letters() -> None:
    solid = DARK.copy()
    solid[20:32, 20:28] = 200
    assert letters(solid) == 0
    assert letters(holed(8, 17)) == 0 and letters(holed(8, 15)) == 1


def test_a_letter_at_the_border_or_on_the_subject_is_not_counted() -> None:
    assert letters(holed(12, 8, left=0)) == 0 and letters(holed(12, 8, top=0)) == 0
    assert letters(holed(12, 8, left=1, top=1)) == 1
    assert letters(holed(12, 8, left=192)) == 0 and letters(holed(12, 8, top=188)) == 0
    over = NOWHERE.copy()
    over[25:60, 25:60] = True
    assert letters(holed(12, 8), over) == 0
    beside = NOWHERE.copy()
    beside[60:, 60:] = True
    assert letters(holed(12, 8), beside) == 1


def test_a_letter_stands_out_by_sixty_grey_values_and_dark_ones_do_not_count() -> None:
    assert letters(np.where(holed(12, 8) == 200, 71, 10).astype(np.uint8)) == 1
    assert letters(np.where(holed(12, 8) == 200, 70, 10).astype(np.uint8)) == 0
    assert letters(255 - holed(12, 8)) == 0, "below the ground uint8 would wrap"


def test_written_words_are_counted_letter_by_letter_at_any_size() -> None:
    for side in (200, 600, 1200):
        plane = np.full((side, side), 10, np.uint8)
        scale = side / 400
        cv2.putText(
            plane, "A H", (side // 10, side // 5), cv2.FONT_HERSHEY_SIMPLEX, scale, 230, max(1, side // 200)
        )
        assert letters(plane, np.zeros((side, side), bool)) == 2, side


# ---- moiré --------------------------------------------------------------------------------------------------


def waved(
    strength: float, across: float = 1 / 5, down: float = 1 / 7, shape: tuple[int, int] = (256, 256)
) -> Any:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: shape[0], : shape[1]]
    base = cv2.GaussianBlur(rng.normal(120, 60, shape), (0, 0), 3) + rng.normal(0, 4, shape)
    return np.clip(base + strength * np.sin(2 * np.pi * (across * x + down * y)), 0, 255).astype(np.uint8)


def test_a_grid_stands_out_more_the_stronger_it_is() -> None:
    plain, faint, strong = (marks.moire_score(waved(s)) for s in (0.0, 3.0, 20.0))
    assert plain < 6.0 < strong and plain < faint < strong


def test_lines_along_the_axes_are_left_out() -> None:
    """JPEG's blocks of eight pixels lie there."""
    assert marks.moire_score(waved(20.0, across=1 / 8, down=0.0)) < 6.0
    assert marks.moire_score(waved(20.0, across=0.0, down=1 / 8)) < 6.0


def test_a_turned_image_and_its_other_half_of_the_spectrum_tell_the_same() -> None:
    plane = waved(20.0)
    expected = marks.moire_score(plane)
    assert marks.moire_score(np.ascontiguousarray(plane[:, ::-1])) == pytest.approx(expected, rel=0.02)
    assert marks.moire_score(np.ascontiguousarray(plane.T)) == pytest.approx(expected, rel=0.02)


def test_small_images_have_no_spectrum_and_flat_ones_no_peak() -> None:
    assert np.isnan(marks.moire_score(waved(9.0)[:63])) and not np.isnan(marks.moire_score(waved(9.0)[:64]))
    assert marks.moire_score(np.full((80, 80), 7, np.uint8)) == 0.0


# ---- all together -------------------------------------------------------------------------------------------


def test_the_ground_is_the_median_outside_the_subject() -> None:
    plane = DARK.copy()
    plane[50:150, 50:150] = 250
    mask = plane > 100
    assert marks.detect_artifacts(plane, mask)["ground"] == pytest.approx(10 / 255)
    assert set(marks.detect_artifacts(plane, mask)) == set(marks.ARTIFACTS)


def test_without_a_subject_ground_and_letters_are_not_known() -> None:
    found = marks.detect_artifacts(DARK, None)
    assert np.isnan(found["ground"]) and np.isnan(found["glyphs"])
    everything = marks.detect_artifacts(DARK, np.ones_like(DARK, bool))
    assert np.isnan(everything["ground"]) and everything["glyphs"] == 0.0
    nothing = marks.detect_artifacts(DARK, NOWHERE)
    assert np.isnan(nothing["ground"]) and nothing["glyphs"] == 0.0
