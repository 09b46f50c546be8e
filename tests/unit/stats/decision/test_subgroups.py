"""Scores within subgroups, against all other samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tests.unit.stats.builders import resample, some_lines, table_from

from headtohead.core.errors import ManifestError
from headtohead.core.tables.comparison import SubgroupTable
from headtohead.stats.decision.subgroups import subgroup_tables
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.resampled import ResampledPredictions

AUROC = get_metric("auroc", ("0", "1"))


def resampled_pair() -> ResampledPredictions:
    lines = some_lines(n=240, n_groups=120, ties=False)
    other = some_lines(n=240, n_groups=120, ties=False, seed=9)
    b = lines.__class__(lines.sample, lines.group, lines.label, lines.fold, other.prob)
    return resample(table_from({"a": lines, "b": b}), n_boot=200)


RESAMPLED = resampled_pair()


def by_group(n_first: int) -> dict[str, str]:
    """Return the value "x" for samples of the first groups and "y" for all others."""
    table = RESAMPLED.table
    return {
        str(s): "x" if g < n_first else "y" for s, g in zip(table.samples, table.sample_group, strict=True)
    }


def column(values: dict[str, str]) -> SubgroupTable:
    return subgroup_tables(RESAMPLED, AUROC, {"site": values})["site"]


def test_a_subgroup_has_the_metric_of_its_samples_and_the_difference_from_the_rest() -> None:
    table = column(by_group(60))
    inside = RESAMPLED.table.sample_group < 60
    auroc = {}
    for name, keep in (("x", inside), ("y", ~inside)):
        part = RESAMPLED.table.restrict(keep)
        auroc[name] = metric_values(part.of("a"), np.ones((part.n_groups, 1)), ["auroc"], part.classes)[
            "auroc"
        ][0]
    x = table.values["x"]
    assert (x.n_samples, x.n_groups) == (int(inside.sum()), 60)
    assert x.contenders["a"].score.value == pytest.approx(auroc["x"])
    difference = x.contenders["a"].difference
    assert difference is not None
    assert difference.value == pytest.approx(auroc["x"] - auroc["y"])
    mirrored = table.values["y"].contenders["a"].difference
    assert mirrored is not None and mirrored.value == pytest.approx(-(difference.value or 0))


def test_two_values_are_one_contrast_adjusted_over_the_contenders() -> None:
    values = column(by_group(50)).values
    assert all(one.p_value is None and one.p_holm is None for one in values["y"].contenders.values())
    tested = list(values["x"].contenders.values())
    expected = multipletests([one.p_value for one in tested], method="holm")[1]
    assert [one.p_holm for one in tested] == pytest.approx(list(expected))


def site_frame(gap: float, n: int = 300) -> ResampledPredictions:
    """Return two contenders on independent samples without folds; in the first third b is `gap` worse."""
    rng = np.random.default_rng(4)
    first = some_lines(n=n, n_groups=n, ties=False)
    label = np.arange(n) % 2
    made = []
    for less in (0.0, gap):
        strength = np.where(np.arange(n) < n // 3, 2.0 - less, 2.0)
        p = 1 / (1 + np.exp(-(strength * (2 * label - 1) / 2 + rng.normal(size=n))))
        made.append(
            first.__class__(np.arange(n), np.arange(n), label, 0 * label, np.stack([1 - p, p], axis=1))
        )
    return resample(table_from({"a": made[0], "b": made[1]}), n_boot=100)


def thirds(resampled: ResampledPredictions) -> dict[str, str]:
    n = resampled.table.n_samples
    return {str(s): "x" if i < n // 3 else "y" for i, s in enumerate(resampled.table.samples)}


def test_the_interaction_of_accuracies_is_welchs_test() -> None:
    """The accuracy of each sample is its own mean, so the interaction is a t-test of the sample-wise differences."""
    resampled = site_frame(1.5)
    table = resampled.table
    found = (
        subgroup_tables(
            resampled, get_metric("accuracy", table.classes), {"site": thirds(resampled)}, ("a", "b")
        )["site"]
        .values["x"]
        .pair
    )
    assert found is not None and found.interaction is not None
    a, b = (table.of(name)[0] for name in ("a", "b"))
    gain = (a.prob.argmax(axis=1) == a.label).astype(float) - (b.prob.argmax(axis=1) == b.label)
    welch = stats.ttest_ind(gain[:100], gain[100:], equal_var=False)
    assert found.interaction.value == pytest.approx(gain[:100].mean() - gain[100:].mean())
    assert found.p_value == pytest.approx(welch.pvalue, rel=0.25)
    low, high = welch.confidence_interval()
    assert (found.interaction.low, found.interaction.high) == pytest.approx((low, high), abs=0.01)


def test_a_p_value_becomes_as_small_as_the_data_say() -> None:
    resampled = site_frame(6.0)
    table = subgroup_tables(resampled, AUROC, {"site": thirds(resampled)}, ("a", "b"))["site"]
    spoilt, pair = table.values["x"].contenders["b"], table.values["x"].pair
    assert spoilt.p_holm is not None and spoilt.p_holm < 1e-4
    assert pair is not None and pair.p_holm is not None and pair.p_holm < 1e-4
    assert pair.interaction is not None and pair.interaction.low is not None and pair.interaction.low > 0
    assert table.values["y"].pair is not None and table.values["y"].pair.p_value is None


def test_the_interval_and_its_p_value_agree_and_hold_their_level() -> None:
    rng = np.random.default_rng(0)
    small = 0
    for _ in range(60):
        resampled = site_frame(0.0, n=150)
        order = rng.permutation(150)
        values = {str(s): "x" if order[i] < 50 else "y" for i, s in enumerate(resampled.table.samples)}
        one = subgroup_tables(resampled, AUROC, {"site": values})["site"].values["x"].contenders["a"]
        assert one.difference is not None and one.p_value is not None
        assert one.difference.low is not None and one.difference.high is not None
        assert (one.p_value <= 0.05) == (one.difference.low > 0 or one.difference.high < 0)
        small += one.p_value <= 0.05
    assert small <= 8  # 3 expected; more than 8 of 60 has a probability below 0.5 %


def test_a_small_subgroup_has_a_reason_instead_of_numbers() -> None:
    small = column(by_group(6)).values["x"]
    assert small.contenders == {}
    assert small.too_few is not None and small.too_few.startswith("too few: 6 groups")
    assert column(by_group(60)).values["x"].too_few is None


def test_a_column_of_one_value_has_no_rest_to_differ_from() -> None:
    only = column(dict.fromkeys(map(str, RESAMPLED.table.samples), "x")).values["x"]
    assert only.contenders["a"].score.value is not None
    assert only.contenders["a"].difference is None
    assert only.contenders["a"].p_holm is None


def test_a_sample_without_a_value_is_refused() -> None:
    values = by_group(60)
    first = str(RESAMPLED.table.samples[0])
    del values[first]
    with pytest.raises(ManifestError, match=f"1 sample.*'site'.*{first}"):
        column(values)


def test_a_subgroup_whose_lines_all_lose_the_same_has_a_difference_without_interval() -> None:
    """Every line of the subgroup loses 0.09 in Brier score: no resample varies, so no interval is claimed."""
    resampled = site_frame(0.0)
    lines = resampled.table.of("a")[0]
    prob = lines.prob.copy()
    prob[:100] = np.where(np.eye(2)[lines.label[:100]] == 1, 0.7, 0.3)
    even = lines.__class__(lines.sample, lines.group, lines.label, lines.fold, prob)
    again = resample(table_from({"a": even, "b": resampled.table.of("b")[0]}), n_boot=100)
    brier = get_metric("brier", again.table.classes)
    one = subgroup_tables(again, brier, {"site": thirds(again)})["site"].values["x"].contenders["a"]
    assert one.difference is not None
    assert one.difference.value == pytest.approx(0.09 - np.mean((prob[100:, 1] - lines.label[100:]) ** 2))
    assert (one.difference.low, one.difference.high, one.p_value) == (None, None, None)
