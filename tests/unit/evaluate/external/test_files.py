"""Files of predictions as people have them: the same comparison however it is written, or the way to mend it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.planting.prediction_files import FAULTY, READABLE, two_models

from headtohead.core.errors import HeadToHeadError, ManifestError
from headtohead.evaluate.external.files import read_prediction_file
from headtohead.evaluate.external_predictions import read_predictions


def scores(path: Path) -> pd.DataFrame:
    frame = read_predictions([path]).frame.reset_index(drop=True).rename(columns=str.casefold)
    frame["sample"] = frame["sample"].str.removeprefix("s").str.lstrip("0")
    return frame[["contender", "sample", "label", "prob_benign", "prob_malignant"]]


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_the_same_predictions_are_read_however_they_are_written(kind: str, tmp_path: Path) -> None:
    write, words = READABLE[kind]
    path = write(tmp_path)
    plain = two_models()
    found = scores(path)
    assert found["contender"].tolist() == plain["model"].tolist()
    assert found["label"].str.casefold().tolist() == plain["label"].tolist()
    assert found["prob_malignant"].to_numpy() == pytest.approx(plain["score"].to_numpy(), abs=1e-9)
    assert (found["prob_benign"] + found["prob_malignant"]).to_numpy() == pytest.approx(1)
    notes = " ".join(read_predictions([path]).notes)
    assert words in notes


def test_a_plain_file_needs_no_note_on_how_it_was_read(tmp_path: Path) -> None:
    write, _ = READABLE["plain"]
    assert all("counts as positive" in note for note in read_predictions([write(tmp_path)]).notes)


@pytest.mark.parametrize("kind", sorted(FAULTY))
def test_what_cannot_be_read_says_what_to_do(kind: str, tmp_path: Path) -> None:
    write, words = FAULTY[kind]
    with pytest.raises(HeadToHeadError, match=words):
        read_predictions([write(tmp_path)])


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b'{"a": [1], "b": []}', b"[1, 2]", b"[{"]
)
def test_what_is_no_table_is_refused(content: bytes, tmp_path: Path) -> None:
    for name in ("p.csv", "p.json"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ManifestError, match=name):
            read_predictions([tmp_path / name])


def test_a_workbook_is_read_by_its_first_sheet(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    two_models().to_excel(tmp_path / "p.xlsx", index=False)
    assert scores(tmp_path / "p.xlsx")["prob_malignant"].to_numpy() == pytest.approx(
        two_models()["score"].to_numpy()
    )
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ManifestError, match=r"broken\.xlsx is not a readable workbook"):
        read_prediction_file(tmp_path / "broken.xlsx")
