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
)
from headtohead.data.dataset import Dataset

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
