"""One property for every metric; and a metric is whole in its row of the registry, so that a new one is one row."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.core.records import Score
from headtohead.stats.intervals.boundary_cases import BOUNDS
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.intervals.score import make_score
from headtohead.stats.intervals.score_uncertainty import INTERVALS
from headtohead.stats.metrics.confusion_matrix import ClassCounts, FromClassCounts
from headtohead.stats.metrics.lookup import default_metrics, get_metric
from headtohead.stats.metrics.metric import Boundary, Denominator, IntervalMethod, Metric
from headtohead.stats.metrics.ranking import ratio
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SOURCE = Path(__file__).resolve().parents[2] / "src" / "headtohead"
TWO, THREE = ("no", "yes"), ("a", "b", "c")
EVERY = [(name, classes) for classes in (TWO, THREE) for name in default_metrics(classes, True)]
WITH_DIRECTION = [
    (name, classes) for name, classes in EVERY if get_metric(name, classes).best in ("high", "low")
]
every_metric = pytest.mark.parametrize(("name", "classes"), EVERY)


def lines_with(prob: Floats, label: Ints, n_groups: int = 20) -> ContenderPredictions:
    index = np.arange(len(label))
    return ContenderPredictions(index, index % n_groups, label, index % 3, prob)


def labels(k: int, n: int = 240) -> Ints:
    return np.random.default_rng(4).integers(0, k, n)


def sharp(label: Ints, k: int) -> Floats:
    """Return probabilities that put 0.96 more on the given class than on the others."""
    return 0.04 / k + 0.96 * np.eye(k)[label]


def noisy(label: Ints, k: int) -> Floats:
    logits = np.random.default_rng(5).normal(size=(len(label), k)) + np.eye(k)[label]
    return np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))


def value(lines: ContenderPredictions, name: str, classes: tuple[str, ...], weight: float = 1.0) -> float:
    return float(metric_values([lines], np.full((20, 1), weight), [name], classes)[name][0])


def table_of(prob: Floats, label: Ints, classes: tuple[str, ...], groups: int = 12) -> PredictionTable:
    frame = pd.DataFrame({f"prob_{name}": prob[:, c] for c, name in enumerate(classes)})
    frame["sample"] = [f"s{i:03d}" for i in range(len(label))]
    frame["group"] = [f"g{i % groups:02d}" for i in range(len(label))]
    frame["fold"], frame["repeat"], frame["contender"] = np.arange(len(label)) % 3, 0, "a"
    frame["label"] = np.array(classes)[label]
    return build_prediction_table(
        frame, classes=classes, positive=classes[-1] if len(classes) == 2 else None, contenders=None
    )


def score_of(table: PredictionTable, name: str) -> Score:
    resamples = make_resamples(table.n_groups, 60, 0)
    values = metric_values(table.of("a"), resamples.weights, [name], table.classes)[name]
    return make_score(table, "a", get_metric(name, table.classes), values, resamples, 0.95)


@every_metric
def test_it_keeps_its_range(name: str, classes: tuple[str, ...]) -> None:
    k, metric = len(classes), get_metric(name, classes)
    label = labels(k)
    for prob in (noisy(label, k), sharp(label, k), sharp((label + 1) % k, k)):
        got = value(lines_with(prob, label), name, classes)
        assert math.isnan(got) or metric.low - 1e-12 <= got <= metric.upper_end(k) + 1e-12


@pytest.mark.parametrize(("name", "classes"), WITH_DIRECTION)
def test_perfect_predictions_are_best_and_reversed_ones_worst(name: str, classes: tuple[str, ...]) -> None:
    k, metric = len(classes), get_metric(name, classes)
    label = labels(k)
    best, middle, worst = (
        metric.sign * value(lines_with(prob, label), name, classes)
        for prob in (sharp(label, k), noisy(label, k), sharp((label + 1) % k, k))
    )
    assert best > middle > worst


@every_metric
def test_the_order_of_rows_and_the_size_of_all_weights_do_not_matter(
    name: str, classes: tuple[str, ...]
) -> None:
    k = len(classes)
    label = labels(k)
    lines = lines_with(noisy(label, k), label)
    order = np.random.default_rng(3).permutation(len(label))
    shuffled = ContenderPredictions(
        *(getattr(lines, field)[order] for field in ("sample", "group", "label", "fold", "prob"))
    )
    once = value(lines, name, classes)
    assert value(shuffled, name, classes) == pytest.approx(once, abs=1e-9)
    assert value(lines, name, classes, weight=2.0) == pytest.approx(once, abs=1e-9)


@every_metric
def test_a_score_lies_in_its_interval_and_the_interval_in_the_range(
    name: str, classes: tuple[str, ...]
) -> None:
    k, metric = len(classes), get_metric(name, classes)
    label = labels(k, 90)
    score = score_of(table_of(noisy(label, k), label, classes, groups=30), name)
    assert score.value is not None and score.low is not None and score.high is not None
    assert score.low <= score.value <= score.high
    assert score.low < score.high
    assert metric.low <= score.low
    assert score.high <= metric.upper_end(k)
    assert score.method != "none"


@every_metric
@pytest.mark.parametrize("case", ["perfect", "wrong", "constant", "one class", "one label"])
def test_a_degenerate_result_has_a_reason_or_an_interval(
    case: str, name: str, classes: tuple[str, ...]
) -> None:
    """No number is made up: it comes with both ends, or not at all and with the reason."""
    k = len(classes)
    label = labels(k, 48)
    prob = {
        "perfect": sharp(label, k),
        "wrong": sharp((label + 1) % k, k),
        "constant": np.full((48, k), 1 / k),
        "one class": sharp(np.zeros(48, dtype=np.int64), k),
        "one label": noisy(label, k),
    }[case]
    if case == "one label":
        label = np.zeros(48, dtype=np.int64)
    score = score_of(table_of(prob, label, classes), name)
    if score.value is None:
        assert len(score.note) > 10
        assert score.low is None and score.high is None
    else:
        assert score.low is not None and score.high is not None
        assert score.low <= score.value <= score.high


@pytest.mark.parametrize("name", METRICS)
def test_a_missing_class_is_the_reason_where_a_metric_needs_it(name: str) -> None:
    label = np.zeros(48, dtype=np.int64)
    prob = noisy(label, 2)
    if math.isnan(value(lines_with(prob, label), name, TWO)):
        assert score_of(table_of(prob, label, TWO), name).note == "no sample of class yes"
    else:
        assert METRICS[name].kernel.__class__.__name__ in (
            "FromConfusion",
            "FromClassCounts",
            "FromProbabilities",
        )


def test_every_method_that_a_row_may_name_exists() -> None:
    assert set(INTERVALS) == set(get_args(IntervalMethod))
    assert set(BOUNDS) == set(get_args(Boundary))


# --- one row is enough ---------------------------------------------------------------------------------------


def _miss_rate(counts: ClassCounts) -> Floats:
    return ratio(counts.false_negative, counts.true_positive + counts.false_negative)


MISS_RATE = Metric(
    name="miss_rate",
    title="miss rate",
    kernel=FromClassCounts(_miss_rate),
    best="low",
    low=0,
    high=1,
    interval="clustered_wilson",
    denominator=Denominator(lambda label, _, positive: label == positive),
    undefined="there is nothing to miss",
    headline=1,
    operating_point=1,
)


def _predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for name, signal in (("good", 3.0), ("bad", 0.2)):
        for i in range(160):
            p = 1 / (1 + math.exp(-(rng.normal() + signal * (2 * (i % 2) - 1))))
            rows.append(
                {"sample": f"s{i}", "group": f"g{i}", "fold": i % 4, "contender": name}
                | {"label": TWO[i % 2], "prob_no": 1 - p, "prob_yes": p}
            )
    return pd.DataFrame(rows)


def test_a_metric_in_the_registry_alone_goes_all_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, MISS_RATE.name, MISS_RATE)
    verdict = judge(_predictions(), classes=TWO, positive="yes", metric="miss_rate", n_boot=200)
    scores = {score.contender: score for score in verdict.scores if score.metric == "miss_rate"}
    good, bad = scores["good"], scores["bad"]
    assert good.value is not None and bad.value is not None
    assert good.low is not None and good.high is not None
    assert good.low <= good.value <= good.high < bad.value
    assert "Wilson" in good.method
    assert verdict.comparisons[0].winner == "good"
    assert "good has a lower miss rate than bad on these data:" in verdict.sentence
    half = verdict.details.operating_points["half"].contenders["good"].scores
    assert half[0].metric == "sensitivity" and "miss_rate" in {score.metric for score in half}


def test_its_reason_for_being_undefined_comes_from_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Denominator(lambda label, _, __: np.zeros(len(label), dtype=bool))
    metric = Metric(
        name="void", title="void", kernel=FromClassCounts(lambda counts: counts.true_positive * np.nan),
        best="high", low=0, high=1, interval="clustered_wilson", denominator=nothing, undefined="it never is",
    )  # fmt: skip
    monkeypatch.setitem(METRICS, "void", metric)
    label = labels(2, 48)
    assert score_of(table_of(noisy(label, 2), label, TWO), "void").note == "it never is"


# --- and no other file knows a metric by name ----------------------------------------------------------------


def _strings(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def branches_on_metrics(source: str) -> list[str]:
    """Return the lines that compare something with the name of a metric, or look one up by it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        compared: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"startswith", "endswith"}:
                compared = list(node.args)
        elif isinstance(node, ast.match_case):
            compared = [node.pattern]
        if any(text in METRICS for part in compared for text in _strings(part)):
            found.append(f"{node.lineno if hasattr(node, 'lineno') else '?'}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("room", ["stats", "evaluate"])
def test_nothing_branches_on_the_name_of_a_metric(room: str) -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in (SOURCE / room).rglob("*.py")
        if path.name != "registry.py" and (lines := branches_on_metrics(path.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    ['if base in ("ece", "ace"): pass', 'x = name == "auroc"', 'y = name.startswith(("ppv", "npv"))'],
)
def test_a_planted_branch_is_found(planted: str) -> None:
    assert branches_on_metrics(planted)
