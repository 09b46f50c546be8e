"""Ranks, critical difference and sources of variance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from tests.unit.stats.builders import CLASSES, frame_of, judge_frame, lines_of_score, resample, table_from

from headtohead.core.records import Comparison, VerdictWord
from headtohead.core.tables.comparison import CriticalDifference, RankTable
from headtohead.stats.hypothesis.ranks import critical_difference, rank_table, variance_split
from headtohead.stats.intervals.score_interval import jackknife_variance
from headtohead.stats.metrics.fold_values import FoldValue, fold_values
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.prediction_builder import build_prediction_table

Ints = npt.NDArray[np.int64]


def test_the_spread_over_groups_is_that_of_the_jackknife() -> None:
    label, group = np.arange(120) % 2, np.arange(120) // 2
    verdict = judge_frame(frame_of({"a": 1.5, "b": 1.0}, label, group))
    table = build_prediction_table(
        frame_of({"a": 1.5, "b": 1.0}, label, group), classes=CLASSES, positive="yes", contenders=None
    )
    weights = np.ones((60, 60)) - np.eye(60)
    each = [
        jackknife_variance(metric_values(table.of(name), weights, ["auroc"], CLASSES)["auroc"])
        for name in ("a", "b")
    ]
    split = verdict.details.model_dump()["variance"]
    assert split["sd_group"] == pytest.approx(math.sqrt(sum(each) / 2))
    values = [s.value for s in verdict.scores if s.metric == "auroc"]
    assert split["sd_contender"] == pytest.approx(np.std(np.asarray(values, dtype=float), ddof=1))
    assert split["sd_repeat"] is None
    inside = [[line[2] for line in fold_values(table, name, "auroc")] for name in ("a", "b")]
    assert split["sd_fold"] == pytest.approx(math.sqrt(np.mean([np.var(v, ddof=1) for v in inside])))
    assert fold_values(table, "a", "auroc_fold_mean") == fold_values(table, "a", "auroc")


def _comparison(a: str, b: str, word: VerdictWord) -> Comparison:
    return Comparison(
        a=a, b=b, metric="auroc", difference=0.1, low=0.0, high=0.2, verdict=word,
        winner=a if word == "better" else None, sentence="", n_samples=9, n_groups=9, method="test",
    )  # fmt: skip


def ranks_of(words: dict[tuple[str, str], VerdictWord]) -> RankTable:
    """Return the ranks of three contenders of falling skill under the given verdicts on pairs."""
    label = np.arange(240) % 2
    rng = np.random.default_rng(2)
    contenders = {
        name: lines_of_score(1 / (1 + np.exp(-(rng.normal(size=240) + lift * (label - 0.5)))), label)
        for name, lift in (("a", 4.0), ("b", 2.0), ("c", 0.5))
    }
    resampled = resample(table_from(contenders), n_boot=200)
    values = {c: resampled.values(resampled.table.of(c), ["auroc"])["auroc"] for c in contenders}
    pairs = [_comparison(a, b, word) for (a, b), word in words.items()]
    return rank_table(resampled, METRICS["auroc"], list(contenders), values, pairs)


def test_ranks_follow_the_scores_and_are_stable_where_they_lie_apart() -> None:
    table = ranks_of({})
    assert [table.contenders[name].rank for name in "abc"] == [1, 2, 3]
    best = table.contenders["a"]
    assert best.share_first == 1
    assert (best.low, best.high, best.mean_rank) == (1, 1, 1)
    assert sum(one.share_first or 0 for one in table.contenders.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "cliques"),
    [
        ({}, (("a", "b", "c"),)),
        ({("a", "c"): "better"}, (("a", "b"), ("b", "c"))),
        ({("a", "b"): "better", ("a", "c"): "better"}, (("b", "c"),)),
        ({("a", "b"): "better", ("a", "c"): "better", ("b", "c"): "better"}, ()),
        ({("a", "c"): "equivalent"}, (("a", "b", "c"),)),
    ],
)
def test_a_clique_holds_no_pair_of_which_one_is_better(
    words: dict[tuple[str, str], VerdictWord], cliques: tuple[tuple[str, ...], ...]
) -> None:
    assert ranks_of(words).cliques == cliques


def test_a_critical_difference_needs_three_contenders_and_two_folds() -> None:
    folds = {
        name: [FoldValue(0, fold, 0.5 + 0.1 * i, 9) for fold in range(4)] for i, name in enumerate("abc")
    }
    assert critical_difference({n: folds[n] for n in "ab"}, 1, 0.95).mean_ranks is None
    assert critical_difference({n: folds[n][:1] for n in "abc"}, 1, 0.95).mean_ranks is None
    table = critical_difference(folds, 1, 0.95)
    assert table.mean_ranks == {"a": 3, "b": 2, "c": 1}
    assert table.n_folds == 4
    by_scipy = stats.friedmanchisquare(*np.random.default_rng(0).random((3, 12)))
    values = np.random.default_rng(0).random((3, 12))
    random = {
        str(i): [FoldValue(0, f, float(v), 9) for f, v in enumerate(row)] for i, row in enumerate(values)
    }
    assert critical_difference(random, 1, 0.95).friedman_chi2 == pytest.approx(by_scipy.statistic)


def test_ranks_over_folds_are_no_test() -> None:
    folds = {name: [FoldValue(0, f, 0.1 * f + i, 9) for f in range(4)] for i, name in enumerate("abc")}
    assert "p_value" not in critical_difference(folds, 1, 0.95).model_dump()


def test_the_p_value_of_an_earlier_verdict_is_left_out() -> None:
    old = {"mean_ranks": {"a": 1.0}, "p_value": 0.2, "n_folds": 2, "note": ""}
    assert CriticalDifference.model_validate(old).n_folds == 2


def test_folds_where_a_contender_is_not_defined_are_left_out() -> None:
    folds = {
        name: [FoldValue(0, fold, 0.5 + 0.1 * i, 9) for fold in range(4)] for i, name in enumerate("abc")
    }
    folds["b"][1] = FoldValue(0, 1, math.nan, 9)
    assert critical_difference(folds, 1, 0.95).n_folds == 3


@pytest.mark.parametrize(
    ("k", "n", "published"), [(4, 14, 1.25), (3, 10, 2.343 * 0.4472), (5, 30, 2.728 * 0.4082)]
)
def test_the_critical_difference_is_that_of_the_published_table(k: int, n: int, published: float) -> None:
    """Demsar 2006: 1.25 for his four classifiers on fourteen data sets; q of three and five from his table 5."""
    folds = {str(i): [FoldValue(0, f, 0.1 * i, 9) for f in range(n)] for i in range(k)}
    assert critical_difference(folds, 1, 0.95).critical_difference == pytest.approx(published, abs=0.005)


def test_ranks_under_resampling_are_those_of_each_replicate_by_hand() -> None:
    label = np.arange(80) % 2
    rng = np.random.default_rng(5)
    scores = {n: np.round(1 / (1 + np.exp(-rng.normal(1.5 * label - 0.7))), 1) for n in "abc"}
    resampled = resample(table_from({n: lines_of_score(s, label) for n, s in scores.items()}), n_boot=100)
    values = {c: resampled.values(resampled.table.of(c), ["brier"])["brier"] for c in "abc"}
    found = rank_table(resampled, METRICS["brier"], list("abc"), values, []).contenders
    boot = {c: resampled.resamples.bootstrap(values[c]) for c in "abc"}
    for name in "abc":
        ranks = []
        for i in range(100):  # of a loss the lowest is first, and equals share their ranks
            lower = sum(boot[other][i] < boot[name][i] for other in "abc")
            equal = sum(boot[other][i] == boot[name][i] for other in "abc")
            ranks.append(lower + (equal + 1) / 2)
        one = found[name]
        assert one.mean_rank == pytest.approx(np.mean(ranks))
        assert one.share_first == pytest.approx(np.mean(np.asarray(ranks) == 1))
        assert (one.low, one.high) == pytest.approx(np.quantile(ranks, [0.025, 0.975]))
    assert sum(one.mean_rank or 0 for one in found.values()) == pytest.approx(6)
    assert len({one.low for one in found.values()} | {one.high for one in found.values()}) > 1


def test_a_contender_without_a_value_has_no_rank_and_takes_none() -> None:
    label = np.arange(40) % 2
    rng = np.random.default_rng(5)
    made = {n: lines_of_score(rng.uniform(0.1, 0.9, 40), label) for n in "ab"}
    resampled = resample(table_from(made), n_boot=50)
    values = {c: resampled.values(resampled.table.of(c), ["auroc"])["auroc"] for c in "ab"}
    values["none"] = np.full_like(values["a"], np.nan)
    found = rank_table(resampled, METRICS["auroc"], ["none", "a", "b"], values, [])
    assert set(found.contenders) == {"a", "b"}
    assert sorted(one.rank for one in found.contenders.values()) == [1, 2]
    nothing = rank_table(resampled, METRICS["auroc"], ["none"], values, [])
    assert (nothing.contenders, nothing.cliques) == ({}, ())


def test_the_spread_between_repeats_is_pooled_over_contenders_and_leaves_out_what_is_not_defined() -> None:
    label = np.arange(40) % 2
    rng = np.random.default_rng(5)
    made = {n: lines_of_score(rng.uniform(0.1, 0.9, 40), label) for n in "ab"}
    resampled = resample(table_from(made), n_boot=50)
    values = {c: resampled.values(resampled.table.of(c), ["auroc"])["auroc"] for c in "ab"}
    folds = {
        "a": [FoldValue(r, f, v, 9) for r, f, v in ((0, 0, 0.5), (0, 1, 0.7), (1, 0, 0.6), (1, 1, math.nan))],
        "b": [FoldValue(0, 0, 0.9, 9)],
    }
    repeats: dict[str, list[float | None]] = {"a": [0.7, 0.8, None], "b": [0.6, 0.9, 0.75]}
    split = variance_split(resampled, METRICS["auroc"], values, folds, repeats)
    assert split.sd_repeat == pytest.approx(
        math.sqrt((np.var([0.7, 0.8], ddof=1) + np.var([0.6, 0.9, 0.75], ddof=1)) / 2)
    )
    assert split.sd_fold == pytest.approx(np.std([0.5, 0.7], ddof=1))  # one value alone has no spread
    alone = variance_split(resampled, METRICS["auroc"], {"a": values["a"]}, folds, {"a": [0.7]})
    assert (alone.sd_contender, alone.sd_repeat) == (None, None)
