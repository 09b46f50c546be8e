"""JSON tables and workbooks."""

from __future__ import annotations

import io

import pytest

from headtohead.core.errors import ManifestError
from headtohead.data.tables.records import read_json, read_workbook


@pytest.mark.parametrize(
    "text",
    ['[{"a": 1, "b": null}, {"a": "x", "b": true}]', '{"a": 1, "b": null}\n\n{"a": "x", "b": true}\n',
     '{"a": [1, "x"], "b": [null, true]}', '{\n "a": [1, "x"],\n "b": [null, true]\n}'],
)  # fmt: skip
def test_json_of_every_usual_form_is_the_same_table(text: str) -> None:
    assert read_json("t.json", text) == (["a", "b"], [("1", ""), ("x", "True")])


@pytest.mark.parametrize("text", ["", "[]", "[1]", "{", '"x"', '{"a": [1], "b": []}', "[" * 100_000])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match=r"t\.json"):
        read_json("t.json", text)


def test_a_workbook_keeps_whole_numbers_and_drops_empty_rows() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (["path", "label", None], ["a.png", 1], [None, None], ["b.png", 0.5]):
        book.active.append(row)
    book.save(content)
    assert read_workbook("t.xlsx", content.getvalue()) == (
        ["path", "label"],
        [("a.png", "1"), ("b.png", "0.5")],
    )
    with pytest.raises(ManifestError, match="not a readable workbook"):
        read_workbook("t.xlsx", content.getvalue()[:200])
