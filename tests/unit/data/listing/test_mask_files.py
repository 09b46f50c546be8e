"""Masks told by name; images whose names only look so stay."""

from __future__ import annotations

import pytest

from headtohead.data.listing.mask_files import mask_files


@pytest.mark.parametrize(
    ("mask", "image"),
    [
        ("a/benign (1)_mask.png", "a/benign (1).png"),
        ("a/benign (1)_mask_1.png", "a/benign (1).png"),
        ("a/ISIC_1_segmentation.png", "a/ISIC_1.jpg"),
        ("a/case_1_seg.nii.gz", "a/case_1_t1.nii.gz"),
        ("a/masks/1.png", "a/images/1.jpg"),
        ("a/masks/1_mask.png", "a/images/1.jpg"),
        ("GT/1.png", "images/1.png"),
    ],
)
def test_a_mask_is_told_by_its_image(mask: str, image: str) -> None:
    assert mask_files([mask, image]) == {mask: image}
    assert mask_files([mask]) == {}


@pytest.mark.parametrize(
    "paths",
    [
        ["a/mask.png", "a/x.png"],
        ["mask/1.png", "no_mask/2.png"],
        ["a/unmask.png", "a/un.png"],
        ["masks/1.png", "x/2.png"],
    ],
)
def test_other_names_are_images(paths: list[str]) -> None:
    assert mask_files(paths) == {}


def test_classes_with_and_without_a_mask_on_the_face_are_no_masks() -> None:
    assert (
        mask_files(["with_mask/1.png", "without_mask/1.png", "with_mask/2.png", "without_mask/2.png"]) == {}
    )
