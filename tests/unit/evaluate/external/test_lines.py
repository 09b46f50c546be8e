"""Lines of prediction tables: incomplete samples counted, spellings joined, numbers understood."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.planting.prediction_files import FAULTY, two_models

from headtohead.cli.app import main
from headtohead.core.errors import ManifestError, UnpairedError
from headtohead.evaluate.external.lines import need_pairs, to_numbers
from headtohead.evaluate.external_predictions import parse_predictions


def test_incomplete_samples_are_left_out_for_all_models_and_counted() -> None:
    frame = two_models()
    frame.loc[3, "score"] = None
    frame.loc[[4, 64], "label"] = None
    frame = frame.drop(index=[65, 70])
    with pytest.raises(ManifestError, match="--complete-cases"):
        parse_predictions(frame)
    found = parse_predictions(frame, complete_cases=True)
    left = set(two_models()["sample"]) - set(found.frame["sample"])
    assert left == {"s00003", "s00004", "s00005", "s00010"}
    assert (found.frame["sample"].value_counts() == 2).all()
    (note,) = [note for note in found.notes if "Complete cases" in note]
    assert "4 of 60 samples" in note
    assert "1 without a label; 1 without a number; 2 without a prediction of each model" in note
    assert "by label: no label 1, benign 1, malignant 2" in note


def test_complete_tables_lose_nothing() -> None:
    found = parse_predictions(two_models(), complete_cases=True)
    assert found.frame["sample"].nunique() == 60
    assert any("all 60 samples are complete" in note for note in found.notes)


def test_a_sample_that_lacks_a_repeat_of_one_model_is_named() -> None:
    frame = pd.concat([two_models().assign(repeat=r) for r in (0, 1)], ignore_index=True)
    hold_out = frame[(frame["repeat"] == 0) | (frame["sample"] < "s00030")]
    need_pairs(hold_out)
    with pytest.raises(UnpairedError, match="'cnn' has no prediction for 1 of 60 samples: s00000"):
        need_pairs(hold_out.drop(index=120))


def test_labels_of_one_number_are_one_class() -> None:
    frame = two_models()
    frame["label"] = frame["label"].map({"benign": "0", "malignant": "1"})
    frame.loc[frame["model"] == "vit", "label"] += ".0"
    found = parse_predictions(frame)
    assert found.classes == ("0", "1")
    assert sum("differ in spelling" in note for note in found.notes) == 2


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [(["0,25", "1"], [0.25, 1.0]), (["25%", "100 %"], [0.25, 1.0]), (["1e-3", ".5"], [0.001, 0.5])],
)
def test_numbers_are_read_as_people_write_them(cells: list[str], numbers: list[float]) -> None:
    frame = pd.DataFrame({"score": cells, "sample": "s", "model": "m"})
    assert to_numbers(frame, "score", []).tolist() == numbers


@pytest.mark.parametrize("cells", [["0.5", "0,5"], ["0,5,1"], ["x"], ["1.2"], ["inf"], ["50%", "0.5"]])
def test_numbers_that_cannot_be_meant_are_refused(cells: list[str]) -> None:
    with pytest.raises(ManifestError, match="Expected probabilities"):
        to_numbers(pd.DataFrame({"score": cells, "sample": "s", "model": "m"}), "score", [])


def test_the_command_follows_its_own_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lacking, named = FAULTY["a missing line"][0](tmp_path), tmp_path / "named.csv"
    assert main(["verdict", str(lacking), "--replicates", "100"]) == 1
    assert "--complete-cases" in capsys.readouterr().err
    assert main(["verdict", str(lacking), "--replicates", "100", "--complete-cases"]) == 0
    assert "2 of 60 samples were left out" in capsys.readouterr().out
    two_models().rename(columns={"label": "what"}).to_csv(named, index=False)
    assert main(["verdict", str(named), "--replicates", "100", "--columns", "label=what"]) == 0
