"""The learning curve over training groups: nested whole groups, no leak, the whole is the run itself, sound words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import LeakageError, NoEffectError
from headtohead.core.run_folder import RunFolder
from headtohead.data.splits.folds import Fold
from headtohead.evaluate.verdict import VerdictConfig, compute_verdict
from headtohead.heads.base import SampleLabels
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.prediction_tables import predictions_table
from headtohead.studies.learning_curve import (
    SHARES,
    CurveInputs,
    check_part,
    fit_learning_curve,
    nested_parts,
    seconds_needed,
    write_learning_curve,
)

GROUPS, EACH = 60, 2
LABELS = np.repeat(np.arange(GROUPS) % 2, EACH)
NAMES = np.repeat([f"patient {g:02d}" for g in range(GROUPS)], EACH)
DATA = SampleLabels(LABELS, NAMES, ("no", "yes"))
IDS = [f"s{i:03d}" for i in range(len(LABELS))]


def folds(n: int = 3) -> list[Fold]:
    place = (
        np.arange(len(LABELS)) // (2 * EACH) % n
    )  # two neighbouring groups, one of each class, stay together
    return [Fold(0, f, np.flatnonzero(place != f), np.flatnonzero(place == f)) for f in range(n)]


def features(signal: float, seed: int) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(LABELS), 12))
    rows[:, 0] += signal * (LABELS - 0.5)
    return rows


def inputs(tmp_path: Path, parts: list[Fold] | None = None) -> CurveInputs:
    heads: dict[str, Any] = {
        "strong": ProbeHead(lambda: features(2.0, 1), (1e-2, 1.0)),
        "weak": ProbeHead(lambda: features(1.0, 2), (1e-2, 1.0)),
    }
    question = VerdictConfig(classes=DATA.classes, positive="yes", n_boot=200)
    from headtohead.core.progress import QUIET

    def cells(name: str, job: Any) -> Any:
        return heads[name].fit_predict(job, DATA, tmp_path, QUIET)

    return CurveInputs(parts or folds(), DATA, IDS, heads, cells, question, 0)


def test_parts_are_nested_whole_groups_of_all_classes_and_do_not_depend_on_names() -> None:
    for fold in folds():
        parts = nested_parts(fold, DATA, seed=0)
        assert list(parts) == list(SHARES)
        smaller: npt.NDArray[np.int64] = np.array([], np.int64)
        for share, part in parts.items():
            check_part(part, fold, NAMES)
            assert np.isin(smaller, part).all()
            assert len(np.unique(NAMES[part])) == round(share * 40)
            assert abs(LABELS[part].mean() - 0.5) < 0.06
            smaller = part
        renamed = SampleLabels(LABELS, np.array([f"z{hash(name)}" for name in NAMES]), DATA.classes)
        again = nested_parts(fold, renamed, seed=0)
        assert all((again[share] == parts[share]).all() for share in SHARES)
        assert any((nested_parts(fold, DATA, seed=1)[share] != parts[share]).any() for share in SHARES)


def leak_of_test(fold: Fold, data: SampleLabels, seed: int) -> dict[float, Any]:
    parts = nested_parts(fold, data, seed)
    return {share: np.append(part, fold.test[0]) for share, part in parts.items()}


def half_a_group(fold: Fold, data: SampleLabels, seed: int) -> dict[float, Any]:
    return {share: part[1:] for share, part in nested_parts(fold, data, seed).items()}


@pytest.mark.parametrize(
    ("draw", "said"), [(leak_of_test, "outside the training part"), (half_a_group, "only in part")]
)
def test_a_part_that_crosses_groups_is_caught(tmp_path: Path, draw: Any, said: str) -> None:
    with pytest.raises(LeakageError, match=said):
        fit_learning_curve(inputs(tmp_path), tmp_path, draw=draw)


def test_a_group_of_the_test_part_under_training_is_caught() -> None:
    fold = folds()[0]
    names = NAMES.copy()
    names[fold.train[0]] = names[fold.test[0]]
    with pytest.raises(LeakageError, match="shares 1 groups with the test part"):
        check_part(fold.train, fold, names)


@pytest.mark.slow
def test_the_whole_is_the_run_itself_and_the_same_call_gives_the_same_digits(tmp_path: Path) -> None:
    asked = inputs(tmp_path)
    content = fit_learning_curve(asked, tmp_path)
    assert content == fit_learning_curve(inputs(tmp_path), tmp_path)
    from headtohead.heads.cross_validation import make_fold_job

    cells = [
        (name, fold, asked.cells(name, make_fold_job(fold, 0))) for name in asked.heads for fold in folds()
    ]
    verdict = compute_verdict(predictions_table(cells, DATA, IDS), asked.question)
    for name in asked.heads:
        (score,) = [s for s in verdict.scores if (s.contender, s.metric) == (name, "auroc")]
        (point,) = [p for p in content["points"] if (p["contender"], p["share"]) == (name, 1.0)]
        assert (point["value"], point["low"], point["high"]) == (score.value, score.low, score.high)
    assert [p["groups"] for p in content["points"][::2]] == [10, 20, 30, 40]


def test_more_groups_help_and_what_is_led_to_stands_with_its_interval(tmp_path: Path) -> None:
    content = fit_learning_curve(inputs(tmp_path), tmp_path)
    rows = {row["contender"]: row for row in content["extrapolation"]}
    for row in rows.values():
        assert row["groups"] == 80 and row["low"] <= row["value"] <= row["high"] <= 1
        assert 0 <= row["gain_low"] <= row["gain"] <= row["gain_high"]
    assert "strong is first at every share" in content["sentences"][-1]
    assert 0.5 <= content["same_order"] <= 1


def test_a_share_that_cannot_be_fitted_is_named_and_left_out(tmp_path: Path) -> None:
    few = np.flatnonzero(np.arange(len(LABELS)) < 24)
    parts = [Fold(0, f, few[(few // 4) % 2 != f], few[(few // 4) % 2 == f]) for f in range(2)]
    content = fit_learning_curve(inputs(tmp_path, parts), tmp_path)
    assert content["repeats"] == 1
    assert content["left_out"] and content["left_out"][0].startswith("25 % of the training groups: ")
    assert 0.25 not in {point["share"] for point in content["points"]}


def plan_of(*modes: str) -> Any:
    return SimpleNamespace(
        contenders=[
            SimpleNamespace(name=f"c{i}", mode=SimpleNamespace(mode=SimpleNamespace(name=mode)))
            for i, mode in enumerate(modes)
        ]
    )


def test_what_takes_long_is_said_and_what_cannot_be_is_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    spent = {"c0": {"seconds": 5000.0, "typical_cell": 100.0, "trials": [8] * 10}}
    run.write("spent.json", {"spent": spent})
    assert seconds_needed(spent, ["c0", "unknown"]) == 1500.0, "without what the first cell extracted"
    assert seconds_needed({"c0": {"seconds": 1000.0, "trials": [8]}}, ["c0"]) == 1500.0, (
        "of an earlier version"
    )
    told: list[str] = []
    reporter: Any = SimpleNamespace(info=told.append)

    def never(names: Any) -> Any:
        raise AssertionError(f"computed for {names}")

    write_learning_curve(run, plan_of("probe"), never, reporter, leaks=False, asked=None)
    assert told == ["No learning curve: it would take about 25 min; --learning-curve makes it."]
    write_learning_curve(run, plan_of("finetune"), never, reporter, leaks=False, asked=None)
    write_learning_curve(run, plan_of("probe"), never, reporter, leaks=True, asked=None)
    with pytest.raises(NoEffectError, match="no contender is one"):
        write_learning_curve(run, plan_of("finetune"), never, reporter, leaks=False, asked=True)
    with pytest.raises(NoEffectError, match="leaks"):
        write_learning_curve(run, plan_of("probe"), never, reporter, leaks=True, asked=True)
    assert not (tmp_path / "learning_curve.json").exists()
