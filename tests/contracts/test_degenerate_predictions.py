"""Every metric on every degenerate table: a result with an interval, a bound, or "not defined" with the reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.core.records import Comparison, Score, Verdict
from headtohead.report.tables.supplement import supplement_tables
from headtohead.stats.metrics.registry import METRICS

N, CLASSES = 48, ("a", "b", "c")
Floats = npt.NDArray[np.float64]


def _smooth(labels: npt.NDArray[np.int64], k: int, seed: int) -> Floats:
    logits = np.random.default_rng(seed).normal(size=(len(labels), k))
    logits[np.arange(len(labels)), labels] += 1.2
    odds = np.exp(logits)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)


def _certain(prob: Floats) -> Floats:
    answers: Floats = np.eye(prob.shape[1])[prob.argmax(axis=1)]
    return answers


Change = Callable[[Floats, npt.NDArray[np.int64]], Floats]
CASES: dict[str, Change] = {
    "ties": lambda prob, _: np.where(prob >= prob.max(axis=1, keepdims=True), 0.6, 0.4 / (prob.shape[1] - 1)),
    "constant": lambda prob, _: np.full_like(prob, 1 / prob.shape[1]),
    "perfect": lambda prob, y: 0.9 * np.eye(prob.shape[1])[y] + 0.1 / prob.shape[1],
    "all wrong": lambda prob, y: 0.9 * np.eye(prob.shape[1])[(y + 1) % prob.shape[1]] + 0.1 / prob.shape[1],
    "zeros for the truth": lambda prob, _: np.where(
        np.arange(len(prob))[:, None] % 7 > 0, prob, _certain(prob)
    ),
    "hard labels": lambda prob, _: _certain(prob),
    "plain": lambda prob, _: prob,
}
GROUPS = {
    "own": np.arange(N),
    "two giants": np.minimum(np.arange(N) // 17, 2) * 100 + np.where(np.arange(N) >= 34, np.arange(N), 0),
}


def predictions(case: str, k: int, groups: str, *, absent: bool = False) -> pd.DataFrame:
    labels = np.arange(N, dtype=np.int64) % (k - 1 if absent else k)
    parts = []
    for number, name in enumerate(("one", "two")):
        prob = _smooth(labels, k, number)
        prob = CASES[case](prob, labels) if number == 0 or case == "constant" else prob
        frame = pd.DataFrame(prob, columns=[f"prob_{c}" for c in CLASSES[:k]])
        frame.insert(0, "sample", [f"s{i:02d}" for i in range(N)])
        frame.insert(1, "group", [f"g{g}" for g in GROUPS[groups]])
        frame.insert(2, "contender", name)
        frame.insert(3, "label", [CLASSES[y] for y in labels])
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def check_score(score: Score) -> None:
    if score.value is None:
        assert score.note and score.low is None and score.high is None
    else:
        assert score.low is not None and score.high is not None and score.low <= score.value <= score.high
        assert not np.isnan([score.value, score.low, score.high]).any()


def check_comparison(one: Comparison) -> None:
    if one.verdict == "identical":
        assert one.low is None and one.high is None and "same predictions" in one.sentence
    elif one.difference is None or one.low is None:
        assert one.verdict in ("cannot_tell", "refused") and one.note
    else:
        assert one.high is not None and one.low <= one.difference <= one.high
    for test in one.tests.values():
        assert test.p_value is None or 0 <= test.p_value <= 1
        assert test.statistic is None or not np.isnan(test.statistic)


def checked(frame: pd.DataFrame, k: int, metric: str, *, ordered: bool = False) -> Verdict:
    found = judge(frame, classes=CLASSES[:k], metric=metric, n_boot=40, ordered=ordered)
    for score in found.scores:
        check_score(score)
    for one in found.comparisons:
        check_comparison(one)
    Verdict.model_validate_json(found.model_dump_json())
    return found


QUICK = ("auroc", "accuracy", "mcc", "log_loss", "partial_auroc")
DIRECTED = [name for name, one in METRICS.items() if one.best in ("high", "low") and not one.needs_order]
ORDERED = [name for name, one in METRICS.items() if one.needs_order]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "metric", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in DIRECTED]
)
def test_two_classes(metric: str, case: str) -> None:
    checked(predictions(case, 2, "own"), 2, metric)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("metric", ORDERED)
def test_three_classes_in_order(metric: str, case: str) -> None:
    found = checked(predictions(case, 3, "own"), 3, metric, ordered=True)
    assert _value(found, "two") is not None


@pytest.mark.parametrize(
    "metric", ["auroc", "log_loss", "brier", "sensitivity", "partial_auroc", "ece", "f1"]
)
@pytest.mark.parametrize("case", CASES)
def test_two_giant_groups(metric: str, case: str) -> None:
    checked(predictions(case, 2, "two giants"), 2, metric)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("absent", [False, True])
def test_three_classes_and_one_that_is_absent(case: str, absent: bool) -> None:
    found = checked(predictions(case, 3, "own", absent=absent), 3, "auroc")
    auroc = next(score for score in found.scores if score.metric == "auroc")
    assert (auroc.value is None) == absent
    if absent:
        assert "no sample of class c" in auroc.note
        assert "not defined" in found.sentence or found.comparisons[0].verdict == "identical"


def test_hard_labels_are_said_and_what_needs_probabilities_is_left_out() -> None:
    found = checked(predictions("hard labels", 2, "own"), 2, "accuracy")
    by_name = {score.metric: score for score in found.scores if score.contender == "one"}
    for name in ("brier", "log_loss", "ece", "ace", "partial_auroc", "average_precision"):
        assert by_name[name].value is None and "answers, not probabilities" in by_name[name].note
    assert by_name["auroc"].value is not None and by_name["accuracy"].value is not None
    assert any("scores of one are all 0 or 1" in caveat for caveat in found.caveats)
    details = found.details
    assert details.no_probabilities is not None and list(details.no_probabilities) == ["one"]
    assert details.decision_curves is not None
    for curves in (details.calibration, details.risk_coverage, details.decision_curves.contenders):
        assert list(curves) == ["two"]
    before = details.recalibration["one"].before
    assert before and all(score.value is None for score in before)
    tables = {table.title: table.rows for table in supplement_tables(details, ("one", "two"))}
    for title in ("Net benefit", "Brier score decomposition", "Selective prediction (risk–coverage)"):
        assert [row[1] for row in tables[title] if row[0] == "one"] == ["not defined"], title


def test_a_metric_that_is_not_defined_has_no_number_in_any_table() -> None:
    frame = predictions("hard labels", 2, "own").assign(fold=[i % 3 for _ in range(2) for i in range(N)])
    found = checked(frame, 2, "log_loss")
    assert found.details.per_repeat == {"one": (None,), "two": (pytest.approx(_value(found, "two")),)}
    assert [value for _, _, value, _ in found.details.per_fold["one"]] == [None] * 3
    assert None not in [value for _, _, value, _ in found.details.per_fold["two"]]
    first = found.comparisons[0]
    assert (first.difference, first.details.p_value, first.details.p_holm) == (None, None, None)
    of_the_metric = [test for test in first.tests.values() if test.role != "other"]
    assert of_the_metric and all(test.statistic is None and test.p_value is None for test in of_the_metric)


def _value(found: Verdict, contender: str) -> float | None:
    return next(s.value for s in found.scores if (s.contender, s.metric) == (contender, found.metric))


@pytest.mark.parametrize("metric", ["auroc", "log_loss", "accuracy"])
def test_identical_predictions_are_called_so(metric: str) -> None:
    frame = predictions("plain", 2, "own")
    one = frame[frame["contender"] == "one"]
    found = checked(pd.concat([one, one.assign(contender="copy")]), 2, metric)
    assert found.comparisons[0].verdict == "identical" and found.comparisons[0].difference == 0
    assert f"{N} of {N} samples" in found.sentence


def test_groups_that_are_spread_over_folds_are_a_leak() -> None:
    frame = predictions("plain", 2, "own")
    frame["group"] = [f"g{int(name[1:]) // 2}" for name in frame["sample"]]
    frame["fold"] = [int(name[1:]) // 2 % 4 for name in frame["sample"]]
    assert judge(frame, classes=CLASSES[:2], n_boot=40).comparisons[0].verdict != "refused"
    frame["fold"] = [int(name[1:]) % 4 for name in frame["sample"]]
    found = judge(frame, classes=CLASSES[:2], n_boot=40)
    assert found.comparisons[0].verdict == "refused"
    assert "24 of 24 groups are spread over several folds" in found.sentence and "g0, g1" in found.sentence


def test_the_names_of_samples_decide_no_risk() -> None:
    frame = predictions("ties", 2, "own")
    renamed = frame.assign(sample=[f"s{99 - int(name[1:])}" for name in frame["sample"]])
    areas = [
        judge(table, classes=CLASSES[:2], n_boot=40).details.risk_coverage["one"].area
        for table in (frame, renamed)
    ]
    assert areas[0] == pytest.approx(areas[1], abs=1e-12)


def test_metrics_are_named_for_what_they_are() -> None:
    assert "top label" in METRICS["ece"].title and "equal-mass" in METRICS["ece"].title
    assert "class probabilities" in METRICS["ace"].title
    for name in ("sensitivity_at_specificity_90", "specificity_at_sensitivity_90"):
        assert "read off these data" in METRICS[name].title
