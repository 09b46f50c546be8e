"""The interval of each kind of score, and its warnings."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.stats.builders import (
    CLASSES,
    codes,
    resample,
    some_lines,
    table_from,
    table_of_two,
    verdict_on,
    warned_lines,
)

from headtohead.core.errors import UndefinedMetricError
from headtohead.stats.intervals.resampling import (
    make_resamples,
    wilson_clustered,
)
from headtohead.stats.intervals.score_uncertainty import ScoreUncertainty, denominator, score_uncertainty
from headtohead.stats.intervals.training_variance import training_stretch
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


RESAMPLED = resample(table_from({"a": some_lines(n=240, n_groups=120, ties=False)}), n_boot=400)


def uncertainty(name: str) -> ScoreUncertainty:
    values = RESAMPLED.values(RESAMPLED.table.of("a"), [name])[name]
    return score_uncertainty(RESAMPLED.table, "a", METRICS[name], values, RESAMPLED.resamples)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("accuracy", "Wilson at the effective sample size"),
        ("balanced_accuracy", "Wilson of each class recall"),
        ("auroc", "jackknife over groups, Wilson's form"),
        ("brier", "jackknife over groups, t interval on the logit scale"),
        ("log_loss", "t interval on the log scale"),
        ("calibration_slope", "t interval on the plain scale"),
        ("partial_auroc", "cluster bootstrap (400 replicates)"),
        ("ece", "percentile moved by its bias"),
    ],
)
def test_the_method_is_told_in_words(name: str, words: str) -> None:
    assert words in uncertainty(name).method


@pytest.mark.parametrize(
    "name", ["auroc", "brier", "log_loss", "calibration_slope", "average_precision", "mcc"]
)
def test_an_interval_from_the_jackknife_is_about_that_of_the_bootstrap(name: str) -> None:
    """With 120 groups in the middle of the range every method tends to the same ends, as far as models are fixed.

    Of learners the interval is longer, by the stretch for the training sample (one repeat: the upper bound);
    near the end of the range the logit scale lengthens its longer side a little more than that.
    """
    values = RESAMPLED.values(RESAMPLED.table.of("a"), [name])[name]
    ends = uncertainty(name).ends(0.95)
    assert ends is not None
    low, high = np.quantile(RESAMPLED.resamples.bootstrap(values), [0.025, 0.975])
    stretch = training_stretch(RESAMPLED.table, "a")
    assert stretch == pytest.approx(math.sqrt(1 + 1.2 * 3 / 2), rel=0.01)  # three folds
    assert ends[1] - ends[0] == pytest.approx(stretch * (high - low), rel=0.35)


def test_the_denominator_of_a_rate_is_counted_in_lines_and_groups() -> None:
    lines = RESAMPLED.table.of("a")[0]
    classes = RESAMPLED.table.classes
    predicted = lines.prob[:, 1] >= 0.5
    for name, counted in (
        ("accuracy", np.ones(240, dtype=bool)),
        ("sensitivity", lines.label == 1),
        ("specificity", lines.label == 0),
        ("ppv", predicted),
        ("npv", ~predicted),
    ):
        expected = int(counted.sum()), len(np.unique(lines.group[counted]))
        assert denominator(lines, METRICS[name], None, classes) == expected
    nobody = denominator(lines, METRICS["ppv"], np.full(240, 2.0), classes)
    assert nobody == (0, 0)
    with pytest.raises(UndefinedMetricError, match="not a share"):
        denominator(lines, METRICS["auroc"], None, classes)


def test_lost_resamples_are_noted_and_warned_of_where_many() -> None:
    values = RESAMPLED.values(RESAMPLED.table.of("a"), ["auroc"])["auroc"]
    for lost, warned in ((40, False), (100, True)):
        damaged = values.copy()
        damaged[1 : 1 + lost] = np.nan
        found = score_uncertainty(RESAMPLED.table, "a", METRICS["auroc"], damaged, RESAMPLED.resamples)
        text = f"{lost} of 400 resamples lacked a class"
        assert ("lost_resamples" in {w.code for w in found.warnings}) == warned
        assert text in (found.warnings[-1].text if warned else found.note)
