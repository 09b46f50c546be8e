"""All tests of one pair, by name."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.stats.builders import resample, some_lines, table_from

from headtohead.core.records import TestResult
from headtohead.stats.hypothesis.paired_difference import Difference, paired_differences
from headtohead.stats.hypothesis.paired_tests import PairTests, prepare_tests
from headtohead.stats.metrics.fold_values import fold_values
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.resampled import ResampledPredictions

CLASSES = ("0", "1")


def pair(noise_of_b: float = 1.5, *, folds: bool = True) -> ResampledPredictions:
    a = some_lines(n=160, n_groups=80, ties=False)
    logits = np.log(a.prob[:, 1] / a.prob[:, 0]) + noise_of_b * np.random.default_rng(7).normal(size=160)
    p = 1 / (1 + np.exp(-logits))
    fold = a.group % 4 if folds else np.zeros_like(a.fold)
    a = a.__class__(a.sample, a.group, a.label, fold, a.prob)
    b = a.__class__(a.sample, a.group, a.label, fold, np.stack([1 - p, p], axis=1))
    return resample(table_from({"a": a, "b": b}), n_boot=300)


def run(
    resampled: ResampledPredictions, name: str, rope: float | None = None
) -> tuple[dict[str, TestResult], Difference]:
    metric, table = get_metric(name, CLASSES), resampled.table
    folds = {c: fold_values(table, c, name) for c in table.contenders}
    tests: PairTests = prepare_tests(resampled, metric, rope, folds)
    values = {c: resampled.values(table.of(c), [name])[name] for c in table.contenders}
    difference = paired_differences(table, [("a", "b")], metric, values, resampled.resamples, 0.95)[0]
    boot = resampled.resamples.bootstrap(values["a"] - values["b"])
    return tests.run(difference, boot, 200)[0], difference


def test_every_test_of_auroc_has_a_p_value() -> None:
    tests, difference = run(pair(), "auroc")
    assert set(tests) == {
        "interval", "cluster_bootstrap", "delong", "obuchowski", "mcnemar_exact", "mcnemar_midp",
        "mcnemar_clustered", "nadeau_bengio", "bayes_rope", "permutation",
    }  # fmt: skip
    assert tests["interval"].p_value == difference.p
    assert all(test.p_value is not None for name, test in tests.items() if name != "bayes_rope")
    assert tests["interval"].statistic == pytest.approx(difference.value)


@pytest.mark.parametrize("name", ["accuracy", "brier", "average_precision"])
def test_the_tests_of_auroc_are_left_out_elsewhere(name: str) -> None:
    assert not {"delong", "obuchowski"} & set(run(pair(), name)[0])


def test_a_clear_difference_is_small_in_every_test_and_none_is_not() -> None:
    clear, none = run(pair(9.0), "auroc")[0], run(pair(0.2), "auroc")[0]
    for name in ("interval", "cluster_bootstrap", "obuchowski", "permutation"):
        small, large = clear[name].p_value, none[name].p_value
        assert small is not None and large is not None
        assert small < 0.05 < large


def test_without_folds_the_tests_over_folds_say_so() -> None:
    tests = run(pair(folds=False), "auroc")[0]
    for name in ("nadeau_bengio", "bayes_rope"):
        assert tests[name].p_value is None
        assert "which fold" in tests[name].note


def test_identical_contenders_have_no_statistic_but_the_reason() -> None:
    tests = run(pair(0.0), "auroc")[0]
    assert tests["delong"].statistic is None
    assert "no variance" in tests["delong"].note
    assert tests["cluster_bootstrap"].statistic is None
    assert tests["mcnemar_clustered"].note == "no group is discordant"
    assert tests["permutation"].p_value == 1


def test_the_rope_is_told_in_the_bayesian_test() -> None:
    assert "no ROPE" in run(pair(), "auroc")[0]["bayes_rope"].note
    assert "P(within ±0.05)" in run(pair(), "auroc", rope=0.05)[0]["bayes_rope"].note


def test_each_test_names_its_quantity_and_the_rules_own_stands_first() -> None:
    tests = run(pair(), "auroc")[0]
    assert next(iter(tests)) == "interval"
    assert [test.role for test in tests.values()] == sorted(
        (test.role for test in tests.values()), key=["decides", "same", "other"].index
    )
    assert sum(test.role == "decides" for test in tests.values()) == 1
    assert tests["delong"].role == "other" and tests["delong"].of.startswith("AUROC pooled over folds")
    assert tests["mcnemar_clustered"].role == "other" and tests["mcnemar_clustered"].of == "accuracy at 0.5"
    assert tests["nadeau_bengio"].role == "other" and tests["nadeau_bengio"].of == "AUROC, mean of folds"
    assert {name for name, test in tests.items() if test.ignores_groups} == {
        "delong",
        "mcnemar_exact",
        "mcnemar_midp",
    }


@pytest.mark.parametrize(
    ("metric", "folds", "same"),
    [
        ("auroc", False, {"delong", "obuchowski"}),
        ("auroc_pooled", True, {"delong", "obuchowski"}),
        ("auroc_fold_mean", True, {"nadeau_bengio", "bayes_rope"}),
        ("accuracy", True, {"mcnemar_exact", "mcnemar_midp", "mcnemar_clustered"}),
        ("brier", True, set()),
    ],
)
def test_tests_of_another_quantity_stand_apart(metric: str, folds: bool, same: set[str]) -> None:
    tests = run(pair(folds=folds), metric)[0]
    found = {name for name, test in tests.items() if test.role == "same"}
    assert found == same | {"cluster_bootstrap", "permutation"}
