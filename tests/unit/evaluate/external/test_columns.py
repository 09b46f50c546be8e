"""Columns of prediction files: found by name or as said, and never guessed in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.planting.prediction_files import two_models

from headtohead.core.errors import ManifestError, UsageError
from headtohead.evaluate.external.roles import as_text
from headtohead.evaluate.external_predictions import parse_predictions, read_predictions
from headtohead.stats.prediction_builder import build_prediction_table


def test_columns_are_as_the_caller_says() -> None:
    frame = two_models().rename(columns={"sample": "Bild", "label": "wahr", "score": "p2", "model": "who"})
    roles = {"sample": "Bild", "label": "wahr", "score": "p2", "model": "who"}
    found = parse_predictions(frame, columns=roles)
    assert found.frame["prob_malignant"].tolist() == two_models()["score"].tolist()
    with pytest.raises(UsageError, match=r"Unknown role\(s\) image"):
        parse_predictions(frame, columns={"image": "Bild"})
    with pytest.raises(ManifestError, match=r"no column 'bild' \(did you mean 'Bild'\?\)"):
        parse_predictions(frame, columns={"sample": "bild"})
    with pytest.raises(UsageError, match="share a column"):
        parse_predictions(frame, columns={"sample": "Bild", "label": "Bild"})


def test_a_seed_may_be_the_repeat() -> None:
    frame = pd.concat([two_models().assign(seed=seed) for seed in (1, 2)])
    assert sorted(parse_predictions(frame, columns={"repeat": "seed"}).frame["repeat"].unique()) == [1, 2]


@pytest.mark.parametrize(("values", "role"), [((1, 2), "repeat"), (("a", "b"), "model")])
def test_lines_that_another_column_tells_apart_are_refused_with_the_option(
    values: tuple[int, int] | tuple[str, str], role: str
) -> None:
    parts = [
        two_models().drop(columns="model").drop_duplicates("sample").assign(run=value) for value in values
    ]
    frame = pd.concat(parts)
    frame.insert(0, "loss", [0.5, 0.5, *np.linspace(0, 1, len(frame) - 2)])
    with pytest.raises(ManifestError, match=f"--columns {role}=run"):
        parse_predictions(frame)
    assert len(parse_predictions(frame, columns={role: "run"}).frame) == len(frame)


def test_plain_duplicates_get_no_such_advice() -> None:
    twice = pd.concat([two_models(), two_models()]).assign(site="a")
    frame = twice.assign(line=range(len(twice)))
    with pytest.raises(ManifestError, match="appears more than once"):
        found = parse_predictions(frame)
        build_prediction_table(found.frame.rename(columns={"model": "contender"}), classes=found.classes)


def test_a_lone_table_without_samples_has_its_lines_numbered(tmp_path: Path) -> None:
    wide = pd.DataFrame(
        {"y_true": [0, 1] * 20, "model_a": np.linspace(0, 1, 40), "model_b": np.linspace(1, 0, 40)}
    )
    found = parse_predictions(wide)
    assert found.frame["sample"].nunique() == 40
    assert list(pd.unique(found.frame["contender"])) == ["model_a", "model_b"]
    assert any("names no samples" in note for note in found.notes)
    single = wide[["y_true", "model_a"]].rename(columns={"model_a": "y_score"})
    assert any("names no samples" in note for note in parse_predictions(single).notes)
    for name in ("a", "b"):
        single.to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(ManifestError, match="lacks the column"):
        read_predictions([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_figures_of_folds_are_no_predictions_and_this_is_said() -> None:
    folds = pd.DataFrame(
        {"model": ["a", "b"] * 3, "fold": [0, 0, 1, 1, 2, 2], "AUC": [0.9] * 6, "loss": [0.3] * 6}
    )
    with pytest.raises(
        ManifestError, match=r"holds figures \(AUC, loss\), not predictions.*save the predictions of"
    ):
        parse_predictions(folds)
    with pytest.raises(ManifestError, match=r"lacks the column.*--columns"):
        parse_predictions(folds.drop(columns=["AUC", "loss"]).assign(x=1))


def test_three_classes_have_columns_named_like_them() -> None:
    label = np.arange(30) % 3
    prob = np.full((30, 3), 0.2) + 0.4 * np.eye(3)[label]
    frame = pd.DataFrame({"sample": range(30), "label": np.array(["A", "b", "c 1"])[label]})
    frame[["a", "B", "C_1"]] = prob
    found = parse_predictions(frame)
    assert found.frame[["prob_A", "prob_b", "prob_c 1"]].to_numpy() == pytest.approx(prob)
    with pytest.raises(ManifestError, match="lacks the column"):
        parse_predictions(frame.drop(columns="B").assign(C_1="x", a="y"))


def test_the_exact_name_of_a_role_comes_first() -> None:
    frame = two_models().assign(image="other", Label="other", patient="p")
    found = parse_predictions(frame)
    assert set(found.frame["label"]) == {"benign", "malignant"}
    assert found.frame["sample"].nunique() == 60


def test_a_subgroup_column_is_not_taken_for_a_role() -> None:
    frame = two_models().drop(columns="group").assign(method=np.tile(["x", "y"], 60), patient="p")
    found = parse_predictions(frame, by=["method"])
    assert set(found.by["method"].values()) == {"x", "y"}
    assert any("group from 'patient'" in note for note in found.notes)


@pytest.mark.parametrize(("values", "text"), [([1.0, np.nan], ["1", ""]), ([1.5, 2.0], ["1.5", "2.0"])])
def test_numbers_become_the_text_that_people_mean(values: list[float], text: list[str]) -> None:
    assert as_text(pd.Series(values)).tolist() == text
