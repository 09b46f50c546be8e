"""From differences to comparisons: the rule applied to each pair, with the sentence it earns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.formatting import pluralize
from headtohead.core.records import Comparison
from headtohead.evaluate.decision_rule import Decision, DecisionRule, decide
from headtohead.evaluate.verdict_text import pair_sentence, sample_size_hint, size_words
from headtohead.stats.hypothesis.paired_difference import Difference, paired_differences, rarer_class_groups
from headtohead.stats.hypothesis.paired_tests import PairTests
from headtohead.stats.hypothesis.power import (
    detectable_difference,
    groups_for_width,
    groups_needed,
    influence,
)
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["ComparisonContext", "compare_all", "refusal_reason"]

Floats = npt.NDArray[np.float64]
FACTS = "file-facts"


@dataclass(frozen=True, slots=True)
class ComparisonContext:
    """What every pair is judged under.

    Attributes:
        primary: replicates of the primary metric by contender.
        leaks: sentences on leaks; any refuses.
    """

    setting: ResampledPredictions
    row: Metric
    rule: DecisionRule
    primary: Mapping[str, Floats]
    tests: PairTests
    leaks: Sequence[str]


def compare_all(bout: ComparisonContext, baselines: Sequence[str]) -> list[Comparison]:
    """Return all pairs of contenders in the order given, then each contender against each baseline.

    Holm's adjustment runs over the pairs of contenders, and apart over those with baselines.
    """
    table = bout.setting.table
    fighters = [name for name in table.contenders if name not in baselines]
    args = (bout.row, bout.primary, bout.setting.resamples, bout.rule.level)
    against = paired_differences(table, [(f, b) for f in fighters for b in baselines], *args)
    pairs = paired_differences(table, list(combinations(fighters, 2)), *args)
    always = refusal_reason(bout, fighters, [])
    refusal = refusal_reason(bout, fighters, against)
    rest = _swaps(bout, len(pairs) + len(against))
    found = [_judged(bout, d, refusal, len(pairs), 1000 if i == 0 else rest) for i, d in enumerate(pairs)]
    return found + [_judged(bout, d, always, len(against), rest) for d in against]


def _swaps(bout: ComparisonContext, n_pairs: int) -> int:
    """Return how many permutations the pairs after the first get: fewer on large tables, at least 99."""
    lines = bout.setting.table.n_samples * len(bout.setting.table.repeats)
    return int(np.clip(20_000_000 // (lines * max(1, n_pairs)), 99, 1000))


def refusal_reason(bout: ComparisonContext, fighters: Sequence[str], against: Sequence[Difference]) -> str:
    """Return why no verdict may be given, or "" where one may."""
    table, row = bout.setting.table, bout.row
    if bout.leaks:
        return f"the data leak: {bout.leaks[0].rstrip('. ')}"
    if table.n_groups < bout.rule.min_groups:
        groups = pluralize(table.n_groups, "group")
        return f"there are too few groups ({groups}; at least {bout.rule.min_groups} are needed)"
    facts = {d.a: d for d in against if d.b == FACTS}
    if not facts:
        return ""
    best = max(fighters, key=lambda name: float(np.nan_to_num(row.sign * bout.primary[name][0], nan=-np.inf)))
    lead = facts[best]
    if lead.low is not None and lead.high is not None and (lead.low if row.sign > 0 else -lead.high) > 0:
        return ""
    return (
        f"the best contender, {best}, does not beat file facts (a classifier that never sees the image): "
        f"{row.title} {bout.primary[best][0]:.3f} against {bout.primary[FACTS][0]:.3f}"
    )


def _judged(bout: ComparisonContext, found: Difference, refusal: str, n_pairs: int, swaps: int) -> Comparison:
    table, rule, row = bout.setting.table, bout.rule, bout.row
    events = rarer_class_groups(table)
    decision = decide(
        rule, low=found.low, high=found.high, inner=found.inner, p_adjusted=found.p_adjusted,
        n_groups=table.n_groups, n_events=events, refusal=refusal,
    )  # fmt: skip
    outlook = _outlook(bout, found, events)
    first, second = (bout.primary[name][0] for name in (found.a, found.b))
    sentence = pair_sentence(
        found, decision, rule, title=row.title,
        values=(None if math.isnan(first) else float(first), None if math.isnan(second) else float(second)),
        size=size_words(table.n_samples, table.n_groups), n_pairs=n_pairs,
        more=sample_size_hint(decision, outlook, events=events, n_groups=table.n_groups, rule=rule), refusal=refusal,
    )  # fmt: skip
    values = bout.primary[found.a] - bout.primary[found.b]
    tests, extra = bout.tests.run(found, bout.setting.resamples.bootstrap(values), swaps)
    return Comparison(
        a=found.a, b=found.b, metric=row.name, difference=found.value, low=found.low, high=found.high,
        verdict=decision.word, winner=found.favours if decision.word == "better" else None, sentence=sentence,
        tests=tests, n_samples=table.n_samples, n_groups=table.n_groups, method=found.method, level=rule.level,
        note=found.note, warnings=found.warnings,
        details=_details(found, decision, rule) | {"power": outlook, "refusal": refusal} | extra,
    )  # fmt: skip


def _details(found: Difference, decision: Decision, rule: DecisionRule) -> dict[str, Any]:
    return {
        "p_value": found.p,
        "p_holm": found.p_adjusted,
        "reason": decision.reason,
        "equivalence_interval": None if found.inner is None else list(found.inner),
        "rope": rule.rope,
    }


def _spread(bout: ComparisonContext, values: Floats) -> float:
    boot = bout.setting.resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan


def _outlook(bout: ComparisonContext, found: Difference, events: int) -> dict[str, Any]:
    """Return what this study could have shown and what it would take: power from the observed discordance."""
    setting, rule = bout.setting, bout.rule
    if found.value is None or found.low is None or found.high is None:
        return {}
    n = setting.table.n_groups
    values = bout.primary[found.a] - bout.primary[found.b]
    pulls = influence(setting.resamples.jackknife(values))
    assumed = max(abs(found.value), rule.bound)
    needed = groups_needed(pulls, assumed, n, level=rule.level, seed=setting.seed)
    floor = rule.min_groups_for_better
    if events < rule.min_events_for_better:
        floor = max(floor, math.ceil(n * rule.min_events_for_better / max(1, events)))
    return {
        "detectable_difference": detectable_difference(_spread(bout, values), rule.level),
        "assumed_difference": assumed,
        "groups_needed": None if needed is None else max(needed, floor),
        "more_groups": None if needed is None else max(0, max(needed, floor) - n),
        "groups_for_observed_difference": groups_needed(
            pulls, found.value, n, level=rule.level, seed=setting.seed
        ),
        "groups_for_width": max(floor, groups_for_width(n, (found.high - found.low) / 2, rule.bound)),
        "power": 0.8,
        "method": "simulated studies drawn from the jackknife pulls of the groups on the paired difference",
    }
