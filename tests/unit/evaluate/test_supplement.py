"""Tables beside a verdict: the intervals by every method, sizes, and notes on what could not be chosen."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.planting.verdicts import judge
from tests.unit.stats.builders import CLASSES, frame_of, resample, two_repeats

from headtohead.core.tables.details import VerdictDetails
from headtohead.stats.intervals.resampling import expanded_percentile
from headtohead.stats.prediction_builder import build_prediction_table

LABEL, GROUP = np.arange(120) % 2, np.arange(120) // 2 // 2


def details(frame: pd.DataFrame, **more: object) -> VerdictDetails:
    return judge(frame, **({"classes": CLASSES, "positive": "yes", "n_boot": 100} | more)).details


def delong_logit(prob: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Return DeLong's interval on the logit scale, every pair of cases compared."""
    above = (prob[label == 1][:, None] > prob[label == 0]) + 0.5 * (
        prob[label == 1][:, None] == prob[label == 0]
    )
    area = above.mean()
    variance = above.mean(axis=1).var(ddof=1) / len(above) + above.mean(axis=0).var(ddof=1) / above.shape[1]
    half = stats.norm.ppf(0.975) * math.sqrt(variance) / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-(math.log(area / (1 - area)) + side * half))) for side in (-1, 1))
    return low, high


def test_each_method_gives_its_own_interval_of_the_primary_metric() -> None:
    frame = frame_of({"a": 2.0, "b": 1.0}, LABEL, GROUP).drop(columns="fold")
    found = details(frame).intervals["a"]
    table = build_prediction_table(frame, classes=CLASSES, positive="yes")
    resampled, lines = resample(table), table.of("a")[0]
    boot = resampled.resamples.bootstrap(resampled.values(table.of("a"), ["auroc"])["auroc"])
    assert found["percentile"] == pytest.approx(tuple(np.quantile(boot, [0.025, 0.975])))
    assert found["expanded_percentile"] == pytest.approx(expanded_percentile(boot, 0.95, table.n_groups))
    assert found["delong_logit"] == pytest.approx(delong_logit(lines.prob[:, 1], lines.label))
    assert found["obuchowski_logit"] != pytest.approx(found["delong_logit"])
    assert set(found) == {"percentile", "expanded_percentile", "bca", "delong_logit", "obuchowski_logit"}


def test_groups_of_one_sample_make_obuchowskis_interval_delongs() -> None:
    """Up to the factor n / (n - 1) of the groups in place of that of each class."""
    frame = frame_of({"a": 2.0, "b": 1.0}, LABEL, np.arange(120)).drop(columns="fold")
    found = details(frame).intervals["a"]
    assert found["obuchowski_logit"] == pytest.approx(found["delong_logit"], abs=2e-3)


def test_another_metric_has_no_interval_of_delong_and_a_perfect_one_none_on_the_logit_scale() -> None:
    frame = frame_of({"a": 2.0, "b": 1.0}, LABEL, GROUP).drop(columns="fold")
    assert set(details(frame, metric="accuracy").intervals["a"]) == {
        "percentile",
        "expanded_percentile",
        "bca",
    }
    sure = frame["label"].map({"yes": 0.9, "no": 0.1})
    perfect = frame.assign(prob_yes=sure, prob_no=1 - sure)
    assert set(details(perfect).intervals["a"]) == {"percentile", "expanded_percentile", "bca"}


def test_sizes_are_counted_by_class_in_samples_and_in_groups() -> None:
    frame = frame_of({"a": 2.0, "b": 1.0}, (np.arange(120) < 30).astype(np.int64), GROUP).drop(columns="fold")
    size = details(frame).size
    assert size is not None
    assert (size.n_samples, size.n_groups, size.n_repeats, size.n_boot) == (120, 30, 1, 100)
    assert size.samples_per_class == {"no": 90, "yes": 30}
    assert size.groups_per_class == {"no": 23, "yes": 8}  # one group of four holds both


def test_the_positive_class_and_the_repeats_are_told() -> None:
    found = details(two_repeats(), positive="no")
    assert (found.classes, found.positive) == (("yes", "no"), "no")
    assert found.size is not None and found.size.n_repeats == 2
    assert {name: len(values) for name, values in found.per_repeat.items()} == {"a": 2, "b": 2}


def test_a_fold_of_one_class_has_no_auroc_and_its_size_all_the_same() -> None:
    found = details(frame_of({"a": 2.0, "b": 1.0}, LABEL, np.arange(120))).per_fold["a"]
    assert found == tuple((0, fold, None, 30) for fold in range(4))  # the folds are those of the classes


def test_subgroups_compare_the_pair_that_stands_first() -> None:
    frame = frame_of({"a": 2.0, "b": 1.0, "c": 0.5}, LABEL, np.arange(120)).drop(columns="fold")
    names = frame["sample"].unique()
    site = {name: "x" if i < 60 else "y" for i, name in enumerate(names)}
    found = details(frame, primary=("c", "a"), by={"site": site}).subgroups["site"].values["x"].pair
    assert found is not None and (found.a, found.b) == ("c", "a")
    part = frame[frame["sample"].map(site) == "x"]
    alone = judge(part, classes=CLASSES, positive="yes", n_boot=100, primary=("c", "a")).comparisons[0]
    assert found.difference.value == pytest.approx(alone.difference)


def test_controls_are_neither_ranked_nor_among_the_best() -> None:
    frame = frame_of({"a": 2.0, "b": 1.0, "c": 0.5, "old": 3.0}, LABEL, np.arange(120)).drop(columns="fold")
    found = details(frame, baselines=("old",))
    assert found.best is not None and set(found.best.candidates) | set(found.best.excluded) == {"a", "b", "c"}
    assert found.best.highest == "a"
    assert found.ranks is not None and set(found.ranks.contenders) == {"a", "b", "c"}
    assert found.variance is not None and set(found.variance.contenders) == {"a", "b", "c"}
    assert "old" in found.calibration and "old" in found.roc


def test_what_could_not_be_chosen_is_named() -> None:
    frame = frame_of({"a": 2.0, "b": 1.0}, LABEL, np.arange(120) // 2)
    parts = []
    for fold in sorted(frame["fold"].unique()):
        trained = frame[(frame["fold"] != fold) & (frame["contender"] == "a")]
        parts.append(trained.assign(fold=fold, repeat=0))
    assert details(frame, inner=pd.concat(parts, ignore_index=True)).notes == (
        "No threshold or temperature was chosen for b: inner predictions are missing.",
    )
    assert details(frame).notes == (
        "Classes were called at 0.5: there are no inner predictions to choose thresholds on.",
    )
    assert details(frame, ranks_only=True).notes == ()
