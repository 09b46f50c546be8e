"""The dataset: its invariants, its table, its views."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from headtohead.core.errors import (
    DataError,
    InsufficientDataError,
    ManifestError,
    NoEffectError,
    UnknownNameError,
)
from headtohead.data.dataset import Dataset
from headtohead.data.listing.class_order import choose_classes, natural_key
from headtohead.data.listing.groups_csv import read_groups

Made = Callable[..., Dataset]


def small(made: Made) -> Dataset:
    return made([("no", "g0"), ("no", "g1"), ("yes", "g2"), ("yes", "g3")], ["train", None, "val", "test"])


def test_labels_and_groups_follow_the_classes(made: Made) -> None:
    data = small(made)
    assert data.labels().tolist() == [0, 0, 1, 1] and data.groups().tolist() == ["g0", "g1", "g2", "g3"]
    turned = replace(data, classes=("yes", "no"), positive="no")
    assert turned.labels().tolist() == [1, 1, 0, 0]


def test_a_dataset_refuses_what_does_not_fit(made: Made) -> None:
    data = small(made)
    with pytest.raises(DataError, match="unique"):
        replace(data, samples=data.samples + data.samples[:1])
    with pytest.raises(DataError, match="outside the classes"):
        replace(data, classes=("no", "maybe"))
    with pytest.raises(DataError, match="last of two"):
        replace(data, positive="no")


def test_the_table_holds_every_field_and_comes_back(made: Made, tmp_path: Path) -> None:
    data = small(made)
    samples = (data.samples[0].model_copy(update={"frame": 3, "extra": {"age": "61"}}), *data.samples[1:])
    data = replace(data, samples=samples, positive="yes")
    data.frame().to_parquet(tmp_path / "samples.parquet")
    table = pd.read_parquet(tmp_path / "samples.parquet")
    back = Dataset.from_frame(table, root=data.root, classes=data.classes, positive="yes")
    assert back == data and back.digest() == data.digest()
    assert pickle.loads(pickle.dumps(data)) == data  # it goes to other processes


def test_with_groups_and_subset(made: Made) -> None:
    data = small(made)
    grouped = data.with_groups({"s0001": "g0"})
    assert grouped.groups().tolist() == ["g0", "g0", "g2", "g3"] and data.groups()[1] == "g1"
    part = data.subset(["s0003", "s0001"])
    assert [s.id for s in part.samples] == ["s0001", "s0003"] and part.classes == data.classes
    with pytest.raises(DataError, match="not in the data: x"):
        data.with_groups({"x": "g"})
    with pytest.raises(DataError, match="not in the data: x"):
        data.subset(["x"])


def test_digest_follows_content_label_and_split_but_not_order(made: Made) -> None:
    data = small(made)
    assert replace(data, samples=data.samples[::-1]).digest() == data.digest()
    for update in ({"sha256": "other"}, {"label": "yes"}, {"split": "test"}, {"path": "else"}):
        changed = (data.samples[0].model_copy(update=update), *data.samples[1:])
        assert replace(data, samples=changed).digest() != data.digest()


@pytest.mark.parametrize(
    ("names", "positive"),
    [
        (("yes", "no"), "yes"),
        (("malignant", "benign"), "malignant"),
        (("NORMAL", "PNEUMONIA"), "PNEUMONIA"),
        (("0", "1"), "1"),
        (("notumor", "tumor"), "tumor"),
        (("No_Finding", "Edema"), "Edema"),
        (("covid-negative", "covid-positive"), "covid-positive"),
        (("normal", "abnormal"), "abnormal"),
        (("cat", "dog"), "dog"),
        (("benign", "normal"), "normal"),
    ],
)
def test_the_positive_class(names: tuple[str, str], positive: str) -> None:
    classes, chosen, why = choose_classes(names, None)
    assert chosen == classes[-1] == positive and repr(positive) in why
    other = next(name for name in names if name != positive)
    assert choose_classes(names, other)[:2] == ((positive, other), other)


def test_classes_beyond_two_and_wrong_choices() -> None:
    assert choose_classes(["grade 10", "grade 2", "grade 1"], None)[:2] == (
        ("grade 1", "grade 2", "grade 10"),
        None,
    )
    with pytest.raises(NoEffectError, match="3 classes"):
        choose_classes(["a", "b", "c"], "a")
    with pytest.raises(UnknownNameError, match="did you mean 'yes'"):
        choose_classes(["yes", "no"], "yess")
    with pytest.raises(InsufficientDataError, match="got none"):
        choose_classes([], None)


def test_natural_order_bears_very_long_numbers() -> None:
    assert natural_key("9" * 9000) > natural_key("8" * 9000) > natural_key("7")


def test_groups_read_back(made: Made, tmp_path: Path) -> None:
    data = small(made)
    file = tmp_path / "groups.csv"
    file.write_text("path,group,note\ns0000,one,\ns0001,one,reviewed\ns0002,two,\ns0003,three,\n")
    assert read_groups(file, data) == {"s0000": "one", "s0001": "one", "s0002": "two", "s0003": "three"}
    for text, fault in (
        ("path\ns0000\n", "expected path and group"),
        ("path,group\ns0000,a\ns0001,a\ns0002,b\n", "1 images of the data have no row.*s0003"),
        ("path,group\ns0000,a\ns0001,a\ns0002,b\ns0003,c\nzz,c\n", "not in the data.*zz"),
        ("path,group\ns0000,a\ns0001,\ns0002,b\ns0003,c\n", "have no group.*s0001"),
        ("path,group\ns0000,a\ns0001,a\ns0002,b\ns0003,c\ns0003,d\n", "in two groups.*s0003"),
    ):
        file.write_text(text)
        with pytest.raises(ManifestError, match=fault):
            read_groups(file, data)


def test_groups_of_a_file_speak_for_its_frames(made: Made, tmp_path: Path) -> None:
    data = small(made)
    frames = [
        s.model_copy(update={"id": f"a.tif#{i}", "path": "a.tif", "frame": i})
        for i, s in enumerate(data.samples[:2])
    ]
    data = replace(data, samples=(*frames, *data.samples[2:]))
    (tmp_path / "g.csv").write_text("path,group\na.tif,one\ns0002,two\ns0003,two\n")
    assert read_groups(tmp_path / "g.csv", data) == {
        "a.tif#0": "one",
        "a.tif#1": "one",
        "s0002": "two",
        "s0003": "two",
    }
