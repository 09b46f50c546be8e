"""The interval of each kind of score, and its warnings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import CLASSES, codes, table_of_two, verdict_on, warned_lines

from headtohead.stats.intervals.resampling import (
    make_resamples,
    wilson_clustered,
)
from headtohead.stats.intervals.score_uncertainty import score_uncertainty
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values


def test_a_share_whose_errors_sit_in_one_patient_is_known_badly() -> None:
    """Planted: 20 errors of 400, all of one patient of 40; spread over 20 patients they are no such thing."""
    label = np.repeat(np.arange(40) % 2, 10)
    positive = np.where(label == 1, 0.9, 0.1)
    together, spread = positive.copy(), positive.copy()
    together[:20] = 1 - together[:20]
    spread[::20] = 1 - spread[::20]
    one, many = (verdict_on(warned_lines(label, p, per_group=10)) for p in (together, spread))
    assert "few_degrees" in codes(one, "accuracy") & codes(one, "balanced_accuracy")
    assert codes(many, "accuracy") == set()
    ends = [next(s for s in v.scores if s.metric == "accuracy") for v in (one, many)]
    assert ends[0].low is not None
    assert ends[1].low is not None
    assert ends[0].value == ends[1].value == 0.95
    assert ends[0].low < ends[1].low - 0.1


def test_few_groups_of_a_class_are_warned_of() -> None:
    """Planted: many images of the rarer class, all of six patients."""
    rng = np.random.default_rng(1)
    label = np.repeat([1] * 6 + [0] * 40, 10)
    positive = 1 / (1 + np.exp(-(label + rng.normal(size=460))))
    found = verdict_on(warned_lines(label, positive, per_group=10))
    assert {"few_class_groups"} <= codes(found, "auroc")
    assert "few_in_denominator" in codes(found, "sensitivity")
    alone = verdict_on(warned_lines(label, positive))
    assert "few_class_groups" not in codes(alone, "auroc")


def test_an_f1_that_rests_on_hardly_any_positive_answer_is_warned_of() -> None:
    label = np.arange(90) % 3 == 0
    score = np.where(np.arange(90) < 6, 0.8, 0.2)
    few = verdict_on(warned_lines(label.astype(int), score))
    assert "few_in_denominator" in codes(few, "f1") & codes(few, "ppv")
    enough = verdict_on(warned_lines(label.astype(int), np.where(np.arange(90) < 40, 0.8, 0.2)))
    assert "few_in_denominator" not in codes(enough, "f1") | codes(enough, "ppv")
    in_one_group = verdict_on(
        warned_lines(label.astype(int), np.where(np.arange(90) < 40, 0.8, 0.2), per_group=10)
    )
    assert "few_in_denominator" in codes(in_one_group, "f1")


Floats = npt.NDArray[np.float64]


def test_balanced_accuracy_keeps_room_where_a_class_is_never_recognised() -> None:
    """Planted: no positive of ten is found. A single standard error would be 0 on that side."""
    label = np.array([1] * 10 + [0] * 90)
    table = table_of_two(np.arange(100), label, np.where(np.arange(100) < 95, 0.2, 0.8))
    resamples = make_resamples(100, 50, 0)
    values = metric_values(table.of("a"), resamples.weights, ["balanced_accuracy"], CLASSES)[
        "balanced_accuracy"
    ]
    ends = score_uncertainty(table, "a", METRICS["balanced_accuracy"], values, resamples).ends(0.95)
    assert ends is not None
    assert values[0] == pytest.approx((0 + 85 / 90) / 2)
    assert ends[1] - values[0] > wilson_clustered(0.0, 10, 10, 0.0, 0.95)[1] / 2 - 1e-9
    assert values[0] - ends[0] < 0.06
