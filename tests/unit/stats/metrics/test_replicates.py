"""Metrics of weighted resamples against scikit-learn on copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from tests.unit.stats.builders import double_loop, property_frame, some_lines, some_weights

from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.metrics.lookup import default_metrics
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

SEEDS = st.integers(0, 10_000)


MANY = settings(max_examples=60, deadline=None)


@MANY
@given(SEEDS, st.sampled_from(default_metrics(("no", "yes"), True)))
def test_a_metric_of_drawn_groups_is_the_metric_of_their_copies(seed: int, name: str) -> None:
    """Weights stand for copies: a group drawn twice counts as the same lines written down twice."""
    if name in ("calibration_slope", "calibration_intercept", "ece", "ace"):
        return  # one Newton step from, and bins cut on, the data itself
    frame = property_frame(seed, n_groups=15)
    mine = frame[frame["contender"] == "one"].reset_index(drop=True)
    group = mine["group"].str[1:].astype(int).to_numpy().astype(np.int64)
    prob = mine[["prob_no", "prob_yes"]].to_numpy()
    label = (mine["label"] == "yes").to_numpy().astype(np.int64)
    lines = ContenderPredictions(np.arange(len(mine)), group, label, mine["fold"].to_numpy(), prob)
    drawn = make_resamples(15, 3, seed).weights[:, 1]
    rows = np.repeat(np.arange(len(mine)), drawn[group].astype(int))
    classes = ("no", "yes")
    weighted = metric_values([lines], drawn[:, None], [name], classes)[name][0]
    taken = ContenderPredictions(np.arange(len(rows)), group[rows], label[rows], lines.fold[rows], prob[rows])
    copied = metric_values([taken], np.ones((15, 1)), [name], classes)[name][0]
    assert weighted == pytest.approx(copied, abs=1e-9, nan_ok=True)


Floats = npt.NDArray[np.float64]


def copies(lines: ContenderPredictions, weights: Floats) -> npt.NDArray[np.int64]:
    """Return the line numbers of one replicate, each as often as its group was drawn."""
    return np.repeat(np.arange(len(lines.label)), weights[lines.group].astype(int))


SK_BINARY = {
    "accuracy": lambda y, p: sk.accuracy_score(y, p >= 0.5),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p >= 0.5),
    "auroc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "sensitivity": lambda y, p: sk.recall_score(y, p >= 0.5),
    "specificity": lambda y, p: sk.recall_score(1 - y, p < 0.5),
    "ppv": lambda y, p: sk.precision_score(y, p >= 0.5),
    "npv": lambda y, p: sk.precision_score(1 - y, p < 0.5),
    "f1": lambda y, p: sk.f1_score(y, p >= 0.5),
    "mcc": lambda y, p: sk.matthews_corrcoef(y, p >= 0.5),
    "kappa": lambda y, p: sk.cohen_kappa_score(y, p >= 0.5),
    "brier": sk.brier_score_loss,
    "log_loss": sk.log_loss,
    "partial_auroc": lambda y, p: sk.roc_auc_score(y, p, max_fpr=0.1),
}


SK_BINARY["auroc_pooled"] = SK_BINARY.pop("auroc")


@pytest.mark.parametrize("name", sorted(SK_BINARY))
@pytest.mark.parametrize("ties", [True, False])
def test_binary_metrics_equal_sklearn_on_copies(name: str, ties: bool) -> None:
    lines, weights = some_lines(ties=ties), some_weights()
    found = metric_values([lines], weights, [name], ("no", "yes"))[name]
    for column, value in enumerate(found):
        drawn = copies(lines, weights[:, column])
        assert value == pytest.approx(SK_BINARY[name](lines.label[drawn], lines.prob[drawn, 1]), abs=1e-10)


SK_MULTI = {
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "auroc": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr", average="macro"),
    "average_precision": lambda y, p: sk.average_precision_score(np.eye(3)[y], p, average="macro"),
    "sensitivity": lambda y, p: sk.recall_score(y, p.argmax(1), average="macro"),
    "ppv": lambda y, p: sk.precision_score(y, p.argmax(1), average="macro"),
    "f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro"),
    "mcc": lambda y, p: sk.matthews_corrcoef(y, p.argmax(1)),
    "kappa": lambda y, p: sk.cohen_kappa_score(y, p.argmax(1)),
    "log_loss": sk.log_loss,
    "brier": lambda y, p: float(((p - np.eye(3)[y]) ** 2).sum(axis=1).mean()),
}


SK_MULTI["auroc_pooled"] = SK_MULTI.pop("auroc")


@pytest.mark.parametrize("name", sorted(SK_MULTI))
def test_three_class_metrics_equal_sklearn_on_copies(name: str) -> None:
    lines, weights = some_lines(n=90, k=3, ties=False), some_weights()
    found = metric_values([lines], weights, [name], ("a", "b", "c"))[name]
    for column, value in enumerate(found):
        drawn = copies(lines, weights[:, column])
        assert value == pytest.approx(SK_MULTI[name](lines.label[drawn], lines.prob[drawn]), abs=1e-10)


def test_per_class_sensitivity_is_that_class_alone() -> None:
    lines = some_lines(n=90, k=3)
    lines = replace(lines, fold=np.zeros_like(lines.fold))
    found = metric_values([lines], np.ones((20, 1)), ["sensitivity_b", "auroc_b"], ("a", "b", "c"))
    mine = lines.label == 1
    assert found["sensitivity_b"][0] == pytest.approx((lines.prob[mine].argmax(1) == 1).mean())
    assert found["auroc_b"][0] == pytest.approx(double_loop(lines.prob[:, 1], mine))


def test_auroc_counts_the_pairs_of_one_fold_in_every_resample() -> None:
    lines, weights = some_lines(ties=True), some_weights()
    found = metric_values([lines], weights, ["auroc"], ("no", "yes"))["auroc"]
    for column, value in enumerate(found):
        drawn = copies(lines, weights[:, column])
        concordant = pairs = 0.0
        for fold in np.unique(lines.fold):
            part = drawn[lines.fold[drawn] == fold]
            positives, negatives = (int((lines.label[part] == c).sum()) for c in (1, 0))
            if positives and negatives:
                area = sk.roc_auc_score(lines.label[part], lines.prob[part, 1])
                concordant, pairs = concordant + area * positives * negatives, pairs + positives * negatives
        assert value == pytest.approx(concordant / pairs, abs=1e-10)


def test_a_scale_that_drifts_between_folds_moves_the_pooled_area_alone() -> None:
    lines = some_lines(ties=False)
    odds = lines.prob[:, 1] / lines.prob[:, 0] * np.exp(3.0 * (lines.fold == 0))
    drifting = replace(lines, prob=np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1))
    names, ones = ["auroc", "auroc_pooled"], np.ones((20, 1))
    before, after = (metric_values([one], ones, names, ("no", "yes")) for one in (lines, drifting))
    assert after["auroc"][0] == pytest.approx(before["auroc"][0], abs=1e-12)
    assert abs(after["auroc_pooled"][0] - before["auroc_pooled"][0]) > 0.01


def test_fold_mean_averages_folds_and_skips_those_of_one_class() -> None:
    lines = some_lines(n=90, ties=False)
    parts = [double_loop(lines.prob[lines.fold == f, 1], lines.label[lines.fold == f] == 1) for f in range(3)]
    found = metric_values([lines], np.ones((20, 1)), ["auroc_fold_mean"], ("no", "yes"))["auroc_fold_mean"][0]
    assert found == pytest.approx(np.mean(parts))
    odd = ContenderPredictions(
        lines.sample, lines.group, np.where(lines.fold == 0, 1, lines.label), lines.fold, lines.prob
    )
    rest = metric_values([odd], np.ones((20, 1)), ["auroc_fold_mean"], ("no", "yes"))["auroc_fold_mean"][0]
    assert rest == pytest.approx(np.mean(parts[1:]))
