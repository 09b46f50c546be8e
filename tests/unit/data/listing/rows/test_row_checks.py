"""Cells that are no paths: images as text, web addresses, patterns, paths of another machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import ManifestError
from headtohead.data.entry import Entry
from headtohead.data.listing.rows.row_checks import check_labels, check_rows, elsewhere
from headtohead.data.load import load
from headtohead.data.storage.folder import FolderStore

Tree = Callable[[dict[str, bytes]], Path]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("iVBORw0KGgo" * 900, r"no paths but up to 9,900 characters.*base64"),
        (
            "https://example.org/img/{i}.png",
            r"web addresses, such as https://example.org/img/0.png.*Nothing is downlo",
        ),
        ("P{i}/*.png", r"patterns, such as P0/\*.png.*folder alone"),
        ("/kaggle/input/set/{i}.png", r"2 of 2 files are not there: /kaggle/input/set/0.png"),
        (r"C:\Users\me\{i}.png", r"2 of 2 files are not there: C:\\Users\\me\\0.png"),
    ],
)
def test_what_is_not_there_is_shown_as_it_is_written(tree: Tree, cell: str, words: str) -> None:
    rows = [
        f"{cell.format(i=i) if len(cell) < 99 else cell + str(i)},{label}" for i, label in enumerate("ab")
    ]
    root = tree({"t.csv": ("path,label\n" + "\n".join(rows)).encode()})
    with pytest.raises(ManifestError, match=words.replace("9,900", "9,901")) as caught:
        load(str(root / "t.csv"))
    assert len(str(caught.value)) < 600


def refusal(check: Callable[[str, list[Entry]], None], *rows: tuple[str, str]) -> str:
    with pytest.raises(ManifestError) as caught:
        check("t.csv", [Entry(path, label) for path, label in rows])
    return str(caught.value)


def test_rows_without_label_or_path_are_counted_and_named() -> None:
    assert refusal(check_labels, ("a.png", ""), ("", "yes"), ("b.png", "no")) == (
        "t.csv: 2 of 3 rows have no label or no path: a.png, a row without path. Every row needs both. To go on "
        "without them: --drop-unlabelled."
    )


def test_several_labels_in_a_cell_are_counted_one_by_one() -> None:
    said = refusal(check_labels, ("a.png", "Mass|Edema"), ("b.png", "Mass"), ("c.png", "No Finding"))
    assert said == (
        "t.csv: 1 row carries several labels, such as 'Mass|Edema' for a.png; a comparison asks for one. The labels "
        "are Edema (1), Mass (2), No Finding (1). Ask for one: --label-has Mass --against 'No Finding'."
    )
    check_labels(
        "t.csv", [Entry("a.png", "yes, large"), Entry("b.png", "no")]
    )  # a comma may stand in a label


def test_an_image_in_two_rows_is_refused_with_its_labels() -> None:
    said = refusal(check_rows, ("a.png", "Mass"), ("b.png", "No Finding"), ("a.png", "Edema"))
    assert said == (
        "t.csv: 1 image is listed more than once: a.png. The first stands there with the labels ['Edema', 'Mass']. "
        "One row and one label per image is expected; remove the others. Where an image may have several labels, they "
        "are Edema (1), Mass (1), No Finding (1). Ask for one: --label-has Edema --against 'No Finding'."
    )
    alike = refusal(check_rows, ("a.png", "yes"), ("a.png", "yes"))
    assert "The first stands there twice alike. One row" in alike and "--label-has" not in alike


def test_two_frames_of_one_file_are_two_images() -> None:
    check_rows("t.csv", [Entry("a.dcm", "yes", frame=0), Entry("a.dcm", "no", frame=1)])
    with pytest.raises(ManifestError, match=r"1 image is listed more than once: a\.dcm"):
        check_rows("t.csv", [Entry("a.dcm", "yes", frame=1), Entry("a.dcm", "no", frame=1)])


def test_files_outside_the_folder_of_their_table_are_told_and_links_out_refused(tree: Tree) -> None:
    root = tree({"in/a.png": b"1", "out/b.png": b"2"}) / "in"
    store = FolderStore(root)
    inside, outside = Entry("a.png", "yes"), Entry("../out/b.png", "no")
    assert elsewhere("t.csv", [inside, inside], store) == ()
    assert elsewhere("t.csv", [inside, outside, outside], store) == (
        "t.csv: 1 of 2 files lie outside its folder, such as ../out/b.png.",
    )
    (root / "link.png").symlink_to(root.parent / "out" / "b.png")
    with pytest.raises(
        ManifestError, match=r"^t\.csv: 1 file.* links that lead out of its folder: link\.png"
    ):
        elsewhere("t.csv", [Entry("link.png", "yes")], store)
