"""Which arrays are images, labels and groups: by their names, else by their shapes, else a question."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headtohead.core.errors import DataError, UsageError
from headtohead.data.readers.array_files.array_file import ArrayInFile
from headtohead.data.storage.array_roles import (
    class_name_array,
    find_array_parts,
    images_alone,
    is_array_set,
    named_parts,
)
from headtohead.data.storage.npz_layout import Part


def numbers(*shape: int, dtype: str = "u1") -> ArrayInFile:
    return ArrayInFile(shape, np.dtype(dtype))


IMAGES, LABELS = numbers(9, 4, 4), numbers(9)


@pytest.mark.parametrize(
    ("images", "labels", "part"),
    [
        ("x_train", "y_train", "train"),
        ("xTrain", "yTrain", "train"),
        ("test_images", "test_labels", "test"),
        ("validation/data", "validation/target", "val"),
        ("scans", "lbl", "all"),
        ("camelyonpatch_level_2_split_valid_x", "camelyonpatch_level_2_split_valid_y", "val"),
    ],
)
def test_names_give_the_roles_and_the_part(images: str, labels: str, part: str) -> None:
    for arrays in ({images: IMAGES, labels: LABELS}, {labels: LABELS, images: IMAGES}):
        assert find_array_parts(arrays, "a.npz") == {part: Part(images, labels, None)}


def test_each_split_is_a_part_of_its_own_with_its_groups() -> None:
    arrays = {f"{role}_{split}": one for split in ("train", "test")
              for role, one in (("x", IMAGES), ("y", LABELS), ("patient_id", LABELS))}  # fmt: skip
    found = find_array_parts(arrays, "a.npz")
    assert found == {s: Part(f"x_{s}", f"y_{s}", f"patient_id_{s}") for s in ("train", "test")}


def test_masks_and_names_of_classes_are_no_images_and_no_labels() -> None:
    arrays = {
        "images": IMAGES,
        "image_masks": IMAGES,
        "labels": LABELS,
        "class_names": ArrayInFile((2,), np.dtype("U9"), True),
    }
    assert find_array_parts(arrays, "a.npz") == {"all": Part("images", "labels", None)}
    assert class_name_array(arrays) == "class_names"
    assert (
        class_name_array({**arrays, "categories": arrays["class_names"]}) is None
    )  # which of them, nobody knows
    assert class_name_array({"class_names": numbers(2)}) is None


@pytest.mark.parametrize("labels", [numbers(9, 1, 1, 1), numbers(9, 3), numbers(9, 1)])
def test_labels_may_be_columns_or_have_axes_of_one(labels: ArrayInFile) -> None:
    assert find_array_parts({"x": IMAGES, "y": labels}, "a") == {"all": Part("x", "y", None)}


def test_without_telling_names_the_shapes_decide_where_they_can() -> None:
    assert find_array_parts({"foo": IMAGES, "bar": LABELS}, "a") == {"all": Part("foo", "bar")}
    text = ArrayInFile((9,), np.dtype("U4"), is_text=True)
    assert find_array_parts({"foo": IMAGES, "bar": text}, "a") == {"all": Part("foo", "bar")}


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"foo": IMAGES, "bar": numbers(8)}, "none is an array of images with its labels"),
        ({"foo": IMAGES, "bar": numbers(9, dtype="f4")}, "none is an array of images with its labels"),
        ({"foo": IMAGES, "bar": LABELS, "baz": LABELS}, "several pairs could be images and labels"),
        ({"foo": numbers(1, 4, 4), "bar": numbers(1)}, "none is an array of images with its labels"),
        ({"x": IMAGES, "data": IMAGES, "y": LABELS}, "several could be the images or labels of 'all'"),
    ],
)
def test_where_two_readings_fit_or_none_the_user_is_asked(arrays: dict[str, ArrayInFile], why: str) -> None:
    with pytest.raises(DataError, match=re.escape(why)) as error:
        find_array_parts(arrays, "a.npz")
    assert "a.npz holds the arrays" in str(error.value) and "--columns 'path=" in str(error.value)


def test_the_question_lists_twelve_arrays_and_counts_the_rest() -> None:
    with pytest.raises(DataError, match=r"a11 \(2, 2\) and 3 more"):
        find_array_parts({f"a{i}": numbers(2, 2) for i in range(15)}, "a")


def test_arrays_that_the_user_names() -> None:
    arrays = {"s": IMAGES, "d": LABELS, "p": LABELS}
    found = named_parts(arrays, {"path": "s", "label": "d", "group": "p"}, "a")
    assert found == {"s": Part("s", "d", "p")}
    assert named_parts(arrays, {"path": "s", "label": "d"}, "a") == {"s": Part("s", "d", None)}
    with pytest.raises(DataError, match=r"holds no array 'q'; it holds s \(9, 4, 4\), d"):
        named_parts(arrays, {"path": "s", "label": "q"}, "a")
    for wrong in ({"path": "s"}, {"label": "d"}, {"path": "s", "label": "d", "split": "p"}):
        with pytest.raises(UsageError, match="expected the arrays of images and labels"):
            named_parts(arrays, wrong, "a")


def test_names_of_files() -> None:
    assert is_array_set(["images", "labels"]) and not is_array_set(["labels"]) and not is_array_set([])
    assert images_alone("test_imgs") and not images_alone("img_mask") and not images_alone("target")
