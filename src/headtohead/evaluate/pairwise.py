"""Paired comparisons: the decision rule and the tests applied to each pair of contenders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from headtohead.core.formatting import pluralize
from headtohead.core.records import Comparison
from headtohead.core.tables.details import ComparisonDetails, DiscordantCounts, PowerAnalysis
from headtohead.evaluate.decision_rule import Decision, DecisionRule, decide
from headtohead.evaluate.verdict_text import (
    interval_words,
    pair_sentence,
    sample_size_hint,
    signed,
    size_words,
)
from headtohead.stats.hypothesis.paired_difference import Difference, paired_differences, rarer_class_groups
from headtohead.stats.hypothesis.paired_tests import PairTests
from headtohead.stats.hypothesis.power import (
    detectable_difference,
    groups_for_width,
    groups_needed,
    influence,
)
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["ComparisonContext", "compare_all", "refusal_reason"]

Floats = npt.NDArray[np.float64]
FACTS = "file-facts"


@dataclass(frozen=True, slots=True)
class ComparisonContext:
    """Data and rule that every pair shares.

    Attributes:
        primary: replicates of the primary metric by contender. pooled: of the same across folds, or empty.
        leaks: sentences on leaks; any refuses.
        all_reversed: whether every contender ranks the classes the wrong way round, so that none can win.
    """

    setting: ResampledPredictions
    row: Metric
    rule: DecisionRule
    primary: Mapping[str, Floats]
    pooled: Mapping[str, Floats]
    tests: PairTests
    leaks: Sequence[str]
    all_reversed: bool = False


def compare_all(context: ComparisonContext, baselines: Sequence[str]) -> list[Comparison]:
    """Return all pairs of contenders in the order given, then each contender against each baseline.

    Holm's adjustment runs over the pairs of contenders, and apart over those with baselines.
    """
    table = context.setting.table
    contenders = [name for name in table.contenders if name not in baselines]
    against, against_pooled = _differences(context, [(f, b) for f in contenders for b in baselines])
    pairs, pooled = _differences(context, list(combinations(contenders, 2)))
    always = refusal_reason(context, contenders, [])
    refusal = refusal_reason(context, contenders, against)
    rest = _permutation_count(context, len(pairs) + len(against))
    first = _permutation_count(context, 1)
    comparisons = [
        _compare_pair(context, d, p, refusal, len(pairs), first if i == 0 else rest)
        for i, (d, p) in enumerate(zip(pairs, pooled, strict=True))
    ]
    return comparisons + [
        _compare_pair(context, d, p, always, len(against), rest)
        for d, p in zip(against, against_pooled, strict=True)
    ]


def _differences(
    context: ComparisonContext, pairs: Sequence[tuple[str, str]]
) -> tuple[list[Difference], list[Difference | None]]:
    """Return the differences in the primary metric, and those in the same metric pooled over folds, if there is one."""
    table, resamples, level = context.setting.table, context.setting.resamples, context.rule.level
    within = paired_differences(table, pairs, context.row, context.primary, resamples, level)
    if not context.pooled:
        return within, [None] * len(within)
    metric = get_metric(context.row.pooled, table.classes)
    return within, [*paired_differences(table, pairs, metric, context.pooled, resamples, level)]


def _permutation_count(context: ComparisonContext, n_pairs: int) -> int:
    """Return how many permutations a pair gets, of so many that share them: fewer on large tables, at least 99."""
    lines = context.setting.table.n_samples * len(context.setting.table.repeats)
    return int(np.clip(20_000_000 // (lines * max(1, n_pairs)), 99, 1000))


def refusal_reason(
    context: ComparisonContext, contenders: Sequence[str], against: Sequence[Difference]
) -> str:
    """Return why no verdict may be given, or "" where one may."""
    table, row = context.setting.table, context.row
    if context.leaks:
        return f"the data leak: {context.leaks[0].rstrip('. ')}"
    if table.n_groups < context.rule.min_groups:
        groups = pluralize(table.n_groups, "group")
        return f"there are too few groups ({groups}; at least {context.rule.min_groups} are needed)"
    facts = {d.a: d for d in against if d.b == FACTS}
    if not facts:
        return ""
    best = max(
        contenders, key=lambda name: float(np.nan_to_num(row.sign * context.primary[name][0], nan=-np.inf))
    )
    lead = facts[best]
    if lead.low is not None and lead.high is not None and (lead.low if row.sign > 0 else -lead.high) > 0:
        return ""
    return (
        f"the best contender, {best}, does not beat file facts (a classifier that never sees the image): "
        f"{row.title} {context.primary[best][0]:.3f} against {context.primary[FACTS][0]:.3f}"
    )


def _compare_pair(
    context: ComparisonContext,
    found: Difference,
    pooled: Difference | None,
    refusal: str,
    n_pairs: int,
    n_permutations: int,
) -> Comparison:
    table, rule, row = context.setting.table, context.rule, context.row
    events = rarer_class_groups(table)
    decision = _decide(context, found, refusal)
    if pooled is not None and _winner(decision, found) != _winner(_decide(context, pooled, refusal), pooled):
        decision = Decision("cannot_tell", "scale")
    if context.all_reversed and decision.word == "better":
        decision = Decision("cannot_tell", "reversed")
    power = _power_analysis(context, found, events)
    first, second = (context.primary[name][0] for name in (found.a, found.b))
    sentence = pair_sentence(
        found, decision, rule, title=row.title,
        values=(None if math.isnan(first) else float(first), None if math.isnan(second) else float(second)),
        size=size_words(table.n_samples, table.n_groups), n_pairs=n_pairs,
        more=_hint(context, decision, pooled)
        or sample_size_hint(decision, power, events=events, n_groups=table.n_groups, rule=rule),
        refusal=refusal,
    )  # fmt: skip
    values = context.primary[found.a] - context.primary[found.b]
    tests, extra = context.tests.run(found, context.setting.resamples.bootstrap(values), n_permutations)
    discordant = tuple(DiscordantCounts.model_validate(counts) for counts in extra["discordant"])
    return Comparison(
        a=found.a, b=found.b, metric=row.name, target=table.target,
        difference=found.value, low=found.low, high=found.high,
        verdict=decision.word, winner=found.favours if decision.word == "better" else None, sentence=sentence,
        tests=tests, n_samples=table.n_samples, n_groups=table.n_groups, method=found.method, level=rule.level,
        note=found.note, warnings=found.warnings,
        details=ComparisonDetails(
            p_value=found.p, p_holm=found.p_adjusted, reason=decision.reason, equivalence_interval=found.inner,
            rope=rule.rope, power=power, refusal=refusal, discordant=discordant,
        ),
    )  # fmt: skip


def _decide(context: ComparisonContext, found: Difference, refusal: str) -> Decision:
    table = context.setting.table
    return decide(
        context.rule, low=found.low, high=found.high, inner=found.inner, p_adjusted=found.p_adjusted,
        n_groups=table.n_groups, n_events=rarer_class_groups(table), refusal=refusal,
    )  # fmt: skip


def _winner(decision: Decision, found: Difference) -> str | None:
    return found.favours if decision.word == "better" else None


def _hint(context: ComparisonContext, decision: Decision, pooled: Difference | None) -> str:
    """Return why no winner is named although the interval excludes 0, or ""."""
    if decision.reason == "reversed":
        return (
            "all contenders rank the classes the wrong way round: scores or positive class probably reversed"
        )
    if decision.reason == "scale" and pooled is not None:
        return _scale_hint(pooled, context.rule)
    return ""


def _scale_hint(pooled: Difference, rule: DecisionRule) -> str:
    """Return why no winner is named where the metric within folds and the pooled one disagree."""
    if pooled.value is None or pooled.low is None or pooled.high is None:
        return "pooled over folds the difference is not defined"
    return (
        f"pooled over folds the difference is {signed(pooled.value)} "
        f"({interval_words(pooled.low, pooled.high, rule.level)}), which gives another verdict: the scores may not be "
        "on one scale across folds"
    )


def _spread(context: ComparisonContext, values: Floats) -> float:
    boot = context.setting.resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan


def _power_analysis(context: ComparisonContext, found: Difference, events: int) -> PowerAnalysis | None:
    """Return the power of this study for one pair; None where the difference is not defined."""
    setting, rule = context.setting, context.rule
    if found.value is None or found.low is None or found.high is None:
        return None
    n = setting.table.n_groups
    values = context.primary[found.a] - context.primary[found.b]
    pulls = found.stretch * influence(setting.resamples.jackknife(values))
    assumed = max(abs(found.value), rule.bound)
    needed = groups_needed(pulls, assumed, n, level=rule.level, seed=setting.seed)
    floor = rule.min_groups_for_better
    if events < rule.min_events_for_better:
        floor = max(floor, math.ceil(n * rule.min_events_for_better / max(1, events)))
    return PowerAnalysis(
        detectable_difference=detectable_difference(found.stretch * _spread(context, values), rule.level),
        assumed_difference=assumed,
        groups_needed=None if needed is None else max(needed, floor),
        more_groups=None if needed is None else max(0, max(needed, floor) - n),
        groups_for_observed_difference=groups_needed(
            pulls, found.value, n, level=rule.level, seed=setting.seed
        ),
        groups_for_width=max(floor, groups_for_width(n, (found.high - found.low) / 2, rule.bound)),
        power=0.8,
        method="simulated studies drawn from the jackknife pulls of the groups on the paired difference",
    )
