"""`headtohead compare` end to end on tiny drawn images: formats, going on, refusals, one line per error."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headtohead.cli.app import main
from headtohead.core.records import Comparison
from headtohead.heads.linear_probe import ProbeHead

CONTENDER = "scratch:test_efficientnet"
QUICK = ("--folds", "3", "--repeats", "1")
SCORE_KEYS = {"contender", "metric", "value", "low", "high", "n_samples", "n_groups", "method"}
COPIES = {
    "no_spots/n1.png": "no_spots/n0.png",
    "spots/s1.png": "spots/s0.png",
}  # copy -> the image it repeats


@dataclass(frozen=True)
class Outcome:
    """What the user sees of one call."""

    status: int
    out: str
    err: str


def draw(rng: np.random.Generator, spotted: bool, side: int = 64) -> np.ndarray[Any, Any]:
    """Draw a smooth field of its own, with a finer texture for the class "spots"; uint8 (side, side)."""
    y, x = np.mgrid[:side, :side] / side
    field = np.zeros((side, side))
    for _ in range(7):
        fx, fy = rng.uniform(-4, 4, 2)
        field += rng.normal() * np.cos(2 * np.pi * (fx * x + fy * y) + rng.uniform(0, 2 * np.pi))
    field = 120 + 30 * field / field.std()
    if spotted:
        field += 30 * ((np.add.outer(np.arange(side), np.arange(side)) // 3) % 2)
    return np.asarray(np.clip(field + rng.normal(0, 3, field.shape), 0, 255), dtype=np.uint8)


def make_images(folder: Path, *, per_class: int = 24, seed: int = 7, classes: int = 2) -> Path:
    """Write PNGs in one folder per class; the files in COPIES repeat another one byte for byte."""
    rng = np.random.default_rng(seed)
    for name in ("no_spots", "spots")[:classes]:
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            Image.fromarray(draw(rng, name == "spots")).save(
                folder / name / f"{name[0]}{i}.png", compress_level=0
            )
    for copy, original in COPIES.items():
        if (folder / original).is_file():
            shutil.copyfile(folder / original, folder / copy)
    return folder


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder, the lock aside."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def compare(
    capsys: pytest.CaptureFixture[str], data: Path, out: Path, *more: str, contender: str = CONTENDER
) -> Outcome:
    """Call the command as a user would."""
    status = main(["compare", str(data), "-c", contender, "--out", str(out), *QUICK, *more])
    said = capsys.readouterr()
    return Outcome(status, said.out, said.err)


def error_line(outcome: Outcome, status: int = 1) -> str:
    """Return the explained error after checking that it is one line and no traceback."""
    assert outcome.status == status
    assert "Traceback" not in outcome.err + outcome.out
    lines = [line for line in outcome.err.splitlines() if line.startswith("headtohead: ")]
    assert len(lines) == 1, outcome.err
    assert outcome.err.rstrip().endswith(lines[0])
    return lines[0]


@pytest.fixture(scope="module")
def shared_patch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADTOHEAD_HOME", str(tmp_path_factory.mktemp("home")))
        yield patch


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("data") / "scans")


@pytest.fixture(scope="module")
def finished(
    shared_patch: pytest.MonkeyPatch, images: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run folder of one uninterrupted comparison."""
    del shared_patch
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert main(["compare", str(images), "-c", CONTENDER, "--out", str(out), *QUICK]) == 0
    return out


@pytest.fixture
def own_copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def given_leak(tmp_path: Path) -> Path:
    """A data set with a split of its own, where one test image is a copy of a training image."""
    folder = tmp_path / "given"
    make_images(folder / "train", per_class=9, seed=1)
    make_images(folder / "test", per_class=6, seed=2)
    shutil.copyfile(folder / "train/no_spots/n5.png", folder / "test/no_spots/planted.png")
    return folder


def test_the_audit_is_answered_by_the_contenders(finished: Path) -> None:
    found = {one["code"]: one for one in json.loads((finished / "audit.json").read_text())["findings"]}
    assert found["H2H305"]["outcome"] in ("issue", "passed") and CONTENDER in found["H2H305"]["message"]
    assert found["H2H402"]["outcome"] in ("issue", "passed")


def test_the_learning_curve_ends_at_the_scores_of_the_run(finished: Path) -> None:
    import headtohead as h2h

    run = h2h.load_run(finished)
    assert isinstance(run, h2h.Run)
    curve, scores = run.learning_curve, run.scores
    own = curve[curve["contender"] == CONTENDER]
    assert own["groups"].is_monotonic_increasing and own["share"].max() == 2.0
    (whole,) = own[own["share"] == 1.0].to_dict("records")
    (score,) = scores[(scores["contender"] == CONTENDER) & (scores["metric"] == "auroc")].to_dict("records")
    assert (whole["value"], whole["low"], whole["high"]) == (score["value"], score["low"], score["high"])
    assert "Would more data help?" in (finished / "report.html").read_text(encoding="utf-8")


def test_every_metric_has_a_paired_difference_in_the_frame_and_on_the_page(finished: Path) -> None:
    import headtohead as h2h

    run = h2h.load_run(finished)
    assert isinstance(run, h2h.Run)
    scores = run.scores.set_index(["contender", "metric"])["value"]
    first = run.comparisons.iloc[0]
    primary = run.differences.iloc[0]
    assert (primary["role"], primary["low"], primary["high"]) == ("primary", first["low"], first["high"])
    for row in run.differences.to_dict("records"):
        apart = scores[row["a"], row["metric"]] - scores[row["b"], row["metric"]]
        assert row["difference"] == pytest.approx(apart, nan_ok=True), row["note"]
    assert "<summary>Differences in every metric</summary>" in (finished / "report.html").read_text("utf-8")


def test_verdict_has_the_documented_keys(finished: Path) -> None:
    verdict = json.loads((finished / "verdict.json").read_text())
    assert verdict["sentence"].strip()
    assert set(verdict) >= {"sentence", "scores", "comparisons"}
    assert all(set(score) == SCORE_KEYS | {"level", "note", "warnings"} for score in verdict["scores"])
    assert {score["contender"] for score in verdict["scores"]} == {CONTENDER, "majority", "file-facts"}
    wanted = {"accuracy", "auroc", "balanced_accuracy", "sensitivity", "specificity"}
    assert wanted <= {score["metric"] for score in verdict["scores"] if score["contender"] == CONTENDER}
    for score in verdict["scores"]:
        assert score["method"] and (score["value"] is None or score["low"] <= score["high"])
        assert (score["n_samples"], score["n_groups"]) <= (48, 46)
    assert all(set(one) == set(Comparison.model_fields) for one in verdict["comparisons"])
    pairs = {frozenset((one["a"], one["b"])) for one in verdict["comparisons"]}
    assert {CONTENDER, "majority"} in pairs and {CONTENDER, "file-facts"} in pairs
    assert json.loads((finished / "scores.json").read_text())["scores"] == verdict["scores"]
    comparisons = json.loads((finished / "comparisons.json").read_text())["comparisons"]
    assert comparisons == verdict["comparisons"]


def test_groups_table_has_one_row_per_sample_and_joins_the_copies(finished: Path, images: Path) -> None:
    table = pd.read_csv(finished / "groups.csv")
    assert list(table.columns) == ["path", "group"]
    on_disk = sorted(str(path.relative_to(images)) for path in images.rglob("*.png"))
    assert sorted(table["path"]) == on_disk
    group = dict(zip(table["path"], table["group"], strict=True))
    assert all(group[copy] == group[original] for copy, original in COPIES.items())
    assert table["group"].nunique() == 46


def test_predictions_have_one_line_per_sample_and_contender(finished: Path) -> None:
    table = pd.read_parquet(finished / "predictions.parquet")
    fixed = ["sample", "group", "repeat", "fold", "contender", "label"]
    assert list(table.columns) == [*fixed, "prob_no_spots", "prob_spots"]
    assert table["contender"].value_counts().to_dict() == {CONTENDER: 48, "majority": 48, "file-facts": 48}
    assert not table.duplicated(["sample", "repeat", "contender"]).any()
    assert set(table["fold"]) == {0, 1, 2} and set(table["repeat"]) == {0}
    np.testing.assert_allclose(table[["prob_no_spots", "prob_spots"]].sum(axis=1), 1, atol=1e-9)
    assert (table.groupby("group")["fold"].nunique() == 1).all()


def test_no_fold_shares_a_group_pixels_or_a_path(finished: Path) -> None:
    told = json.loads((finished / "leak_proof.json").read_text())
    assert len(told["proof"]) == 3 and told["leaks"] == []
    shared = ("shared_groups", "shared_pixel_hashes", "shared_paths", "shared_files")
    assert all(fold[key] == 0 for fold in told["proof"] for key in shared)


def test_a_second_call_changes_no_byte(
    finished: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fingerprints(finished)
    outcome = compare(capsys, images, finished)
    assert outcome.status == 0 and "nothing was recomputed" in outcome.err
    assert json.loads((finished / "verdict.json").read_text())["sentence"] in outcome.out
    assert fingerprints(finished) == before


def test_json_answer_is_the_verdict_alone(
    finished: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = compare(capsys, images, finished, "--json")
    assert outcome.status == 0
    assert json.loads(outcome.out) == json.loads((finished / "verdict.json").read_text())


class Killed(BaseException):
    """Stands for a kill: no handler of the product catches it."""


def test_a_run_killed_in_the_middle_gives_the_same_bytes(
    finished: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, calls = ProbeHead.fit_predict, []

    def dies_in_the_third(self: ProbeHead, *given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise Killed
        return whole(self, *given, **named)

    out = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProbeHead, "fit_predict", dies_in_the_third)
        with pytest.raises(Killed):
            compare(capsys, images, out)
    cells = {path: path.stat().st_mtime_ns for path in out.glob("cells/*/*.json")}
    assert len(cells) == 2 and not (out / "verdict.json").exists()
    assert compare(capsys, images, out).status == 0
    assert {path: path.stat().st_mtime_ns for path in cells} == cells, "finished cells were computed again"
    ours, theirs = fingerprints(out), fingerprints(finished)
    assert ours.keys() == theirs.keys()
    different = {name.split("/")[0] for name in ours if ours[name] != theirs[name]}
    timed = {
        "provenance.json",
        "contenders",
        "report.html",
        "report.json",
        "card.md",
        "training",
        "spent.json",
    }
    assert different <= timed, "only these depend on time, call and folder"
    cards = [(folder / "card.md").read_text().replace(f"({folder.name})", "") for folder in (out, finished)]
    assert cards[0] == cards[1]


def test_changed_settings_are_refused_by_name(
    own_copy: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fingerprints(own_copy)
    line = error_line(compare(capsys, images, own_copy, "--folds", "4"))
    assert "folds: 3 there, 4 asked for" in line
    assert fingerprints(own_copy) == before


def test_a_changed_image_is_refused_by_name(
    own_copy: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fingerprints(own_copy)
    data = Path(shutil.copytree(images, tmp_path / "scans"))
    Image.fromarray(draw(np.random.default_rng(99), spotted=True)).save(data / "spots" / "s7.png")
    line = error_line(compare(capsys, data, own_copy))
    assert "1 changed (spots/s7.png)" in line
    assert fingerprints(own_copy) == before


def test_added_and_removed_images_are_refused_by_name(
    own_copy: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(shutil.copytree(images, tmp_path / "scans"))
    (data / "spots" / "s7.png").rename(data / "spots" / "new.png")
    line = error_line(compare(capsys, data, own_copy))
    assert "1 added (spots/new.png)" in line and "1 removed (spots/s7.png)" in line


@pytest.mark.usefixtures("shared_patch")
def test_a_leaking_split_is_refused_naming_both_files(
    given_leak: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = error_line(compare(capsys, given_leak, tmp_path / "run", "--split", "given"))
    assert "train/no_spots/n5.png" in line and "test/no_spots/planted.png" in line
    assert not (tmp_path / "run" / "cells").exists()


@pytest.mark.usefixtures("shared_patch")
def test_an_allowed_leak_stands_in_the_verdict_and_the_report(
    given_leak: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    outcome = compare(capsys, given_leak, out, "--split", "given", "--allow-leaks")
    assert outcome.status == 0, outcome.err
    verdict = json.loads((out / "verdict.json").read_text())
    said = " ".join([verdict["sentence"], *verdict["caveats"]])
    assert "test/no_spots/planted.png" in said and "train/no_spots/n5.png" in said
    assert {one["verdict"] for one in verdict["comparisons"]} == {"refused"}
    assert "leak" in verdict["sentence"] or "overlap" in verdict["sentence"]
    assert "test/no_spots/planted.png" in (out / "report.html").read_text(encoding="utf-8")
    assert len(json.loads((out / "leak_proof.json").read_text())["leaks"]) >= 1


@pytest.mark.parametrize(
    ("contender", "near"),
    [("efficientnet-lite9", "did you mean 'efficientnet-lite"), ("vit-b61", "did you mean 'vit-b16'")],
)
@pytest.mark.usefixtures("shared_patch")
def test_an_unknown_contender_is_wrong_usage(
    contender: str, near: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = compare(capsys, images, tmp_path / "run", contender=contender)
    assert near in error_line(outcome, status=2)


@pytest.mark.usefixtures("shared_patch")
def test_a_mode_that_nobody_takes_is_refused(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = compare(capsys, images, tmp_path / "run", "--mode", "finetune", contender=f"{CONTENDER}@probe")
    assert "mode = 'finetune' would have no effect" in error_line(outcome, status=2)
    outcome = compare(capsys, images, tmp_path / "run", "--mode", "finetun")
    assert "did you mean 'finetune'" in error_line(outcome, status=2)


@pytest.mark.usefixtures("shared_patch")
def test_an_unknown_preset_is_refused_before_the_folder_is_claimed(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contender = f"{CONTENDER}@finetune"
    outcome = compare(capsys, images, tmp_path / "run", "--augment", "mrii", contender=contender)
    line = error_line(outcome, status=2)
    assert "did you mean 'mri'" in line and "auto, histology, light" in line
    assert not (tmp_path / "run" / "study.toml").exists()


@pytest.mark.usefixtures("shared_patch")
def test_one_class_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_images(tmp_path / "scans", per_class=6, classes=1)
    line = error_line(compare(capsys, data, tmp_path / "run"))
    assert "class" in line and "no_spots" in line


@pytest.mark.usefixtures("shared_patch")
def test_a_foreign_folder_is_not_written_into(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("mine")
    assert "chapter.txt" in error_line(compare(capsys, images, out))
    assert sorted(path.name for path in out.iterdir() if path.name != ".lock") == ["chapter.txt"]


@pytest.mark.usefixtures("shared_patch")
def test_a_missing_data_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere" in error_line(compare(capsys, tmp_path / "nowhere", tmp_path / "run"))
