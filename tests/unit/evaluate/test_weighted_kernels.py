"""Vectorised, weighted statistics against scikit-learn on copies, and against plain double loops."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from headtohead.stats.metrics.ranking import (
    FromCurve,
    average_precision,
    curve_values,
    partial_auroc,
    weighted_auroc,
)
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

Floats = npt.NDArray[np.float64]


def some_lines(
    n: int = 60, n_groups: int = 20, k: int = 2, seed: int = 0, ties: bool = True
) -> ContenderPredictions:
    rng = np.random.default_rng(seed)
    group = np.sort(np.append(np.arange(n_groups), rng.integers(0, n_groups, n - n_groups)))
    label = np.append(np.arange(k), rng.integers(0, k, n - k)).astype(np.int64)
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[label]
    if ties:
        logits = np.round(logits)
    prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return ContenderPredictions(np.arange(n), group, label, np.arange(n) % 3, prob)


def some_weights(n_groups: int = 20, replicates: int = 12, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=replicates).T
    return np.concatenate([np.ones((n_groups, 1)), drawn], axis=1)


def double_loop(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    pairs = itertools.product(score[positive], score[~positive])
    return float(np.mean([1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs]))


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


@pytest.mark.parametrize("name", sorted(SK_MULTI))
def test_three_class_metrics_equal_sklearn_on_copies(name: str) -> None:
    lines, weights = some_lines(n=90, k=3, ties=False), some_weights()
    found = metric_values([lines], weights, [name], ("a", "b", "c"))[name]
    for column, value in enumerate(found):
        drawn = copies(lines, weights[:, column])
        assert value == pytest.approx(SK_MULTI[name](lines.label[drawn], lines.prob[drawn]), abs=1e-10)


def test_per_class_sensitivity_is_that_class_alone() -> None:
    lines = some_lines(n=90, k=3)
    found = metric_values([lines], np.ones((20, 1)), ["sensitivity_b", "auroc_b"], ("a", "b", "c"))
    mine = lines.label == 1
    assert found["sensitivity_b"][0] == pytest.approx((lines.prob[mine].argmax(1) == 1).mean())
    assert found["auroc_b"][0] == pytest.approx(double_loop(lines.prob[:, 1], mine))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=25),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_auroc_equals_the_double_loop_on_copies(rows: list[tuple[int, bool, int]], counts: list[int]) -> None:
    score = np.array([row[0] for row in rows], dtype=float)
    positive = np.array([row[1] for row in rows])
    group = np.array([row[2] for row in rows])
    weights = np.array(counts, dtype=float)[:, None]
    drawn = np.repeat(np.arange(len(rows)), weights[group, 0].astype(int))
    found = weighted_auroc(score, positive, group, weights)[0]
    if len(drawn) == 0 or positive[drawn].all() or not positive[drawn].any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(double_loop(score[drawn], positive[drawn]), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_auroc_sees_only_the_order_and_turns_round_with_the_labels(seed: int) -> None:
    lines, weights = some_lines(seed=seed), some_weights(seed=seed)
    score, positive = lines.prob[:, 1], lines.label == 1
    plain = weighted_auroc(score, positive, lines.group, weights)
    ranks = np.unique(score, return_inverse=True)[1].astype(float)
    bent = weighted_auroc(np.exp(ranks / 9) - 7, positive, lines.group, weights)
    turned = weighted_auroc(score, ~positive, lines.group, weights)
    np.testing.assert_allclose(plain, bent, atol=1e-12, equal_nan=True)
    np.testing.assert_allclose(plain, 1 - turned, atol=1e-12, equal_nan=True)


def test_operating_points_are_read_off_the_curve() -> None:
    lines = some_lines(n=200, ties=True, seed=5)
    found = metric_values(
        [lines],
        np.ones((20, 1)),
        ["sensitivity_at_specificity_90", "specificity_at_sensitivity_90"],
        ("no", "yes"),
    )
    fpr, tpr, _ = sk.roc_curve(lines.label, lines.prob[:, 1], drop_intermediate=False)
    assert found["sensitivity_at_specificity_90"][0] == pytest.approx(tpr[fpr <= 0.1 + 1e-12].max())
    assert found["specificity_at_sensitivity_90"][0] == pytest.approx(1 - fpr[tpr >= 0.9 - 1e-12].min())


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


def test_calibration_fit_equals_statsmodels_and_one_step_follows_the_full_refit() -> None:
    import statsmodels.api as sm

    lines, weights = some_lines(n=400, n_groups=100, ties=False, seed=2), some_weights(100, 60)
    found = metric_values([lines], weights, ["calibration_slope", "calibration_intercept"], ("no", "yes"))
    x = np.log(lines.prob[:, 1] / lines.prob[:, 0])
    fit = sm.GLM(lines.label, sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert found["calibration_slope"][0] == pytest.approx(fit.params[1], abs=1e-7)
    offset = sm.GLM(lines.label, np.ones(400), family=sm.families.Binomial(), offset=x).fit()
    assert found["calibration_intercept"][0] == pytest.approx(offset.params[0], abs=1e-7)
    refits = [
        sm.GLM(
            lines.label, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=weights[lines.group, c]
        ).fit().params[1]
        for c in range(1, 61)
    ]  # fmt: skip
    assert np.corrcoef(refits, found["calibration_slope"][1:])[0, 1] > 0.98
    assert np.std(found["calibration_slope"][1:]) == pytest.approx(np.std(refits), rel=0.15)


def test_calibration_error_equals_a_plain_loop_over_bins() -> None:
    lines = some_lines(n=200, ties=False, seed=9)
    found = metric_values([lines], np.ones((20, 1)), ["ece", "ace"], ("no", "yes"))
    confidence, right = lines.prob.max(axis=1), lines.prob.argmax(axis=1) == lines.label
    order = np.argsort(confidence)
    bins = np.array_split(order, 10)
    expected = sum(len(b) / 200 * abs(right[b].mean() - confidence[b].mean()) for b in bins)
    assert found["ece"][0] == pytest.approx(expected, abs=1e-9)
    gaps = [
        abs((lines.label[b] == 1).mean() - lines.prob[b, 1].mean())
        for b in np.array_split(np.argsort(lines.prob[:, 1]), 10)
    ]
    assert found["ace"][0] == pytest.approx(np.mean(gaps), abs=1e-9)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, weights = some_lines(), some_weights()
    kernels = {"average_precision": FromCurve(average_precision), "partial_auroc": FromCurve(partial_auroc)}
    args = (lines.prob[:, 1], lines.label == 1, lines.group, weights)
    whole, area = curve_values(*args, kernels), weighted_auroc(*args)
    monkeypatch.setattr("headtohead.stats.metrics.ranking._CELLS_PER_CHUNK", 100)
    pieces = curve_values(*args, kernels)
    for name in kernels:
        np.testing.assert_allclose(whole[name], pieces[name], rtol=1e-13)
    np.testing.assert_allclose(area, weighted_auroc(*args), rtol=1e-13)
