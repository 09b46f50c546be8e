"""The record of what was understood, in rows."""

from __future__ import annotations

import pytest

from headtohead.core.data_record import count_left_out, data_rows

RECORD = {
    "classes": {f"c{i}": i for i in range(25)},
    "positive": None,
    "split": {"test": 3, "train": 9},
    "n_samples": 300,
    "n_groups": 12,
    "groups_from": "the case folders",
    "left_out": [{"why": "masks of other images", "n": 1, "per_class": {"c1": 1}}],
}


def test_every_part_of_the_record_is_a_row() -> None:
    rows = dict(data_rows(RECORD))
    assert rows["images"] == "300 in 25 classes"
    assert rows["classes"].endswith("c19 19 and 5 more")
    assert rows["split"] == "test 3, train 9"
    assert rows["groups"] == "12, from the case folders"
    assert rows["left out"] == "1 mask of other images: c1 1"
    assert "positive" not in rows


@pytest.mark.parametrize(
    ("why", "one"),
    [
        (
            "zip archive files, which are not read (unpack it)",
            "1 zip archive file, which is not read (unpack it)",
        ),
        ("images that do not answer --label-has Mass", "1 image that does not answer --label-has Mass"),
        ("images without a label", "1 image without a label"),
    ],
)
def test_one_file_is_said_in_the_singular(why: str, one: str) -> None:
    assert count_left_out(1, why) == one


def test_a_guessed_positive_class_is_called_a_guess() -> None:
    rows = dict(data_rows(RECORD | {"positive": "c1"}, "neither name reads as negative"))
    assert rows["positive"] == "c1 (a guess: neither name reads as negative)"


def test_groups_that_were_joined_are_not_called_files_alone() -> None:
    record = RECORD | {"groups_from": "each file alone"}
    alone = dict(data_rows(record | {"n_groups": record["n_samples"]}))["groups"]
    joined = dict(data_rows(record | {"n_groups": 3}))["groups"]
    assert alone == f"{record['n_samples']}, each file alone"
    assert (
        joined == "3: images found to belong together form one group; every other image is a group of its own"
    )
