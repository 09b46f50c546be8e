"""Roles that fit the cells, one-hot columns, labels of one meaning, rows of one image."""

from __future__ import annotations

import pytest

from headtohead.core.errors import ManifestError, UsageError
from headtohead.data.entry import Entry
from headtohead.data.listing.table_reader import SourceTable
from headtohead.data.listing.table_roles import join_labels, merge_rows, understand_roles


def table(header: str, *rows: str) -> SourceTable:
    return SourceTable("t.csv", tuple(header.split(",")), tuple(tuple(row.split(",")) for row in rows))


def test_one_hot_columns_become_labels() -> None:
    read, chosen, notes = understand_roles(table("image,a,b,c", "1,1,0,0", "2,0.0,1.0,0", "3,1,0,0"), {})
    assert read.column(chosen["label"]) == ["a", "b", "a"]
    assert "of a, b" in notes[-1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("1,1,1", "2,0,1"), r"several questions at once.*a \(1\), b \(2\)\. Ask for one: --label-has b"),
        (("1,1,0", "2,0,0"), "none is taken for label"),
        (("1,x,0", "2,y,1"), "none is taken for label"),
    ],
)
def test_columns_that_are_no_one_hot_code_are_asked_for(rows: tuple[str, ...], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        understand_roles(table("image,a,b", *rows), {})


def test_a_guessed_role_that_fits_no_cell_is_dropped_aloud_but_not_one_that_was_given() -> None:
    source = table("path,label,set,slice", "a.png,x,siteA,100", "b.png,y,siteB,101")
    _, chosen, notes = understand_roles(source, {})
    assert set(chosen) == {"path", "label"}
    assert len(notes) == 2
    _, chosen, _ = understand_roles(source, {"split": "set"})
    assert chosen["split"] == "set"


def test_labels_of_one_number_and_words_for_unknown() -> None:
    labels = ["1", "1", "1.0", "01", "2", "nan", "None", "1a"]
    entries, notes = join_labels([Entry(f"{i}.png", label=label) for i, label in enumerate(labels)])
    assert [entry.label for entry in entries] == ["1", "1", "1", "1", "2", "", "", "1a"]
    assert any("'1.0' is '1'" in note for note in notes) and any("not known" in note for note in notes)


def test_rows_of_one_image_are_joined_if_they_agree() -> None:
    rows = [Entry("a", label="x", extra={"box": str(i), "sex": "f"}) for i in range(3)]
    merged, notes = merge_rows([*rows, Entry("b", label="x"), Entry("b", label="y")])
    assert [(entry.path, entry.label, dict(entry.extra)) for entry in merged] == [
        ("a", "x", {"sex": "f"}), ("b", "x", {}), ("b", "y", {}),
    ]  # fmt: skip
    assert notes == ("2 rows repeat an image with the same label and were joined to it.",)


def test_a_fold_column_is_the_split_where_it_divides_the_rows() -> None:
    _, chosen, _ = understand_roles(table("image,label,fold", "1,a,0", "2,b,0", "3,a,1", "4,b,1"), {})
    assert chosen["fold"] == "fold"
    _, chosen, notes = understand_roles(table("image,label,fold", "1,a,x", "2,b,y", "3,a,z"), {})
    assert "fold" not in chosen and "'fold' is no fold" in notes[0]
    rows = ("1,a,0,train", "2,b,0,test", "3,a,1,train", "4,b,1,test")
    _, chosen, notes = understand_roles(table("image,label,fold,split", *rows), {})
    assert "fold" not in chosen and "'fold' is not used, since 'split' is the split" in notes[0]


def test_a_role_is_unset_by_an_empty_name() -> None:
    rows = ("1,a,dev", "2,b,train")
    _, chosen, _ = understand_roles(table("image,label,split", *rows), {"split": ""})
    assert "split" not in chosen
    with pytest.raises(UsageError, match="every image needs a path and a label"):
        understand_roles(table("image,label,split", *rows), {"label": ""})
