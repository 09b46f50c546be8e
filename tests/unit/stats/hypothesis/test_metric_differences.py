"""Paired differences in every metric: against scikit-learn and a jackknife by hand, and against the primary path."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from benchmarks import learner_rule as reference
from scipy import stats
from sklearn import metrics as sklearn_metrics
from tests.planting.verdicts import judge
from tests.unit.stats.intervals.test_training_variance import Floats, Ints, frame_from, planted

from headtohead.core.records import Verdict
from headtohead.core.tables.differences import MetricDifference

OPTIONS = {"classes": ("no", "yes"), "positive": "yes", "n_boot": 300}


def recall_of(which: int) -> Callable[[Ints, Floats], float]:
    return lambda label, p: float(np.mean((p >= 0.5)[label == which] == which))


BY_HAND: dict[str, Callable[[Ints, Floats], float]] = {
    "sensitivity": recall_of(1),
    "specificity": recall_of(0),
    "brier": lambda label, p: float(np.mean((p - label) ** 2)),
    "log_loss": lambda label, p: float(-np.mean(np.log(np.where(label == 1, p, 1 - p)))),
    "average_precision": lambda label, p: float(sklearn_metrics.average_precision_score(label, p)),
}
AGAINST_CLASSES = ("average_precision",)  # its degrees of freedom are counted class by class


def of(verdict: Verdict, metric: str, pair: tuple[str, str] = ("a", "b")) -> MetricDifference:
    found = [one for one in verdict.details.differences or () if one.metric == metric]
    return next(one for one in found if (one.a, one.b) == pair)


def by_hand(name: str, scores: dict[str, Floats], label: Ints, group: Ints) -> tuple[float, Floats]:
    """Return the difference and its leave-one-group-out values, from the definition."""

    def difference(keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
        means = [
            np.mean([BY_HAND[name](label[keep], 1 / (1 + np.exp(-score[keep]))) for score in scores[which]])
            for which in "ab"
        ]
        return float(means[0] - means[1])

    left_out = np.array([difference(group != g) for g in np.unique(group)])
    return difference(np.ones(len(label), dtype=bool)), left_out


@pytest.fixture(scope="module")
def of_learners() -> Verdict:
    scores, label, group, fold = planted(seed=4)
    return judge(frame_from(scores, label, group, fold), **OPTIONS)


@pytest.mark.parametrize("name", BY_HAND)
def test_of_learners_it_is_the_jackknife_by_hand_with_the_variance_of_training(
    name: str, of_learners: Verdict
) -> None:
    scores, label, group, fold = planted(seed=4)
    found = of(of_learners, name)
    value, jack = by_hand(name, scores, label, group)
    squares = (jack - jack.mean()) ** 2
    parts = [squares[0::2], squares[1::2]] if name in AGAINST_CLASSES else [squares]
    gap = normal(scores["a"], label) - normal(scores["b"], label)
    design = reference.design_of(fold)
    factor = reference.factor_of(reference.share_of_training(gap, label, fold), design)
    assert factor > 1.2, "the case is made so that training matters"
    error = math.sqrt(factor * (len(jack) - 1) / len(jack) * squares.sum())
    half = stats.t.ppf(0.975, reference.effective_degrees(parts)) * error
    assert found.difference == pytest.approx(value)
    assert (found.low, found.high) == pytest.approx((value - half, value + half))
    assert (found.role, "variance of the training sample" in found.method) == ("secondary", True)


def normal(score: Floats, label: Ints) -> Floats:
    """Return normal scores of the ranks in each repeat, centred in each class."""
    z = np.array([stats.norm.ppf((stats.rankdata(s) - 0.5) / len(s)) for s in score])
    for c in (0, 1):
        z[:, label == c] -= z[:, label == c].mean(axis=1, keepdims=True)
    return z


@pytest.mark.parametrize(("name", "folds"), [("accuracy", True), ("kappa", False)])
def test_it_is_the_interval_that_the_metric_has_as_primary_metric(name: str, folds: bool) -> None:
    scores, label, group, fold = planted(seed=1)
    frame = frame_from(scores, label, group, fold)
    if not folds:
        frame = frame[frame["repeat"] == 0].drop(columns=["fold", "repeat"])
    beside = of(judge(frame, **OPTIONS), name)
    alone = judge(frame, **OPTIONS, metric=name)
    first = alone.comparisons[0]
    assert (beside.difference, beside.low, beside.high) == (first.difference, first.low, first.high)
    itself = of(alone, name)
    assert (itself.role, itself.low, itself.high) == ("primary", first.low, first.high)


def test_of_a_metric_that_is_not_smooth_it_has_the_spread_of_the_paired_bootstrap() -> None:
    scores, label, group, fold = planted(seed=2)
    frame = frame_from(scores, label, group, fold)
    frame = frame[frame["repeat"] == 0].drop(columns=["fold", "repeat"])
    found = of(judge(frame, **OPTIONS), "specificity_at_sensitivity_90")
    rng, drawn = np.random.default_rng(0), []
    p = {which: scores[which][0] for which in "ab"}
    for _ in range(150):
        lines = np.concatenate([np.flatnonzero(group == g) for g in rng.integers(0, 60, 60)])
        values = []
        for which in "ab":
            fall_out, hit, _ = sklearn_metrics.roc_curve(
                label[lines], p[which][lines], drop_intermediate=False
            )
            values.append(1 - float(fall_out[hit >= 0.9 - 1e-9].min()))
        drawn.append(values[0] - values[1])
    assert found.low is not None and found.high is not None
    spread = (found.high - found.low) / 2 / 1.96
    assert 0.8 * float(np.std(drawn)) < spread < 1.5 * float(np.std(drawn))
    assert "cluster bootstrap" in found.method


def test_each_pair_has_every_metric_that_has_a_score_and_says_why_where_it_is_not_defined() -> None:
    scores, label, group, fold = planted(seed=3)
    scores["c"] = np.where(scores["b"] > 0, 60.0, -60.0)  # answers of 0 or 1
    verdict = judge(frame_from(scores, label, group, fold).round(9), **OPTIONS)
    found = verdict.details.differences or ()
    pairs = {(one.a, one.b) for one in verdict.comparisons}
    names = {score.metric for score in verdict.scores}
    assert {(one.a, one.b, one.metric) for one in found} == {
        (*pair, name) for pair in pairs for name in names
    }
    assert {one.metric for one in found if one.role == "primary"} == {"auroc"}
    pair = next(pair for pair in pairs if "c" in pair)
    brier = of(verdict, "brier", pair)
    assert brier.difference is None and "answers, not probabilities" in brier.note
    both = next(pair for pair in pairs if set(pair) == {"b", "c"})
    same = of(verdict, "accuracy", both)  # c gives the answers of b
    assert (same.difference, same.low, same.high) == (0.0, None, None)
    assert "the same in every resample" in same.note


def test_a_stored_verdict_without_the_table_is_still_read(of_learners: Verdict) -> None:
    content = of_learners.model_dump(mode="json")
    assert content["details"].pop("differences")
    again = Verdict.model_validate(content)
    assert again.details.differences is None
    assert "differences" not in again.model_dump(mode="json")["details"]
