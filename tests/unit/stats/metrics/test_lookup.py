"""Metrics by name, and the lists of those that are shown in one place."""

from __future__ import annotations

import pytest

from headtohead.core.errors import UnknownNameError
from headtohead.stats.metrics.lookup import check_name, default_metrics, get_metric, metrics_shown
from headtohead.stats.metrics.registry import METRICS


def test_the_title_of_a_mean_over_classes_says_so() -> None:
    assert get_metric("auroc", ("no", "yes")).title == "AUROC"
    assert get_metric("auroc", ("a", "b", "c")).title == "AUROC (mean over the 3 classes)"
    assert get_metric("accuracy", ("a", "b", "c")).title == "accuracy"


def test_a_metric_of_one_class_is_that_class_against_the_rest() -> None:
    metric = get_metric("sensitivity_b", ("a", "b", "c"))
    assert (metric.of_class, metric.title) == ("b", "sensitivity of b")
    assert metric.interval_of(3) == METRICS["sensitivity"].interval != METRICS["sensitivity"].mean_interval
    one_class = get_metric("auroc_b", ("a", "b"))
    assert not one_class.delong_test and not one_class.delong_interval
    assert (
        "positive" not in get_metric("ppv_b", ("a", "b", "c")).undefined
    )  # that is b, not "the positive class"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="auroc"):
        get_metric("aurok", ("no", "yes"))
    with pytest.raises(UnknownNameError):
        get_metric("sensitivity_d", ("a", "b", "c"))
    with pytest.raises(UnknownNameError):
        check_name("kappa_a")
    check_name("sensitivity_d")


def test_reported_metrics_fit_the_classes_and_the_folds() -> None:
    two, three = default_metrics(("no", "yes"), True), default_metrics(("a", "b", "c"), True)
    assert "partial_auroc" in two and "partial_auroc" not in three
    assert "auroc_fold_mean" in two and "auroc_fold_mean" not in default_metrics(("no", "yes"), False)
    assert three[-9:] == tuple(f"{m}_{c}" for m in ("sensitivity", "specificity", "auroc") for c in "abc")


def test_what_is_shown_first_comes_first() -> None:
    assert metrics_shown("headline")[:3] == ("auroc", "accuracy", "balanced_accuracy")
    assert metrics_shown("operating_point")[:4] == ("sensitivity", "specificity", "ppv", "npv")
    assert "mcc" not in metrics_shown("headline")


def test_the_refusal_names_what_was_asked_for() -> None:
    for ask in (lambda: get_metric("aurok", ("no", "yes")), lambda: check_name("aurok")):
        with pytest.raises(UnknownNameError, match=r"^Unknown metric 'aurok'; did you mean 'auroc"):
            ask()
