"""Which groups a metric rests on, and its narrow width, case by case."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from headtohead.stats.decision.support import effective_groups, narrow_width, supporting_groups
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.predictions import PredictionTable


def table(sizes: dict[str, int], per_group: int = 1) -> PredictionTable:
    """Return one contender's perfect answers, `sizes` groups of each class."""
    label = np.repeat(list(sizes), [n * per_group for n in sizes.values()])
    frame = pd.DataFrame({f"prob_{c}": np.where(label == c, 0.9, 0.1 / (len(sizes) - 1)) for c in sizes})
    names = [f"s{i:04d}" for i in range(len(label))]
    group = [f"g{i // per_group:04d}" for i in range(len(label))]
    return build_prediction_table(
        frame.assign(sample=names, group=group, label=label, contender="a"), classes=tuple(sizes)
    )


THREE, TWO = table({"a": 30, "b": 25, "c": 4}, per_group=2), table({"no": 40, "yes": 6})


@pytest.mark.parametrize(
    ("of", "metric", "n", "kind"),
    [
        (THREE, "accuracy", 59, ""),
        (THREE, "auroc", 4, "of class c"),
        (THREE, "balanced_accuracy", 4, "of class c"),
        (THREE, "sensitivity", 4, "of class c"),
        (THREE, "sensitivity_a", 30, "in the denominator of sensitivity of a (a)"),
        (THREE, "auroc_a", 29, "of other classes than a"),
        (THREE, "kappa", 29, "of other classes than a"),
        (THREE, "brier", 29, "of other classes than a"),
        (TWO, "accuracy", 46, ""),
        (TWO, "auroc", 6, "of class yes"),
        (TWO, "sensitivity", 6, None),
        (TWO, "specificity", 40, None),
        (TWO, "balanced_accuracy", 6, "of class yes"),
        (TWO, "mcc", 6, "of class yes"),
        (TWO, "f1", 6, None),
        (TWO, "ppv", 6, None),
    ],
)
def test_the_fewest_groups_that_a_metric_rests_on(
    of: PredictionTable, metric: str, n: int, kind: str | None
) -> None:
    found = supporting_groups(of, get_metric(metric, of.classes), of.contenders)
    assert found.n_groups == n
    assert kind is None or found.kind == kind


def test_the_width_is_a_tenth_of_the_way_from_uninformative_to_perfect() -> None:
    y = (TWO.sample_label == 1).astype(int)
    constant = np.full(len(y), y.mean())
    expected = {
        "auroc": 0.05, "accuracy": 0.05, "sensitivity": 0.05, "kappa": 0.1, "mcc": 0.1, "ece": 0.02,
        "brier": 0.1 * brier_score_loss(y, constant), "log_loss": 0.1 * log_loss(y, constant),
        "average_precision": 0.1 * (1 - y.mean()), "partial_auroc": 0.05,
    }  # fmt: skip
    for name, width in expected.items():
        assert narrow_width(TWO, get_metric(name, TWO.classes)) == pytest.approx(width, rel=1e-6), name
    assert narrow_width(THREE, get_metric("auroc", THREE.classes)) == pytest.approx(0.05)


def test_groups_of_unequal_size_are_worth_fewer() -> None:
    assert effective_groups(TWO) == pytest.approx(46)
    assert effective_groups(THREE) == pytest.approx(59)
    rows = pd.DataFrame({"prob_no": 0.4, "prob_yes": 0.6, "label": ["no", "yes"] * 40, "contender": "a"})
    rows = rows.assign(
        sample=[f"s{i:02d}" for i in range(80)], group=["giant"] * 40 + [f"g{i}" for i in range(40)]
    )
    giant = build_prediction_table(rows, classes=("no", "yes"))
    assert effective_groups(giant) == pytest.approx(80**2 / (40**2 + 40))  # 3.9
