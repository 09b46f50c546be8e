"""Evaluation on other data: leaks are found and left out, scores are those of `verdict`, shifts are told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow
from tests.planting.trained_model import FOLDS, PROBE, data_folder, trained

from headtohead.api.predictions import verdict
from headtohead.cli.app import main
from headtohead.core.errors import DataError, LeakageError, NoEffectError, UsageError
from headtohead.core.records import Sample, Score
from headtohead.data.options import LoadOptions
from headtohead.deploy.evaluation.answers import ModelAnswers
from headtohead.deploy.evaluation.evaluate import EvaluationRequest, EvaluationResult, evaluate_models
from headtohead.deploy.evaluation.judge import calibration_shift, difference_interval
from headtohead.deploy.evaluation.leaks import check_leaks, near_copies_caveat
from headtohead.deploy.evaluation.lines import OTHER_UNITS, same_units
from headtohead.deploy.load import load_model
from headtohead.deploy.prediction import ImagePrediction
from headtohead.stats.inner_predictions import InnerCell

LEAKED = 6
NEW = 30
TOTAL = NEW + LEAKED + 1  # one is a training image, made smaller and saved as JPEG


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    """Two models on new images with six of training, one of these saved again, and a smaller copy of a seventh."""
    data = tmp_path_factory.mktemp("external") / "data"
    shutil.copytree(data_folder(77, NEW), data)
    for i, path in enumerate(sorted(data_folder().glob("*/*.bmp"))[:LEAKED]):
        target = data / path.parent.name / f"leak{i}.bmp"
        shutil.copy(path, target)
        if i == 0:
            Pillow.open(path).save(target.with_suffix(".png"))
            target.unlink()
    seventh = sorted(data_folder().glob("*/*.bmp"))[LEAKED]
    small = (
        Pillow.open(seventh)
        .resize((54, 61), Pillow.Resampling.LANCZOS)
        .transpose(Pillow.Transpose.ROTATE_180)
    )
    small.save(data / seventh.parent.name / "smaller.jpg", quality=80)
    for old, new in (("no", "healthy"), ("yes", "tumour")):
        (data / old).rename(data / new)
    options = LoadOptions(map_labels={"healthy": "no", "tumour": "yes"})
    models = [load_model(trained()), load_model(trained(FOLDS))]
    out = tmp_path_factory.mktemp("out")
    return evaluate_models(models, EvaluationRequest(str(data), out, options, n_boot=100, recalibrate=True))


def test_training_images_are_found_by_their_hashes_and_left_out(result: EvaluationResult) -> None:
    leak = result.evaluation.models[0].leak
    assert len(leak.samples) == LEAKED
    assert all("leak" in sample for sample in leak.samples)
    assert f"{LEAKED} of these {TOTAL} images were in the training" in leak.sentence
    assert leak.near_copies == ("healthy/smaller.jpg",)
    assert "1 more is nearly equal to a training image; " in leak.sentence
    assert leak.left_out == LEAKED + 1
    scored = pd.read_parquet(result.out / "predictions.parquet")
    assert not scored["sample"].isin([*leak.samples, *leak.near_copies]).any()
    assert result.evaluation.n_scored == scored["sample"].nunique() == NEW


def test_what_the_search_for_near_copies_can_find_is_told(result: EvaluationResult) -> None:
    first = result.evaluation.caveats[0]
    assert "100 % of such copies, resized to three quarters" in first
    answers = ModelAnswers([], None)
    assert "Copies that were resized or compressed again are not" in near_copies_caveat(
        "m", load_model(trained()).reference, answers
    )


def test_the_page_has_each_part(result: EvaluationResult) -> None:
    page = (result.out / "evaluation.html").read_text()
    for part in ("answer", "scores", "calibration", "leaks", "guard", "subgroups", "methods"):
        assert f'<section id="{part}">' in page
    for told in (
        "healthy/smaller.jpg", "Recalibrated here with a further temperature", "cross-validated", "<svg",
        "Research use only; not a medical device.", "expected on images like those of training",
        "the image was in training",
    ):  # fmt: skip
        assert told in page, told
    assert result.verdict.sentence[:40] in page
    assert '<ul class="tiles">' in page and page.count("<script>") == 1, "the frame that all pages share"


def test_one_model_by_site(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(data_folder(77, NEW), data)
    names = sorted(data.glob("*/*.bmp"))
    rows = [
        {"file": str(p.relative_to(data)), "dx": p.parent.name, "site": "AB"[i % 3 == 0]}
        for i, p in enumerate(names)
    ]
    pd.DataFrame(rows).to_csv(data / "table.csv", index=False)
    out = tmp_path / "out"
    words = ["evaluate", str(trained()), str(data / "table.csv"), "--by", "site", "--out", str(out)]
    assert main(words) == 0
    groups = json.loads((out / "verdict.json").read_text())["details"]["subgroups"]["site"]["values"]
    assert {name: group["n_samples"] for name, group in groups.items()} == {"A": 20, "B": 10}
    page = (out / "evaluation.html").read_text()
    assert "<h3>By site</h3>" in page
    auroc = json.loads((out / "evaluation.json").read_text())["models"][0]["internal"]
    external = next(line["external"]["value"] for line in auroc if line["metric"] == "auroc")
    assert f"AUROC {external:.3f}" in page.split("</h1>")[0]


def test_the_files_hold_the_scores_of_both_models_and_their_pair(result: EvaluationResult) -> None:
    scores = json.loads((result.out / "scores.json").read_text())["scores"]
    assert {s["contender"] for s in scores} == {PROBE, FOLDS}
    (pair,) = result.verdict.comparisons
    assert pair.target == "fixed_models"
    table = pd.read_csv(result.out / "predictions.csv")
    assert len(table) == 2 * TOTAL


def test_accuracy_is_what_a_plain_count_gives(result: EvaluationResult) -> None:
    table = pd.read_parquet(result.out / "predictions.parquet")
    own = table[table["contender"] == PROBE]
    plain = ((own["prob_yes"] >= 0.5) == (own["label"] == "yes")).mean()
    told = next(s for s in result.verdict.scores if (s.contender, s.metric) == (PROBE, "accuracy"))
    assert told.value == pytest.approx(plain)
    half = result.evaluation.models[0].thresholds[0]
    assert (half.name, half.value) == ("half", 0.5)


def test_the_internal_estimate_stands_beside_it(result: EvaluationResult) -> None:
    model = result.evaluation.models[0]
    auroc = next(line for line in model.internal if line.metric == "auroc")
    assert auroc.internal in load_model(trained()).estimate_record.scores
    assert model.conformal is not None
    assert model.conformal.promised == 0.9


def test_nothing_but_training_images_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for path in sorted(data_folder().glob("*/*.bmp"))[::8]:
        (data / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, data / path.parent.name)
    request = EvaluationRequest(str(data), tmp_path / "out", n_boot=50)
    with pytest.raises(LeakageError, match=r"--keep-training"):
        evaluate_models([load_model(trained())], request)


@pytest.fixture(scope="module")
def per_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result folder of a model on 30 images of 10 patients, each patient scored once."""
    data = tmp_path_factory.mktemp("cases") / "data"
    shutil.copytree(data_folder(77, NEW), data)
    for label in ("no", "yes"):
        for number, path in enumerate(sorted((data / label).iterdir())):
            path.rename(path.with_name(f"{label}P{number // 3}-{number}.bmp"))
    out = data.parent / "out"
    words = [
        "evaluate",
        str(trained()),
        str(data),
        "--group-from",
        r"(\w+P\d+)",
        "--per",
        "case",
        "--out",
        str(out),
    ]
    assert main(words) == 0
    return out


def test_each_case_is_scored_once_by_the_mean_of_its_images(per_case: Path) -> None:
    images = pd.read_parquet(per_case / "predictions.parquet")
    assert (len(images), images["group"].nunique()) == (NEW, NEW // 3)
    cases = images.groupby("group").agg(prob=("prob_yes", "mean"), label=("label", "first"))
    plain = ((cases["prob"] >= 0.5) == (cases["label"] == "yes")).mean()
    scores = {s["metric"]: s for s in json.loads((per_case / "scores.json").read_text())["scores"]}
    assert scores["accuracy"]["value"] == pytest.approx(plain)
    assert scores["accuracy"]["n_samples"] == NEW // 3
    elsewhere = verdict(per_case / "predictions.parquet", per="case", n_boot=100, quiet=True)
    told = {score.metric: score.value for score in elsewhere.scores}
    assert scores["auroc"]["value"] == pytest.approx(told["auroc"])


def test_cases_are_not_compared_with_the_images_of_training(per_case: Path) -> None:
    facts = json.loads((per_case / "evaluation.json").read_text())
    assert facts["per"] == "case:mean"
    assert facts["caveats"][0].startswith("Scored per case: the mean probability")
    (model,) = facts["models"]
    assert {line["difference"]["value"] for line in model["internal"]} == {None}
    assert not any(line["shifted"] for line in model["internal"])
    assert OTHER_UNITS in model["caveats"]
    assert any("cross-validated" in line and line.endswith("not compared.") for line in facts["sentences"])
    page = (per_case / "evaluation.html").read_text()
    assert "not compared" in page and "Scored per case" in page
    assert same_units(None, None) and same_units("case", "case:mean")
    assert not same_units("case", None) and not same_units("case:max", "case")


def test_cases_of_one_image_each_or_another_rule_are_refused(tmp_path: Path) -> None:
    model, data = load_model(trained()), str(data_folder(77, NEW))
    with pytest.raises(UsageError, match="expected case, case:mean or case:max"):
        evaluate_models([model], EvaluationRequest(data, tmp_path / "a", per="patient"))
    with pytest.raises(NoEffectError, match="every group has one image"):
        evaluate_models([model], EvaluationRequest(data, tmp_path / "b", per="case"))


def test_leaks_without_a_scored_image() -> None:
    answers = {"m": ModelAnswers([ImagePrediction(path="a.png", error="it is cut off")])}
    samples = [Sample.model_construct(id="a.png", group="g")]
    with pytest.raises(
        DataError, match=r"None of the 1 images could be predicted; the first, a\.png: it is cut off"
    ):
        check_leaks(samples, answers, keep_training=False)


def test_unknown_labels_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(data_folder(77, NEW), data)
    (data / "no").rename(data / "unclear")
    with pytest.raises(DataError, match="unclear"):
        evaluate_models([load_model(trained())], EvaluationRequest(str(data), tmp_path / "out"))


def test_a_model_twice_or_none_is_refused(tmp_path: Path) -> None:
    model = load_model(trained())
    with pytest.raises(UsageError, match="twice"):
        evaluate_models([model, model], EvaluationRequest("x", tmp_path))
    with pytest.raises(UsageError, match="No model"):
        evaluate_models([], EvaluationRequest("x", tmp_path))


def score(value: float, low: float, high: float) -> Score:
    return Score(
        contender="a", metric="accuracy", value=value, low=low, high=high, n_samples=9, n_groups=9, method="m"
    )


def test_the_difference_is_newcombes_worked_example() -> None:
    # Newcombe 1998, Stat Med 17:873, table II (a): 56/70 - 48/80 with Wilson limits gives 0.0524 to 0.3339.
    told = difference_interval(score(0.8, 0.6918, 0.8769), score(0.6, 0.4904, 0.7004))
    assert told.value == pytest.approx(0.2)
    assert told.low == pytest.approx(0.0524, abs=2e-4)
    assert told.high == pytest.approx(0.3339, abs=2e-4)


def test_a_planted_shift_is_mended_by_a_new_temperature() -> None:
    rng = np.random.default_rng(2)
    logit = rng.normal(0, 1.5, 400)
    label = (rng.random(400) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    p = 1 / (1 + np.exp(-4 * logit))
    cell = InnerCell(label, np.arange(400), np.stack([1 - p, p], axis=1))
    told = calibration_shift((), cell, recalibrate=True, seed=0)
    assert told.temperature == pytest.approx(4, rel=0.3)
    assert told.after is not None
    assert told.before is not None
    assert told.after < told.before - 0.1


pytestmark = pytest.mark.slow  # half a minute together; `make test` has to end within 15
