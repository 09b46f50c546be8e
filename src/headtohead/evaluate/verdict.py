"""The verdict: scores, paired comparisons and all tables from out-of-fold predictions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Comparison, Score, Verdict
from headtohead.core.tables.details import VerdictDetails
from headtohead.evaluate.comparison_context import ComparisonContext
from headtohead.evaluate.decision_rule import DecisionRule
from headtohead.evaluate.pairwise import best_set, compare_all
from headtohead.evaluate.prediction_flaws import kind_caveat, split_groups_leak, table_caveats
from headtohead.evaluate.question import VerdictConfig, validate_pair, validate_question, validate_ranks
from headtohead.evaluate.reversed_scores import reversed_caveat, reversed_contenders
from headtohead.evaluate.supplement import SupplementRequest, build_supplement
from headtohead.evaluate.wording.caveats import caveats, metric_caveat
from headtohead.evaluate.wording.pair import Cases
from headtohead.evaluate.wording.summary import Answer, summary_sentence
from headtohead.stats.decision.support import effective_groups, narrow_width
from headtohead.stats.hypothesis.paired_difference import rarer_class_groups
from headtohead.stats.hypothesis.paired_tests import prepare_tests
from headtohead.stats.inner_predictions import build_inner
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.fold_values import fold_values
from headtohead.stats.metrics.lookup import default_metrics
from headtohead.stats.metrics.lookup import get_metric as metric_named
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.predictions import PredictionTable
from headtohead.stats.resampled import Replicates, ResampledPredictions

__all__ = ["VerdictConfig", "compute_verdict", "validate_question"]

_LARGE = 2000  # samples from which threads pay for their start

Floats = npt.NDArray[np.float64]


def compute_verdict(
    predictions: pd.DataFrame,
    config: VerdictConfig,
    *,
    inner: pd.DataFrame | None = None,
    by: Mapping[str, Mapping[str, str]] | None = None,
    leaks: Sequence[str] = (),
    notes: Sequence[str] = (),
    reporter: Reporter = QUIET,
) -> Verdict:
    """Return scores with intervals, paired comparisons and the verdict on out-of-fold predictions.

    Args:
        predictions: one row per sample, repeat and contender: columns sample, group, repeat, fold,
            contender, label, prob_<class> for each class; repeat and fold may be absent.
        config: the questions.
        inner: the same columns, predicted for training samples of each repeat and fold by models that
            did not see their group; operating points and temperatures are chosen here and nowhere else.
        by: subgroups: column -> sample -> value.
        leaks: sentences that say how training and test overlap; any of them refuses a verdict.
        notes: further caveats, such as those of the reader of the predictions.
        reporter: shows progress.

    Raises:
        UsageError: a metric or baseline that does not exist, a rope or level out of range.
        ManifestError, DataError: predictions that cannot be used.
        UnpairedError: contenders do not cover the same samples.
    """
    table = _checked_table(predictions, config)
    # Where none is stated, the table itself may show groups that are split.
    leaks = leaks or split_groups_leak(table)
    return _in_words(_computed(table, config, inner, by or {}, leaks, reporter), config, leaks, notes)


@dataclass(frozen=True, slots=True)
class _Computed:
    """All numbers of a verdict, before its sentences.

    Attributes:
        rule: the decision rule in words.
    """

    table: PredictionTable
    metric: Metric
    cases: Cases
    rule: str
    scores: Sequence[Score]
    comparisons: Sequence[Comparison]
    details: VerdictDetails


def _checked_table(predictions: pd.DataFrame, config: VerdictConfig) -> PredictionTable:
    """Return the predictions as a table that can answer the questions.

    Raises:
        UsageError, ManifestError, DataError, UnpairedError: see `compute_verdict`.
    """
    validate_question(
        config.metric,
        config.classes,
        level=config.level,
        rope=config.rope,
        prevalence=config.prevalence,
        ordered=config.ordered,
    )
    if config.matters is not None and not config.matters > 0:
        raise UsageError(f"Got --matters {config.matters}; expected a difference above 0, such as 0.05.")
    if config.ranks_only:
        validate_ranks(config)
    table = build_prediction_table(
        predictions, classes=config.classes, positive=config.positive, contenders=config.contenders,
        ranks_only=config.ranks_only,
    )  # fmt: skip
    if unknown := [name for name in config.baselines if name not in table.contenders]:
        raise unknown_name("baseline", unknown[0], table.contenders)
    validate_pair(config, table.contenders)
    return table


def _computed(
    table: PredictionTable,
    config: VerdictConfig,
    inner: pd.DataFrame | None,
    by: Mapping[str, Mapping[str, str]],
    leaks: Sequence[str],
    reporter: Reporter,
) -> _Computed:
    """Return the scores, comparisons and further tables of predictions; arguments as of `compute_verdict`."""
    cases = Cases(table.n_samples, table.n_groups, config.unit, effective_groups(table))
    # BLAS splits sums among its threads, so that digits would depend on their number.
    with threadpool_limits(limits=1, user_api="blas"):
        resamples = make_resamples(table.n_groups, config.n_boot, config.seed)
        resampled = ResampledPredictions(table, resamples, config.level, config.seed)
        metric = metric_named(config.metric, table.classes)
        rule = DecisionRule(level=config.level, rope=config.rope, max_half_width=narrow_width(table, metric))
        names = default_metrics(table.classes, table.has_folds, ordered=config.ordered)
        # A metric of one class may be primary without being reported by default.
        values = _replicates(resampled, dict.fromkeys((config.metric, *names)), reporter)
        scores = _scores(resampled, values)
        primary = {name: values[name][config.metric] for name in table.contenders}
        # Without folds both are one number.
        pooled = metric_named(metric.pooled, table.classes) if metric.pooled and table.has_folds else None
        across = {name: values[name][pooled.name] for name in table.contenders} if pooled else {}
        folds = {name: fold_values(table, name, config.metric) for name in table.contenders}
        tests = prepare_tests(resampled, metric, config.rope, folds)
        backwards = frozenset(reversed_contenders(scores)) - set(config.baselines)
        context = ComparisonContext(
            resampled, metric, rule, primary, across, tests, leaks, cases,
            backwards, stated=config.primary, matters=config.matters,
        )  # fmt: skip
        comparisons = compare_all(context, config.baselines)
        request = SupplementRequest(
            metric, build_inner(inner, table), config.prevalence, by, config.baselines
        )
        details = build_supplement(resampled, request, values, folds, comparisons)
    among = [c for c in comparisons if not {c.a, c.b} & set(config.baselines)]
    details = details.model_copy(update={"best": best_set(context, among)})
    words = rule.text(metric.title, table.target, pooled.title if pooled else "", _family(config, len(among)))
    return _Computed(table, metric, cases, words, scores, comparisons, details)


def _in_words(found: _Computed, config: VerdictConfig, leaks: Sequence[str], notes: Sequence[str]) -> Verdict:
    """Return the verdict: the numbers with their one sentence and its caveats."""
    table, metric, scores, details = found.table, found.metric, found.scores, found.details
    mine = [score for score in scores if score.metric == metric.name]
    answer = Answer(
        metric, found.comparisons, mine, config.baselines, found.cases, stated=bool(config.primary),
        best=details.best,
    )  # fmt: skip
    sentence = summary_sentence(answer)
    return Verdict(
        sentence=sentence,
        metric=config.metric,
        positive=details.positive,
        scores=tuple(scores),
        comparisons=tuple(found.comparisons),
        rule=found.rule,
        caveats=(
            *reversed_caveat(scores, details.positive),
            *kind_caveat(table),
            *table_caveats(table, found.cases.noun),
            *metric_caveat(metric, table.target, rarer_class_groups(table)),
            *caveats(sentence, leaks, found.comparisons, scores, details.notes, cases=found.cases),
            *notes,
        ),
        details=details,
    )


def _family(config: VerdictConfig, n_pairs: int) -> str:
    """Return over what p-values are adjusted, in words; "" for a single pair."""
    if config.primary and n_pairs > 1:
        a, b = config.primary
        return (
            f"of {a} against {b} first and at the full level, then, if that is shown, of the others by Holm"
        )
    return f"adjusted by Holm over {n_pairs} pairs" if n_pairs > 1 else ""


def _replicates(
    resampled: ResampledPredictions, names: Iterable[str], reporter: Reporter
) -> dict[str, dict[str, Floats]]:
    """Return all metrics' replicates of each contender; large tables use up to four threads (equal digits)."""
    table, names = resampled.table, tuple(names)

    def one(contender: str) -> dict[str, Floats]:
        weights, kind = resampled.resamples.weights, table.kind(contender)
        asked = [name for name in names if not metric_named(name, table.classes).undefined_on(kind)]
        known = metric_values(table.of(contender), weights, asked, table.classes)
        nothing = np.full(weights.shape[1], np.nan)
        return {name: known.get(name, nothing) for name in names}

    workers = min(os.cpu_count() or 1, 4) if table.n_samples >= _LARGE else 1
    with ThreadPoolExecutor(workers) as pool:
        found = reporter.progress(pool.map(one, table.contenders), "scores", len(table.contenders))
        return dict(zip(table.contenders, found, strict=True))


def _scores(resampled: ResampledPredictions, values: Replicates) -> list[Score]:
    table = resampled.table
    return [
        make_score(
            table,
            contender,
            metric_named(name, table.classes),
            replicates,
            resampled.resamples,
            resampled.level,
        )
        for contender in table.contenders
        for name, replicates in values[contender].items()
    ]
