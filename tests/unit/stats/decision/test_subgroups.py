"""Scores within subgroups, against all other samples."""

from __future__ import annotations

import numpy as np
import pytest
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


def test_p_values_are_adjusted_over_all_values_and_contenders() -> None:
    scores = [one for value in column(by_group(60)).values.values() for one in value.contenders.values()]
    assert len(scores) == 4
    raw = [one.p_value for one in scores]
    expected = multipletests(raw, method="holm")[1]
    assert [one.p_holm for one in scores] == pytest.approx(list(expected))
    assert all(
        one.p_holm is not None and one.p_value is not None and one.p_holm >= one.p_value for one in scores
    )


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
