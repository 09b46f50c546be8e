"""Tables of images: columns found or named, and everything that is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from headtohead.core.errors import ManifestError, NoEffectError, UsageError
from headtohead.data.dataset import GIVEN_GROUP
from headtohead.data.load import LoadOptions, load, source_digest

Image = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, image: Image) -> Path:
    for i in range(4):
        (tmp_path / "img").mkdir(exist_ok=True)
        (tmp_path / "img" / f"{i}.png").write_bytes(image(i))
    return tmp_path


def write(folder: Path, text: str, name: str = "m.csv", encoding: str = "utf-8") -> str:
    (folder / name).write_text(text, encoding=encoding)
    return str(folder / name)


PLAIN = """path,label,group,split,age
img/0.png,no,p1,train,61
img/1.png,yes,p1,train,61
img/2.png,no,p2,test,
img/3.png,yes,p3,valid,7
"""


def test_a_plain_table(folder: Path) -> None:
    source = write(folder, PLAIN)
    data = load(source)
    assert [s.id for s in data.samples] == [f"img/{i}.png" for i in range(4)]
    assert data.groups().tolist() == ["p1", "p1", "p2", "p3"]
    assert [s.split for s in data.samples] == ["train", "train", "test", "val"]
    assert data.samples[0].extra == {"age": "61", GIVEN_GROUP: "p1"} and data.samples[2].extra["age"] == ""
    assert data.classes == ("no", "yes") and data.root == str(folder)
    assert any("path from 'path', label from 'label'" in note for note in data.notes)
    assert source_digest(source) == data.digest()
    assert data.read(data.samples[0]).size == (9, 8)


def test_a_changed_group_or_split_changes_the_digest(folder: Path) -> None:
    before = load(write(folder, PLAIN)).digest()
    assert load(write(folder, PLAIN.replace("p3", "p2"))).digest() != before
    assert load(write(folder, PLAIN.replace("valid", "test"))).digest() != before
    lines = PLAIN.splitlines()
    assert load(write(folder, "\n".join([lines[0], *lines[:0:-1]]) + "\n")).digest() == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.tsv", "file\tdx\nimg/0.png\tno\nimg/1.png\tyes\n"),
        ("m.csv", "Image Path;Diagnosis\nimg/0.png;no\nimg\\1.png;yes\n\n"),
        ("M.CSV", "\ufefffilename , class\n img/0.png , no\n./img/1.png,yes\n"),
        ("m.csv", 'Patient ID,File-Name,label\np1,"img/0.png",no\np2,img/x/../1.png,yes\n'),
    ],
)
def test_separators_cases_and_names_of_columns(folder: Path, name: str, text: str) -> None:
    data = load(write(folder, text, name))
    assert [(s.path, s.label) for s in data.samples] == [("img/0.png", "no"), ("img/1.png", "yes")]


def test_parquet_with_numbers(folder: Path) -> None:
    table = pd.DataFrame(
        {"path": ["img/0.png", "img/1.png"], "label": [0.0, 1.0], "age": [3, None], "case": [11, 12]}
    )
    table.to_parquet(folder / "m.parquet")
    data = load(str(folder / "m.parquet"))
    assert data.classes == ("0", "1") and data.positive == "1"
    assert data.groups().tolist() == ["11", "12"] and [s.extra["age"] for s in data.samples] == ["3", ""]


def test_columns_by_name(folder: Path) -> None:
    source = write(folder, "a,b,label\nimg/0.png,no,x\nimg/1.png,yes,y\n")
    data = load(source, LoadOptions(columns={"path": "a", "label": "b"}))
    assert data.classes == ("no", "yes") and data.samples[0].extra == {"label": "x"}
    for columns, error, match in (
        ({"path": "zz"}, ManifestError, r"no column \['zz'\]"),
        ({"colour": "a"}, UsageError, "Unknown roles"),
        ({"path": "a", "label": "a"}, UsageError, "share a column"),
        ({}, ManifestError, "none is taken for path.*--columns 'path=<column>'"),
    ):
        with pytest.raises(error, match=match):
            load(source, LoadOptions(columns=columns))


def test_absolute_paths_and_paths_beside_the_table(folder: Path) -> None:
    inner = folder / "lists"
    inner.mkdir()
    data = load(write(inner, f"path,label\n{folder}/img/0.png,no\n../img/1.png,yes\n"))
    assert [s.path for s in data.samples] == ["../img/0.png", "../img/1.png"]
    assert data.read(data.samples[1]).format == "PNG"


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            "img/0.png,no\nimg/9.png,yes\nimg/8.png,no\n",
            r"2 of 3 files are not there: .*9\.png.*Paths are relative",
        ),
        ("img/0.png,no\nimg/0.png,yes\nimg/1.png,yes\n", "listed more than once: img/0.png"),
        (
            "img/0.png,no\n./img/0.png,yes\n",
            r"listed more than once: img/0.png.*with the labels \['no', 'yes'\]",
        ),
        ("img/0.png,\nimg/1.png,yes\n", r"1 of 2 rows have no label or no path: img/0\.png"),
        (",no\nimg/1.png,yes\n", "a row without path"),
        (
            "img/0.png,Edema|Mass\nimg/1.png,No Finding\n",
            "several labels, such as 'Edema|Mass'.*asks one question",
        ),
        ("img/0.png,a;b\nimg/1.png,c\n", "several labels"),
        ('img/0.png,"[1, 2]"\nimg/1.png,c\n', "several labels"),
        ('img/0.png,"a, b"\nimg/1.png,a\nimg/2.png,b\n', "several labels"),
        ("img/0.png,a,b\nimg/1.png,a\n", "rows have more or fewer cells"),
        ('img/0.png,"a\n', "not a readable table"),
    ],
)
def test_what_a_table_may_not_say(folder: Path, rows: str, fault: str) -> None:
    with pytest.raises(ManifestError, match=fault):
        load(write(folder, "path,label\n" + rows))


def test_a_comma_in_a_name_is_no_list(folder: Path) -> None:
    data = load(write(folder, 'path,label\nimg/0.png,"melanoma, in situ"\nimg/1.png,naevus\n'))
    assert data.classes == ("melanoma, in situ", "naevus")


def test_splits_that_are_none_and_groups_given_twice(folder: Path) -> None:
    with pytest.raises(ManifestError, match="split 'left' is not understood"):
        load(write(folder, "path,label,split\nimg/0.png,no,left\nimg/1.png,yes,test\n"))
    data = load(write(folder, "path,label,split\nimg/0.png,no,left\nimg/1.png,yes,right\n"))
    assert any("column 'split' is no split (it holds left, right)" in note for note in data.notes)
    with pytest.raises(UsageError, match="Groups are given twice"):
        load(write(folder, PLAIN), LoadOptions(group_from=r"(\d)"))
    with pytest.raises(NoEffectError, match="label_from"):
        load(write(folder, PLAIN), LoadOptions(label_from=r"(\d)"))


def test_empty_groups_are_groups_of_their_own_and_said(folder: Path) -> None:
    data = load(write(folder, "path,label,patient\nimg/0.png,no,p\nimg/1.png,yes,\nimg/2.png,yes,\n"))
    assert data.groups().tolist() == ["p", "img/1.png", "img/2.png"]
    assert any("2 rows have no group in 'patient'" in note for note in data.notes)


def test_a_broken_image_in_a_table_is_a_problem(folder: Path) -> None:
    (folder / "img" / "0.png").write_bytes(b"")
    data = load(write(folder, PLAIN))
    assert len(data) == 3 and data.problems[0].path == "img/0.png" and "empty" in data.problems[0].reason


def test_a_column_called_group_that_is_not_the_group(folder: Path) -> None:
    source = write(folder, "path,label,group,who\nimg/0.png,no,x,p1\nimg/1.png,yes,y,\n")
    options = LoadOptions(columns={"group": "who"})
    data = load(source, options)
    assert data.groups().tolist() == ["p1", "img/1.png"]
    assert [s.extra["group"] for s in data.samples] == ["x", "y"]
    assert source_digest(source, options) == data.digest()


def test_names_without_suffix_are_hinted_at(folder: Path) -> None:
    with pytest.raises(ManifestError, match="They have no suffix"):
        load(write(folder, "image_id,dx\nISIC_1,no\nISIC_2,yes\n"))
