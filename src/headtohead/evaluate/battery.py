"""The whole battery: predictions in, one verdict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from headtohead.core.errors import UnknownNameError, UsageError, unknown_name
from headtohead.core.records import Comparison, Score, Verdict
from headtohead.core.reporter import QUIET, Reporter
from headtohead.evaluate.compare import Difference, differences, rarer_class_groups
from headtohead.evaluate.intervals import Resamples, make_resamples
from headtohead.evaluate.metrics import Metric, default_metrics, metric, metric_values
from headtohead.evaluate.power import groups_needed, influence
from headtohead.evaluate.rule import Decision, Rule, decide
from headtohead.evaluate.scoring import make_score
from headtohead.evaluate.table import Table, build_table
from headtohead.evaluate.wording import pair_sentence, size_words

__all__ = ["judge"]

Floats = npt.NDArray[np.float64]
Replicates = dict[str, dict[str, Floats]]


def judge(
    predictions: pd.DataFrame,
    *,
    classes: tuple[str, ...],
    positive: str | None,
    metric: str = "auroc",
    baselines: Sequence[str] = (),
    inner: pd.DataFrame | None = None,
    seed: int = 0,
    n_boot: int = 2000,
    rope: float | None = None,
    prevalence: float | None = None,
    by: Mapping[str, Mapping[str, str]] | None = None,
    leaks: Sequence[str] = (),
    level: float = 0.95,
    contenders: Sequence[str] | None = None,
    reporter: Reporter = QUIET,
) -> Verdict:
    """Return scores with intervals, paired comparisons and the verdict on out-of-fold predictions.

    Args:
        predictions: one line per sample, repeat and contender: columns sample, group, repeat, fold,
            contender, label, prob_<class> for each class; repeat and fold may be absent.
        classes: class names. positive: the positive one of two (the last if None).
        metric: the primary metric.
        baselines: contenders that are controls ("majority", "file-facts").
        inner: the same columns, predicted for training samples of each repeat and fold by models that
            did not see their group; operating points and temperatures are chosen here and nowhere else.
        rope: half-width of the region of practical equivalence, in the metric's unit.
        prevalence: share of positives where the model is to be used.
        by: subgroups: column -> sample -> value.
        leaks: sentences that say how training and test overlap; any of them refuses a verdict.
        level: confidence of the intervals.
        contenders: their order (with or without the baselines); first appearance by default.

    Raises:
        UsageError: a metric or baseline that does not exist, a rope or level out of range.
        ManifestError, DataError: predictions that cannot be used.
        UnpairedError: contenders do not cover the same lines.
    """
    _check(metric, classes, level, rope, prevalence)
    table = build_table(predictions, classes=classes, positive=positive, contenders=contenders)
    unknown = [name for name in baselines if name not in table.contenders]
    if unknown:
        raise unknown_name("baseline", unknown[0], table.contenders)
    row = _primary(metric, table)
    names = tuple(dict.fromkeys((metric, *default_metrics(table.classes, table.has_folds))))
    resamples = make_resamples(table.n_groups, n_boot, seed)
    values = _replicates(table, resamples, names, reporter)
    scores = _scores(table, values, names, resamples, level)
    rule = Rule(level=level, rope=rope)
    comparisons = _comparisons(table, row, baselines, values, resamples, rule, leaks, seed)
    return Verdict(
        sentence=_answer(comparisons, scores, row),
        metric=metric,
        scores=tuple(scores),
        comparisons=tuple(comparisons),
        rule=rule.text(row.title),
        caveats=tuple(leaks),
        details={},
    )


def _check(
    name: str, classes: Sequence[str], level: float, rope: float | None, prevalence: float | None
) -> None:
    if not 0.5 < level < 1:
        raise UsageError(f"Got the level {level}; expected a share between 0.5 and 1, such as 0.95.")
    if rope is not None and not rope > 0:
        raise UsageError(f"Got --rope {rope}; expected a half-width above 0, such as 0.02.")
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(f"Got --prevalence {prevalence}; expected a share between 0 and 1, such as 0.02.")
    try:
        found = metric(name, classes)
    except UnknownNameError:
        raise
    if found.best not in ("high", "low"):
        raise UsageError(
            f"{found.title} has an ideal, not a direction; compare on another metric, such as auroc."
        )


def _primary(name: str, table: Table) -> Metric:
    return metric(name, table.classes)


def _replicates(table: Table, resamples: Resamples, names: Sequence[str], reporter: Reporter) -> Replicates:
    return {
        contender: metric_values(table.of(contender), resamples.weights, names, table.classes)
        for contender in reporter.track(table.contenders, "scores", len(table.contenders))
    }


def _scores(
    table: Table, values: Replicates, names: Sequence[str], resamples: Resamples, level: float
) -> list[Score]:
    return [
        make_score(table, contender, metric(name, table.classes), values[contender][name], resamples, level)
        for contender in table.contenders
        for name in names
    ]


def _comparisons(
    table: Table,
    row: Metric,
    baselines: Sequence[str],
    values: Replicates,
    resamples: Resamples,
    rule: Rule,
    leaks: Sequence[str],
    seed: int,
) -> list[Comparison]:
    fighters = [name for name in table.contenders if name not in baselines]
    primary = {name: values[name][row.name] for name in table.contenders}
    controls = [(fighter, baseline) for fighter in fighters for baseline in baselines]
    against = differences(table, controls, row, primary, resamples, rule.level)
    pairs = differences(table, list(combinations(fighters, 2)), row, primary, resamples, rule.level)
    refusal = _refusal(table, row, fighters, primary, against, rule, leaks)
    leak = _refusal(table, row, fighters, primary, [], rule, leaks)
    return [_judged(table, row, d, primary, resamples, rule, refusal, seed) for d in pairs] + [
        _judged(table, row, d, primary, resamples, rule, leak, seed) for d in against
    ]


def _refusal(
    table: Table,
    row: Metric,
    fighters: Sequence[str],
    primary: Mapping[str, Floats],
    against: Sequence[Difference],
    rule: Rule,
    leaks: Sequence[str],
) -> str:
    """Return why no verdict may be given, or "" where one may."""
    if leaks:
        return f"the data leak: {leaks[0]}"
    if table.n_groups < rule.fewest_groups:
        groups = "group" if table.n_groups == 1 else "groups"
        return (
            f"there are too few groups ({table.n_groups} {groups}; at least {rule.fewest_groups} are needed)"
        )
    facts = [d for d in against if d.b == "file-facts"]
    if not facts:
        return ""
    best = max(fighters, key=lambda name: np.nan_to_num(row.sign * primary[name][0], nan=-np.inf))
    found = next(d for d in facts if d.a == best)
    if found.low is None or found.high is None:
        return ""
    lead = found.low if row.sign > 0 else -found.high
    if lead > 0:
        return ""
    return (
        f"the best contender, {best}, does not beat file facts (a classifier that never sees the picture): "
        f"{row.title} {primary[best][0]:.3f} against {primary['file-facts'][0]:.3f}"
    )


def _judged(
    table: Table,
    row: Metric,
    found: Difference,
    primary: Mapping[str, Floats],
    resamples: Resamples,
    rule: Rule,
    refusal: str,
    seed: int,
) -> Comparison:
    events = rarer_class_groups(table)
    decision = decide(
        rule, low=found.low, high=found.high, inner=found.inner, p_adjusted=found.p_adjusted,
        n_groups=table.n_groups, n_events=events, refusal=refusal,
    )  # fmt: skip
    more = ""
    if decision.word == "cannot_tell" and found.value is not None:
        more = _more_groups(table, found, decision, primary, resamples, rule, events, seed)
    ends = tuple(
        None if np.isnan(primary[name][0]) else float(primary[name][0]) for name in (found.a, found.b)
    )
    sentence = pair_sentence(
        found, decision, rule, title=row.title, values=(ends[0], ends[1]),
        size=size_words(table.n_samples, table.n_groups), more=more, refusal=refusal,
    )  # fmt: skip
    return Comparison(
        a=found.a, b=found.b, metric=row.name, difference=found.value, low=found.low, high=found.high,
        verdict=decision.word, winner=found.favours if decision.word == "better" else None, sentence=sentence,
        n_samples=table.n_samples, n_groups=table.n_groups, method=found.method, level=rule.level, note=found.note,
        details={"p_value": found.p, "p_holm": found.p_adjusted, "reason": decision.reason},
    )  # fmt: skip


def _more_groups(
    table: Table,
    found: Difference,
    decision: Decision,
    primary: Mapping[str, Floats],
    resamples: Resamples,
    rule: Rule,
    events: int,
    seed: int,
) -> str:
    assumed = max(abs(found.value or 0.0), rule.bound)
    pulls = influence(resamples.jack(primary[found.a] - primary[found.b]))
    needed = groups_needed(pulls, assumed, table.n_groups, level=rule.level, seed=seed)
    floor = rule.enough_groups
    if events < rule.enough_events:
        floor = max(floor, int(np.ceil(table.n_groups * rule.enough_events / max(1, events))))
    more = max(needed or 0, floor) - table.n_groups
    why = f"only {events} groups hold the rarer class; " if decision.reason == "events" else ""
    if more <= 0:
        return why.rstrip("; ")
    return f"{why}it would take about {more} more groups to show a difference of {assumed:.3f}"


def _answer(comparisons: Sequence[Comparison], scores: Sequence[Score], row: Metric) -> str:
    if comparisons:
        return comparisons[0].sentence
    only = next(score for score in scores if score.metric == row.name)
    return f"There is one contender, so there is nothing to compare: {only.contender} has {row.title} {only}."
