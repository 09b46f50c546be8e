"""What a metric's record says about itself."""

from __future__ import annotations

from headtohead.stats.metrics.metric import FoldMean, Metric
from headtohead.stats.metrics.registry import METRICS


def test_lower_is_better_for_losses_alone() -> None:
    assert {name for name, metric in METRICS.items() if metric.sign < 0} == {
        "brier",
        "log_loss",
        "ece",
        "ace",
    }


def test_metrics_of_rank_are_those_of_the_curves_and_their_fold_means() -> None:
    by_rank = {name for name, metric in METRICS.items() if metric.by_rank}
    assert {"auroc", "auroc_fold_mean", "average_precision", "partial_auroc"} < by_rank
    assert not by_rank & {"brier", "accuracy", "ece"}
    fold_mean = METRICS["auroc_fold_mean"].kernel
    assert isinstance(fold_mean, FoldMean) and isinstance(fold_mean.metric, Metric)


def test_the_brier_score_of_two_classes_ends_at_one() -> None:
    assert [METRICS["brier"].upper_end(k) for k in (2, 3)] == [1, 2]
    assert METRICS["accuracy"].upper_end(3) == 1


def test_the_mean_of_sensitivities_has_an_interval_of_its_own() -> None:
    metric = METRICS["sensitivity"]
    assert metric.interval_of(2) == "clustered_wilson"
    assert metric.interval_of(3) == "class_recalls"
    assert METRICS["accuracy"].interval_of(3) == METRICS["accuracy"].interval
