"""Power of this study for one pair, and how many groups a stated difference would take."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.details import PowerAnalysis
from headtohead.evaluate.comparison_context import ComparisonContext, PairUnderTest
from headtohead.stats.decision.support import Support
from headtohead.stats.hypothesis.power import detectable_difference, groups_for_difference, influence

__all__ = ["power_analysis"]

Floats = npt.NDArray[np.float64]
# Where one group holds more than this share of the samples, whether it is drawn decides how many more are needed.
_OUTWEIGHS = 0.2


def _spread(context: ComparisonContext, values: Floats) -> float:
    boot = context.setting.resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan


def power_analysis(context: ComparisonContext, pair: PairUnderTest, support: Support) -> PowerAnalysis | None:
    """Return the power of this study for one pair by the rule itself; None where the difference is not defined."""
    rule, found = context.rule, pair.found
    if found.value is None or found.low is None or found.high is None:
        return None
    values = context.primary[found.a] - context.primary[found.b]
    # A stated first pair keeps the full level; of k others the least significant is tested at it, the most at 1/k.
    n_pairs = 1 if context.stated and pair.primary else max(1, pair.words.n_pairs)
    level = 1 - rule.alpha / n_pairs
    fewest, most = _groups_needed(context, pair, support, level) or (None, None)
    return PowerAnalysis(
        detectable_difference=detectable_difference(found.stretch * _spread(context, values), level),
        matters=context.matters,
        fewest_groups=fewest,
        most_groups=most,
        power=0.8,
        method=f"studies drawn from the jackknife pulls of the groups, at the level of the rule for {n_pairs} pair(s); "
        "the range is that of the variance (80 %)",
    )  # fmt: skip


def _groups_needed(
    context: ComparisonContext, pair: PairUnderTest, support: Support, level: float
) -> tuple[int, int] | None:
    """Return the range of groups that show the difference that matters, at least as many as the rule asks for."""
    table, rule, found = context.setting.table, context.rule, pair.found
    if context.matters is None or not pair.primary:
        return None
    if np.bincount(table.sample_group).max() > _OUTWEIGHS * table.n_samples:
        return None
    values = context.primary[found.a] - context.primary[found.b]
    # The training sample spreads the studies that are drawn as it spreads this one.
    pulls = found.stretch * influence(context.setting.resamples.jackknife(values))
    groups = groups_for_difference(
        pulls, context.matters, table.n_groups, level=level, degrees=found.degrees, seed=context.setting.seed
    )
    if groups is None:
        return None
    share = support.n_groups / table.n_groups
    # With fewer groups the rule would not say "better", however clear the difference.
    floor = max(rule.min_groups_for_better, math.ceil(rule.min_events_for_better / max(share, 1e-9)))
    return max(groups[0], floor), max(groups[1], floor)
