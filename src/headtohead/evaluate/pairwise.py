"""Paired comparisons: the decision rule and the tests applied to each pair of contenders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from headtohead.core.formatting import pluralize
from headtohead.core.records import Comparison
from headtohead.core.tables.details import BestSet, ComparisonDetails, DiscordantCounts, SeedStability
from headtohead.evaluate.comparison_context import ComparisonContext, PairUnderTest
from headtohead.evaluate.decision_rule import FACTS_NOT_BEATEN, Decision, DecisionRule, Evidence, decide
from headtohead.evaluate.power_analysis import power_analysis
from headtohead.evaluate.prediction_flaws import same_predictions, same_sentence
from headtohead.evaluate.wording.numbers import interval_words, listed, signed
from headtohead.evaluate.wording.pair import PairContext, pair_sentence
from headtohead.stats.decision.best_set import best_candidates
from headtohead.stats.decision.support import Support, effective_groups, narrow_width, supporting_groups
from headtohead.stats.hypothesis.paired_difference import Difference, paired_differences
from headtohead.stats.hypothesis.seed_stability import seed_stability
from headtohead.stats.metrics.fold_values import repeat_values
from headtohead.stats.metrics.lookup import get_metric

__all__ = ["best_set", "compare_all", "refusal_reason"]

Floats = npt.NDArray[np.float64]
FACTS = "file-facts"
# Clauses of the rule by which a pair shows nothing, however small its p-value.
_BLOCKED = ("groups", "events", "degrees", "uneven", "scale", "reversed", "identical")


def compare_all(context: ComparisonContext, baselines: Sequence[str]) -> list[Comparison]:
    """Return all pairs of contenders, then each contender against each baseline.

    The pair stated beforehand comes first and is tested first; otherwise that of the two best values comes first.
    Holm's adjustment runs over the pairs of contenders, and apart over those with baselines.
    """
    table = context.setting.table
    contenders = [name for name in table.contenders if name not in baselines]
    among = _in_order(context, contenders)
    against, against_pooled = _differences(context, [(f, b) for f in contenders for b in baselines])
    pairs, pooled = _differences(context, among, first_alone=bool(context.stated))
    always = refusal_reason(context, contenders, [])  # pairs with controls stand even where file facts win
    refusal = refusal_reason(context, contenders, against)
    rest = _permutation_count(context, len(pairs) + len(against))
    first = _permutation_count(context, 1)
    narrow = narrow_width(table, context.row)
    words = PairContext(context.row, context.rule, context.cases, len(pairs), narrow)
    found = [
        PairUnderTest(d, p, words, refusal, first if i == 0 else rest, i == 0)
        for i, (d, p) in enumerate(zip(pairs, pooled, strict=True))
    ]
    words = replace(words, n_pairs=len(against))
    found += [
        PairUnderTest(d, p, words, always, rest, False) for d, p in zip(against, against_pooled, strict=True)
    ]
    return [_compare_pair(context, pair) for pair in found]


def _in_order(context: ComparisonContext, contenders: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of contenders, the one that stands first at the front."""
    pairs = list(combinations(contenders, 2))
    if context.stated:
        a, b = context.stated
        return [(a, b), *(pair for pair in pairs if set(pair) != {a, b})]
    best = sorted(contenders, key=lambda name: (-context.value(name), name))[:2]
    return sorted(pairs, key=lambda pair: set(pair) != set(best))


def best_set(context: ComparisonContext, comparisons: Sequence[Comparison]) -> BestSet | None:
    """Return which of three or more contenders may be the best; None where any comparison of theirs is refused."""
    names = sorted(
        {name for c in comparisons for name in (c.a, c.b)}, key=lambda name: (-context.value(name), name)
    )
    if len(names) < 3 or any(c.verdict == "refused" for c in comparisons):
        return None
    worse = {}
    for c in comparisons:
        p = c.details.p_value
        if c.difference is None or p is None or c.details.reason in _BLOCKED:
            continue
        # The set asks one side alone: half of the two-sided p, towards the sign that was seen.
        loser, winner = (c.b, c.a) if context.row.sign * c.difference > 0 else (c.a, c.b)
        worse[loser, winner] = p / 2
    kept = best_candidates(names, worse, context.rule.alpha)
    left_out = tuple(name for name in names if name not in kept)
    return BestSet(highest=names[0], candidates=kept, excluded=left_out, level=context.rule.level)


def _differences(
    context: ComparisonContext, pairs: Sequence[tuple[str, str]], *, first_alone: bool = False
) -> tuple[list[Difference], list[Difference | None]]:
    """Return the differences in the primary metric, and those in the same metric pooled over folds, if there is one."""
    table, resamples, rule = context.setting.table, context.setting.resamples, context.rule
    within = paired_differences(
        table,
        pairs,
        context.row,
        context.primary,
        resamples,
        rule.level,
        rope=rule.rope,
        first_alone=first_alone,
    )
    if not context.pooled:
        return within, [None] * len(within)
    metric = get_metric(context.row.pooled, table.classes)
    across = paired_differences(
        table, pairs, metric, context.pooled, resamples, rule.level, rope=rule.rope, first_alone=first_alone
    )
    return within, [*across]


def _permutation_count(context: ComparisonContext, n_pairs: int) -> int:
    """Return how many permutations a pair gets, of so many that share them: fewer on large tables, at least 99."""
    lines = context.setting.table.n_samples * len(context.setting.table.repeats)
    return int(np.clip(20_000_000 // (lines * max(1, n_pairs)), 99, 1000))  # 99 can still show p = 0.01


def refusal_reason(
    context: ComparisonContext, contenders: Sequence[str], against: Sequence[Difference]
) -> str:
    """Return why no verdict may be given, or "" where one may."""
    table, row = context.setting.table, context.row
    if context.leaks:
        return f"there is data leakage: {context.leaks[0].rstrip('. ')}"
    if table.n_groups < context.rule.min_groups:
        noun = context.cases.noun
        return (
            f"there are too few {noun}s ({pluralize(table.n_groups, noun)}; at least {context.rule.min_groups} are "
            "needed)"
        )
    facts = {d.a: d for d in against if d.b == FACTS}
    if not facts:
        return ""
    best = max(contenders, key=context.value)
    lead = facts[best]
    if lead.low is not None and lead.high is not None and (lead.low if row.sign > 0 else -lead.high) > 0:
        return ""
    return (
        f"the best contender, {best}, {FACTS_NOT_BEATEN} (a classifier that never sees the image): "
        f"{row.title} {context.primary[best][0]:.3f} against {context.primary[FACTS][0]:.3f}"
    )


def _compare_pair(context: ComparisonContext, pair: PairUnderTest) -> Comparison:
    table, rule, row, found = context.setting.table, context.rule, context.row, pair.found
    # Before the tests: without any variance they have no values.
    if not pair.refusal and same_predictions(table, found.a, found.b):
        return Comparison(
            a=found.a, b=found.b, metric=row.name, target=table.target, primary=pair.primary,
            difference=None if found.value is None else 0.0, low=None, high=None, verdict="identical", winner=None,
            sentence=same_sentence(table, found.a, found.b), n_samples=table.n_samples, n_groups=table.n_groups,
            method="none: the predictions are the same", level=rule.level,
            details=ComparisonDetails(reason="identical"),
        )  # fmt: skip
    known = found.value is not None
    support = supporting_groups(table, row, (found.a, found.b))
    decision = _decision(context, pair, support)
    first, second = (context.primary[name][0] for name in (found.a, found.b))
    sentence = pair_sentence(
        found, decision, pair.words,
        values=(None if math.isnan(first) else float(first), None if math.isnan(second) else float(second)),
        support=support, hint=_hint(context, decision, pair), refusal=pair.refusal,
    )  # fmt: skip
    values = context.primary[found.a] - context.primary[found.b]
    tests, extra = context.tests.run(found, context.setting.resamples.bootstrap(values), pair.n_permutations)
    discordant = tuple(DiscordantCounts.model_validate(counts) for counts in extra["discordant"])
    return Comparison(
        a=found.a, b=found.b, metric=row.name, target=table.target, primary=pair.primary,
        difference=found.value, low=found.low, high=found.high,
        verdict=decision.word, winner=found.favours if decision.word == "better" else None, sentence=sentence,
        tests=tests, n_samples=table.n_samples, n_groups=table.n_groups, method=found.method, level=rule.level,
        note=found.note, warnings=found.warnings,
        details=ComparisonDetails(
            p_value=found.p if known else None, p_holm=found.p_adjusted if known else None,
            p_equivalence=found.p_equivalent_adjusted if known and rule.rope is not None else None,
            degrees=found.degrees if known else None, rests_on=(support.n_groups, support.kind),
            reason=decision.reason, equivalence_interval=found.inner, rope=rule.rope,
            power=power_analysis(context, pair, support), refusal=pair.refusal, discordant=discordant,
            seeds=_seeds(context, found, decision),
        ),
    )  # fmt: skip


def _seeds(context: ComparisonContext, found: Difference, decision: Decision) -> SeedStability | None:
    """Return how far the decision depends on the seed of the folds; of methods with a t interval only."""
    table, low, high = context.setting.table, found.low, found.high
    if decision.reason in (*_BLOCKED, "refused"):
        return None  # another clause than the interval decides, whatever the seed
    if table.target != "learners" or found.stretch <= 1 or low is None or high is None or table.hold_out:
        return None
    first, second = (repeat_values(table, name, context.row) for name in (found.a, found.b))
    both = [a - b for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if len(both) < len(table.repeats):
        return None
    # How much stricter Holm made this pair's level.
    ratio = found.p_adjusted / found.p if found.p > 0 else 1.0
    return seed_stability(both, (high - low) / 2, found.degrees, alpha=context.rule.alpha, adjusted=ratio)


def _decision(context: ComparisonContext, pair: PairUnderTest, support: Support) -> Decision:
    def judged(difference: Difference) -> Decision:
        return decide(
            context.rule,
            Evidence(
                low=difference.low, high=difference.high, p_adjusted=difference.p_adjusted,
                p_equivalent=difference.p_equivalent_adjusted, n_groups=context.setting.table.n_groups,
                n_events=support.n_groups, even_groups=effective_groups(context.setting.table),
                degrees=difference.degrees, refusal=pair.refusal,
            ),
        )  # fmt: skip

    decision, pooled = judged(pair.found), pair.pooled
    if context.backwards & {pair.found.a, pair.found.b} and decision.word == "better":
        return Decision("cannot_tell", "reversed")
    if pooled is not None and _winner(decision, pair.found) != _winner(judged(pooled), pooled):
        return Decision("cannot_tell", "scale")
    return decision


def _winner(decision: Decision, found: Difference) -> str | None:
    return found.favours if decision.word == "better" else None


def _hint(context: ComparisonContext, decision: Decision, pair: PairUnderTest) -> str:
    """Return why no winner is named although the interval may exclude 0, or ""."""
    if decision.reason == "reversed":
        names = [name for name in (pair.found.a, pair.found.b) if name in context.backwards]
        verb = "rank" if len(names) > 1 else "ranks"
        return f"{listed(names)} {verb} the classes the wrong way round: scores or positive class probably reversed"
    if decision.reason == "scale" and pair.pooled is not None:
        return _scale_hint(pair.pooled, context.rule)
    return ""


def _scale_hint(pooled: Difference, rule: DecisionRule) -> str:
    """Return why no winner is named where the metric within folds and the pooled one disagree."""
    if pooled.value is None or pooled.low is None or pooled.high is None:
        return "pooled over folds the difference is not defined"
    return (
        f"pooled over folds the difference is {signed(pooled.value)} "
        f"({interval_words(pooled.low, pooled.high, rule.level)}), which would give another verdict: the scores "
        "of different folds may be on different scales"
    )
