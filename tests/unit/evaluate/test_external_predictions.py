"""Predictions made elsewhere: what is read, and how each mistake is explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.cli.app import main
from headtohead.core.errors import (
    DataError,
    HeadToHeadError,
    ManifestError,
    NoEffectError,
    UnknownNameError,
    UnpairedError,
)
from headtohead.evaluate.external_predictions import read_predictions


@pytest.fixture(autouse=True)
def _own_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headtohead.cli.app.TOPICS", ("claim", "verdict"))


def predictions(n: int = 80, models: tuple[str, ...] = ("cnn", "vit"), seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    parts = []
    for model in models:
        score = 1 / (1 + np.exp(-(1.5 * (label - 0.5) + rng.normal(size=n))))
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i:03d}" for i in range(n)], "group": [f"g{i // 2:03d}" for i in range(n)],
                 "model": model, "label": label, "score": score}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def written(frame: pd.DataFrame, folder: Path, name: str = "p.csv") -> Path:
    path = folder / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(path, index=False)
    return path


def judged(path: Path, **more: object) -> float:
    found = read_predictions([path])
    verdict = judge(found.frame, classes=found.classes, positive=found.positive, n_boot=100, **more)
    value = verdict.scores[0].value
    assert value is not None
    return value


def test_csv_parquet_and_two_files_say_the_same(tmp_path: Path) -> None:
    frame = predictions()
    one, two = written(frame, tmp_path), written(frame, tmp_path, "p.parquet")
    cnn = written(frame[frame.model == "cnn"].drop(columns="model"), tmp_path, "cnn.csv")
    vit = written(frame[frame.model == "vit"].drop(columns="model"), tmp_path, "vit.csv")
    values = {judged(one), judged(two)}
    both = read_predictions([cnn, vit])
    assert list(pd.unique(both.frame["contender"])) == ["cnn", "vit"]
    verdict = judge(both.frame, classes=both.classes, positive=both.positive, n_boot=100)
    assert values == {verdict.scores[0].value}


def test_named_labels_and_the_positive_class(tmp_path: Path) -> None:
    frame = predictions()
    frame["label"] = np.where(frame.label == 1, "tumor", "healthy")
    path = written(frame, tmp_path)
    found = read_predictions([path])
    assert (found.classes, found.positive) == (("healthy", "tumor"), "tumor")
    assert any("tumor" in note for note in found.notes)
    turned = read_predictions([path], positive="healthy")
    assert turned.positive == "healthy"
    flipped = judge(turned.frame, classes=turned.classes, positive="healthy", n_boot=100)
    assert flipped.scores[0].value == pytest.approx(1 - judged(path))


def test_labels_of_float_and_parquet_integers_are_whole_words(tmp_path: Path) -> None:
    frame = predictions()
    frame["label"] = frame["label"].astype(float)
    assert read_predictions([written(frame, tmp_path, "p.parquet")]).classes == ("0", "1")


def test_without_groups_each_sample_stands_alone_and_it_is_said(tmp_path: Path) -> None:
    found = read_predictions([written(predictions().drop(columns="group"), tmp_path)])
    assert (found.frame["group"] == found.frame["sample"]).all()
    assert any("group" in note for note in found.notes)


def test_three_classes_have_a_column_each(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(90) % 3
    prob = rng.dirichlet([1, 1, 1], 90)
    frame = pd.DataFrame({"sample": range(90), "model": "m", "label": np.array(list("abc"))[label]})
    frame[["prob_a", "prob_b", "prob_c"]] = prob
    found = read_predictions([written(frame, tmp_path)])
    assert found.classes == ("a", "b", "c")
    with pytest.raises(NoEffectError):
        read_predictions([written(frame, tmp_path)], positive="a")
    with pytest.raises(ManifestError, match="prob_<class>"):
        read_predictions(
            [written(frame.drop(columns=["prob_a", "prob_b", "prob_c"]).assign(score=0.5), tmp_path)]
        )


def _nan(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[3, "score"] = np.nan
    return frame


def _off(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[3, "score"] = 1.2
    return frame


MISTAKES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "no score": (lambda f: f.rename(columns={"score": "scores"}), "did you mean 'scores'"),
    "no label": (lambda f: f.drop(columns="label"), "'label'"),
    "nan": (_nan, "s003"),
    "off": (_off, "outside 0 to 1"),
    "logits": (lambda f: f.assign(score=f.score * 9 - 4), "not logits"),
    "words": (lambda f: f.assign(score="high"), "not a finite number"),
    "empty label": (lambda f: f.assign(label=f.label.astype(str).where(f.index != 5, "")), "sample .s005."),
    "no line": (lambda f: f.iloc[:0], "no line"),
    "one class": (lambda f: f.assign(label=1), "two classes"),
}


@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_each_mistake_is_explained(mistake: str, tmp_path: Path) -> None:
    change, words = MISTAKES[mistake]
    with pytest.raises(HeadToHeadError, match=words):
        read_predictions([written(change(predictions()), tmp_path)])


def test_conflicts_and_missing_partners_are_named(tmp_path: Path) -> None:
    frame = predictions()
    label, group = frame.copy(), frame.copy()
    label["label"] = label["label"].where(label.index != 2, 1 - label["label"])
    group.loc[2, "group"] = "other"
    for wrong, word in ((label, "label"), (group, "group")):
        with pytest.raises(DataError, match=f"s002.*|more than one {word}"):
            judged(written(wrong, tmp_path))
    with pytest.raises(UnpairedError, match=r"'vit' has no prediction for 1 of 80 .*s079"):
        judged(written(frame.iloc[:-1], tmp_path))
    with pytest.raises(ManifestError, match="more than once"):
        judged(written(pd.concat([frame, frame.iloc[[0]]]), tmp_path))


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but no more")
    for path in (tmp_path / "empty.csv", tmp_path / "broken.parquet", tmp_path / "none.csv", tmp_path):
        with pytest.raises(ManifestError):
            read_predictions([path])
    with pytest.raises(ManifestError, match="no column 'model'"):
        (tmp_path / "x").mkdir()
        plain = predictions(models=("m",)).drop(columns="model")
        read_predictions([written(plain, tmp_path), written(plain, tmp_path / "x")])


def test_subgroup_columns_come_from_the_file(tmp_path: Path) -> None:
    frame = predictions()
    frame["sex"] = np.where(frame["sample"].str[-1].isin(list("02468")), "f", "m")
    path = written(frame, tmp_path)
    assert set(read_predictions([path], by=["sex"]).by["sex"].values()) == {"f", "m"}
    with pytest.raises(UnknownNameError, match="did you mean 'sex'"):
        read_predictions([path], by=["sexe"])


def test_the_command_prints_the_structure_that_others_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(predictions(), tmp_path)
    assert main(["verdict", str(path), "--json", "--replicates", "200"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"sentence", "metric", "scores", "comparisons"} <= set(found)
    score, comparison = found["scores"][0], found["comparisons"][0]
    assert {"contender", "metric", "value", "low", "high", "n_samples", "n_groups", "method"} <= set(score)
    assert (score["contender"], score["metric"], score["n_samples"], score["n_groups"]) == (
        "cnn",
        "auroc",
        80,
        40,
    )
    assert {"a", "b", "metric", "difference", "low", "high", "verdict", "winner", "sentence", "tests"} <= set(
        comparison
    )
    assert (comparison["a"], comparison["b"], found["metric"]) == ("cnn", "vit", "auroc")
    for test in comparison["tests"].values():
        assert {"statistic", "p_value"} <= set(test)


def test_the_command_answers_last_and_explains_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(predictions(), tmp_path)
    assert main(["verdict", str(path), "--replicates", "200", "--rope", "0.05"]) == 0
    shown = capsys.readouterr().out.strip()
    assert "cnn" in shown.splitlines()[-1]
    assert "Rule." in shown
    bad = written(predictions().rename(columns={"score": "prediction"}), tmp_path, "bad.csv")
    assert main(["verdict", str(bad)]) == 1
    assert "bad.csv lacks the column(s) 'score'" in capsys.readouterr().err
    assert main(["verdict", str(path), "--metric", "auc"]) == 2
    assert "did you mean 'auroc'" in capsys.readouterr().err


def test_names_with_brackets_are_shown_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(predictions(models=("a[bold]", "b[/x]")), tmp_path)
    assert main(["verdict", str(path), "--replicates", "100"]) == 0
    shown = capsys.readouterr().out
    assert "a[bold]" in shown
    assert "b[/x]" in shown


def test_the_terminal_shows_whatever_the_file_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = predictions(n=160)
    frame["sex"] = np.where(frame["group"].str[-1].isin(list("01234")), "f", "m")
    path = written(frame, tmp_path)
    command = [
        "verdict",
        str(path),
        "--replicates",
        "200",
        "--rope",
        "0.05",
        "--prevalence",
        "0.02",
        "--by",
        "sex",
    ]
    assert main(command) == 0
    shown = capsys.readouterr().out
    for words in (
        "calibration slope", "partial auroc", "obuchowski", "interval, adjusted", "PPV at 0.02", "Net benefit",
        "treat all", "Subgroups", "adjusted p", "Brier score decomposition", "Selective prediction",
        "Variance components", "bootstrap BCa", "Differences in every metric", "AUROC (primary)", "near 1",
        "Rule. Fixed in the software",
    ):  # fmt: skip
        assert words in shown, words


def test_the_folder_of_a_run_is_shown_as_it_was_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(predictions(), tmp_path)
    assert main(["verdict", str(path), "--json", "--replicates", "200"]) == 0
    run = tmp_path / "run"
    run.mkdir()
    text = capsys.readouterr().out
    (run / "study.toml").write_text("")
    assert main(["verdict", str(run)]) == 1
    assert "verdict.json" in capsys.readouterr().err, "a run that is not finished"
    (run / "verdict.json").write_text(text)
    assert main(["verdict", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(text)
    assert main(["verdict", str(run)]) == 0
    assert json.loads(text)["sentence"][:40] in capsys.readouterr().out
    assert main(["verdict", str(run), "--rope", "0.02"]) == 2
    assert "--rope" in capsys.readouterr().err


def test_a_class_that_is_missing_is_explained_in_the_words_of_predictions(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"Every line has the label '1'.*predictions for the other class"):
        read_predictions([written(predictions().assign(label=1), tmp_path)])
