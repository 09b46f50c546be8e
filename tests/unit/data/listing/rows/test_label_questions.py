"""One question of several labels: of cells, columns, rows and arrays; against one label; what is not answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.core.errors import DataError, ManifestError, NoEffectError, UnknownNameError
from headtohead.data.listing.rows.label_questions import advice, label_parts
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]

CELLS = "path,label\n0,Effusion\n1,Effusion|Mass\n2,No Finding\n3,No Finding\n4,Mass\n"
COLUMNS = "path,Effusion,Mass,No Finding\n0,1.0,,\n1,1,1,0\n2,0,0,1\n3,-1,,1.0\n4,,1.0,0\n"
READERS = "path,label,reader\n" + "".join(
    f"{i},{label},R{r}\n"
    for r, labels in enumerate(
        ["Effusion Mass No_Finding No_Finding Mass", "Mass Effusion No_Finding No_Finding Mass"]
    )
    for i, label in enumerate(labels.split())
)
LONG = "ID,Label\n" + "".join(
    f"{i}_{word},{int(word in found)}\n"
    for i, found in enumerate([["Effusion"], ["Effusion", "Mass"], [], [], ["Mass"]])
    for word in ("Effusion", "Mass")
)
TABLES = {"cells": CELLS, "columns": COLUMNS, "readers": READERS, "rows": LONG}


@pytest.fixture
def source(tree: Tree, image: Image) -> Callable[[str], str]:
    def written(table: str) -> str:
        root = tree({f"images/{i}.png": image(i) for i in range(5)} | {"t.csv": table.encode()})
        return str(root / "t.csv")

    return written


def asked(source: str, has: str, against: str | None = None) -> dict[str, str]:
    data = load(source, LoadOptions(label_has=has, against=against))
    return {sample.path[-5]: sample.label for sample in data.samples}


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_without_a_question_the_exact_option_is_named_and_works(
    kind: str, source: Callable[[str], str]
) -> None:
    path = source(TABLES[kind])
    with pytest.raises(ManifestError, match=r"--label-has (Effusion|Mass)") as caught:
        load(path)
    has = str(caught.value).partition("--label-has ")[2].split()[0].rstrip(".")
    assert len(set(asked(path, has).values())) == 2


def test_of_cells(source: Callable[[str], str]) -> None:
    path = source(CELLS)
    assert asked(path, "effusion") == dict.fromkeys("01", "Effusion") | dict.fromkeys("234", "no Effusion")
    assert asked(path, "Effusion", "no finding") == dict.fromkeys("01", "Effusion") | dict.fromkeys(
        "23", "No Finding"
    )


def test_of_columns_blank_and_uncertain_answer_nothing(source: Callable[[str], str]) -> None:
    path = source(COLUMNS)
    assert asked(path, "Effusion") == {"0": "Effusion", "1": "Effusion", "2": "no Effusion"}
    against = asked(path, "Effusion", "No Finding")
    assert against == dict.fromkeys("01", "Effusion") | dict.fromkeys("23", "No Finding")


def test_of_rows_any_reader_counts(source: Callable[[str], str]) -> None:
    path = source(READERS)
    assert asked(path, "Effusion") == dict.fromkeys("01", "Effusion") | dict.fromkeys("234", "no Effusion")


def test_of_one_row_per_question(source: Callable[[str], str]) -> None:
    path = source(LONG)
    assert asked(path, "Mass") == dict.fromkeys("14", "Mass") | dict.fromkeys("023", "no Mass")


def test_what_is_not_answered_is_counted_and_said(source: Callable[[str], str]) -> None:
    data = load(source(COLUMNS), LoadOptions(label_has="Effusion"))
    record = data_record(data)
    assert record["left_out"] == [
        {"why": "images that do not answer --label-has Effusion", "n": 2, "per_class": {}}
    ]
    assert (record["positive"], data.labels_from) == ("Effusion", "--label-has Effusion in t.csv")
    assert any(note.startswith("2 images that do not answer") for note in data.notes)


def test_an_unknown_label_is_refused_with_the_known_ones(source: Callable[[str], str]) -> None:
    for table in (CELLS, COLUMNS, LONG):
        with pytest.raises(UnknownNameError, match=r"Edema.*Effusion"):
            asked(source(table), "Edema")
    with pytest.raises(UnknownNameError, match="Normal"):
        asked(source(CELLS), "Effusion", "Normal")


def test_a_question_without_a_table_is_refused(tree: Tree, image: Image) -> None:
    root = tree({f"{c}/{i}.png": image(i) for c in "ab" for i in range(2)})
    with pytest.raises(NoEffectError, match="there is no table of labels"):
        load(str(root), LoadOptions(label_has="Effusion"))
    with pytest.raises(NoEffectError, match="without label_has"):
        load(str(root), LoadOptions(against="Effusion"))


def test_the_table_beside_a_folder_is_asked(source: Callable[[str], str]) -> None:
    folder = str(Path(source(CELLS)).parent)
    assert set(asked(folder, "Mass").values()) == {"Mass", "no Mass"}


def test_one_against_the_rest_of_single_labels(source: Callable[[str], str]) -> None:
    path = source("path,dx\n0,mel\n1,nv\n2,bkl\n3,mel\n4,nv\n")
    assert asked(path, "mel", "nv") == {"0": "mel", "1": "nv", "3": "mel", "4": "nv"}


def test_several_labels_in_arrays(tmp_path: Path) -> None:
    labels = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])
    images = np.random.default_rng(0).integers(0, 255, (4, 9, 9), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    with pytest.raises(DataError, match=r"0 \(2\), 1 \(2\), 2 \(2\).*--label-has 0"):
        load(str(tmp_path / "set.npz"))
    data = load(str(tmp_path / "set.npz"), LoadOptions(label_has="2"))
    assert [sample.label for sample in data.samples] == ["2", "no 2", "no 2", "2"]


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("a|b", ["a", "b"]),
        ("a; b", ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("[1, 0]", ["1", "0"]),
        ("", []),
        ("a", ["a"]),
    ],
)
def test_the_labels_of_a_cell(cell: str, parts: list[str]) -> None:
    assert label_parts(cell) == parts


def test_lists_of_one_are_plain_labels(source: Callable[[str], str]) -> None:
    path = source("path\tlabel\n" + "".join(f"{i}\t['{'ab'[i % 2]}']\n" for i in range(5)))
    assert set(load(path).classes) == {"a", "b"}
    path = source("path\tlabel\n" + "".join(f"{i}\t[{i % 2}, {1 - i % 2}]\n" for i in range(5)))
    assert set(load(path).classes) == {"0", "1"}


def test_a_column_number_is_no_word_for_nothing() -> None:
    assert advice({"10": 1, "0": 3, "9": 2}) == "0 (3), 9 (2), 10 (1). Ask for one: --label-has 0."
