"""The foreground box: inside the image, repeatable, blind to borders, frames, size and coding."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.records import Box, Image
from headtohead.preprocess.foreground import crop_loss, foreground_box, foreground_mask
from headtohead.preprocess.recipe import get_recipe

Grey = npt.NDArray[np.uint8]


def head(seed: int, height: int = 220, width: int = 180) -> tuple[Grey, Box]:
    """A drawn head: bright scalp, dark skull, brain with a bright spot; and the box that it fills."""
    rng = np.random.default_rng(seed)
    tall, broad = rng.uniform(0.32, 0.45), rng.uniform(0.3, 0.42)
    cy, cx = height * rng.uniform(0.47, 0.53), width * rng.uniform(0.47, 0.53)
    y, x = np.mgrid[:height, :width]
    r = np.hypot((y - cy) / (tall * height), (x - cx) / (broad * width))
    source = np.select([r < 0.82, r < 0.9, r < 1], [rng.uniform(60, 120), 8, rng.uniform(120, 220)], 2.0)
    source[np.hypot(y - cy - 20, x - cx + 15) < 14] = 240
    source = np.clip(source + rng.normal(0, 3, source.shape), 0, 255)
    rows, columns = np.flatnonzero((r < 1).any(axis=1)), np.flatnonzero((r < 1).any(axis=0))
    return source.astype(np.uint8), Box(
        int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    )


def overlap(a: Box, b: Box) -> float:
    tall = max(0, min(a.bottom, b.bottom) - max(a.top, b.top))
    broad = max(0, min(a.right, b.right) - max(a.left, b.left))
    return tall * broad / (a.area + b.area - tall * broad)


def moved(box: Box, down: int, right: int) -> Box:
    return Box(box.top + down, box.left + right, box.bottom + down, box.right + right)


@pytest.mark.parametrize("seed", range(12))
def test_the_head_is_found(seed: int) -> None:
    source, truth = head(seed)
    assert overlap(foreground_box(source)[0], truth) > 0.94
    assert crop_loss(Image(source, 8, "L", "PNG"), truth) < 0.01


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.tuples(*[st.integers(0, 60)] * 4))
def test_a_black_border_changes_nothing(seed: int, border: tuple[int, int, int, int]) -> None:
    source, _ = head(seed)
    top, bottom, left, right = border
    wide = np.pad(source, ((top, bottom), (left, right)))
    assert foreground_box(wide)[0] == moved(foreground_box(source)[0], top, left)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(200, 255))
def test_a_white_frame_changes_next_to_nothing(seed: int, broad: int, level: int) -> None:
    source, _ = head(seed)
    framed = np.pad(source, broad, constant_values=level)
    assert overlap(foreground_box(framed)[0], moved(foreground_box(source)[0], broad, broad)) > 0.97


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 2.0))
def test_size_changes_next_to_nothing(seed: int, factor: float) -> None:
    source, _ = head(seed)
    size = (round(source.shape[1] * factor), round(source.shape[0] * factor))
    other = np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_AREA))
    box = foreground_box(other)[0]
    back = Box(*(round(v / factor) for v in (box.top, box.left, box.bottom, box.right)))
    assert overlap(back, foreground_box(source)[0]) > 0.94


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 70), st.integers(1, 70), st.booleans())
def test_any_image_gives_a_box_inside_it_twice_the_same(
    seed: int, height: int, width: int, colour: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (height, width, 3) if colour else (height, width)
    source = (rng.random(shape) ** rng.uniform(0.2, 8) * 255).astype(np.uint8)
    before = source.copy()
    box, history = foreground_box(source)
    assert 0 <= box.top < box.bottom <= height
    assert 0 <= box.left < box.right <= width
    assert (box, history) == foreground_box(source)
    np.testing.assert_array_equal(source, before)
    mask = foreground_mask(source)
    assert mask.shape == (height, width)
    assert 0 <= crop_loss(Image(source, 8, "L", "PNG"), box) <= 1


def test_depth_and_gain_do_not_matter() -> None:
    source, _ = head(3)
    box = foreground_box(source)[0]
    assert overlap(foreground_box(source.astype(np.uint16) * 117)[0], box) > 0.97
    assert overlap(foreground_box(source.astype(np.float32) / 900 - 4)[0], box) > 0.97


def test_a_dark_brain_beside_a_bright_lesion_is_not_cut() -> None:
    """The defect of the classical threshold: a lesion that outshines the brain takes the crop."""
    y, x = np.mgrid[:200, :200]
    r = np.hypot((y - 100) / 85, (x - 100) / 75)
    source = np.where(r < 1, 38, 0).astype(np.uint8)
    source[np.hypot(y - 120, x - 70) < 25] = 230
    image = Image(source, 8, "L", "PNG")
    classical = get_recipe("classical").apply(image).box
    assert crop_loss(image, classical) > 0.5
    assert crop_loss(image, foreground_box(source)[0]) == 0


def test_lines_letters_and_a_title_bar_stay_outside() -> None:
    source, truth = head(5)
    source[:5] = 90
    source[:, -1] = 60
    source[10:20, 3:6] = 255
    source[-12:-4, -30:-22] = 255
    assert overlap(foreground_box(source)[0], truth) > 0.94


def test_no_subject_is_said() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 30, (80, 80)).astype(np.uint8)
    box, history = foreground_box(np.full((80, 80), 77, np.uint8) + noise)
    assert box == Box(0, 0, 80, 80)
    assert history
    speck = np.zeros((200, 200), np.uint8)
    speck[:2] = speck[-2:] = 20
    speck[100:112, 100:112] = 200
    box, history = foreground_box(speck)
    assert any("whole image kept" in line for line in history)


def real(folder: Path, *stems: str) -> list[Image]:
    files = {path.stem: path for path in sorted(folder.glob("*/*"))}
    return [Image(np.asarray(cv2.imread(str(files[stem]))), 8, "RGB", "JPEG") for stem in stems]


def test_real_images_that_the_classical_crop_cuts(brain_mri: Path) -> None:
    for image in real(brain_mri, "Y259", "N22", "Y244"):
        assert crop_loss(image, get_recipe("classical").apply(image).box) > 0.25
        assert crop_loss(image, foreground_box(image.pixels)[0]) < 0.001


def test_real_frames_go(brain_mri: Path) -> None:
    for image, most in zip(
        real(brain_mri, "Y10", "Y89", "Y148", "Y167", "No16"), (0.95, 0.92, 0.97, 0.85, 0.5), strict=True
    ):
        assert foreground_box(image.pixels)[0].area < most * image.size[0] * image.size[1]


def test_real_boxes_survive_recoding_and_size(brain_mri: Path) -> None:
    """On the 253: recompression and half size move hardly any box."""
    scores: list[tuple[float, float]] = []
    for path in sorted(brain_mri.glob("*/*"))[::3]:
        source = np.asarray(cv2.imread(str(path)))
        box = foreground_box(source)[0]
        coded = np.asarray(cv2.imdecode(cv2.imencode(".jpg", source, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1))
        small = np.asarray(cv2.resize(source, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))
        other = foreground_box(small)[0]
        back = Box(*(round(v / 0.7) for v in (other.top, other.left, other.bottom, other.right)))
        scores.append((overlap(box, foreground_box(coded)[0]), overlap(box, back)))
    table = np.array(scores)
    assert (table.mean(axis=0) > 0.985).all()
    assert (np.quantile(table, 0.05, axis=0) > 0.93).all()
