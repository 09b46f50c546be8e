"""What was understood is true, in one line and in `audit.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.api.arguments import run_path
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record, loss_warnings, understood

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def files(image: Image) -> dict[str, bytes]:
    places = [f"{part}/{label}" for part in ("train", "test") for label in ("no", "yes")]
    found = {
        f"{place}/p{i}_{place[-3:].strip('/')}.png": image(10 * k + i)
        for k, place in enumerate(places)
        for i in range(3)
    }
    found |= {f"train/yes/p{i}_yes_mask.png": image(i) for i in range(3)}
    found |= {f"test/no/{i}.heic": b"heic" for i in range(4)} | {
        "test/yes/broken.png": b"x",
        "top.png": image(5),
    }
    return found


def test_the_record_counts_what_is_there(image: Image, tree: Tree) -> None:
    data = load(str(tree(files(image))))
    record = data_record(data)
    assert record["classes"] == {"no": 6, "yes": 6}
    assert (record["positive"], record["split"]) == ("yes", {"test": 6, "train": 6})
    assert (record["n_samples"], record["n_groups"], record["groups_from"]) == (12, 12, "each file alone")
    left = {one["why"].partition(",")[0]: (one["n"], one["per_class"]) for one in record["left_out"]}
    assert left == {
        "HEIC files": (4, {"no": 4}),
        "masks of other images": (3, {"yes": 3}),
        "files that could not be read": (1, {"yes": 1}),
        "images without a class": (1, {}),
    }
    lines = [line.strip() for line in understood(data).splitlines()]
    assert lines[0] == "Data: 12 images in 2 classes"
    said = [" ".join(line.split()) for line in lines]
    assert {
        "classes no 6, yes 6",
        "labels from the names of the folders",
        "positive yes",
        "split test 6, train 6",
        "groups 12, each file alone",
        "left out 3 masks of other images: yes 3",
        "left out 1 file that could not be read: yes 1",
    } <= set(said)


def test_a_loss_of_one_class_is_a_warning(image: Image, tree: Tree) -> None:
    (warning,) = loss_warnings(load(str(tree(files(image)))))
    assert "4 of them are of class 'no'" in warning


def test_groups_say_where_they_come_from(image: Image, tree: Tree) -> None:
    source = tree({f"{c}/p{i // 2}_{i}.png": image(i) for c in ("no", "yes") for i in range(4)})
    data = load(str(source), LoadOptions(group_from=r"(p\d)_"))
    assert data_record(data)["groups_from"] == "the paths, by '(p\\\\d)_'"
    assert data_record(data)["n_groups"] == 2
    (source / "t.csv").write_text("path,label,patient\nno/p0_0.png,a,x\nno/p0_1.png,b,y\n")
    assert data_record(load(str(source / "t.csv")))["groups_from"] == "the table"


def test_a_run_folder_inside_the_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    data = str(tmp_path / "data")
    for inside in (tmp_path / "data", tmp_path / "data" / "run"):
        with pytest.raises(UsageError, match="inside the data"):
            run_path(inside, QUIET, data)
    assert run_path(tmp_path / "data-audit", QUIET, data) == tmp_path / "data-audit"
