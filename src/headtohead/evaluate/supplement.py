"""Tables behind a verdict: everything beside scores and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Comparison
from headtohead.core.tables.details import FoldScore, SampleSize, VerdictDetails
from headtohead.stats.calibration.recalibration import calibration_curve, recalibration
from headtohead.stats.decision.conformal import conformal_sets, risk_coverage
from headtohead.stats.decision.decision_curve import decision_curves
from headtohead.stats.decision.operating_points import operating_points
from headtohead.stats.decision.subgroups import subgroup_tables
from headtohead.stats.hypothesis.metric_differences import metric_differences
from headtohead.stats.hypothesis.ranks import critical_difference, rank_table, variance_split
from headtohead.stats.inner_predictions import InnerPredictions
from headtohead.stats.intervals.delong import auroc_components, covariance, logit_interval
from headtohead.stats.intervals.resampling import bca, expanded_percentile, percentile
from headtohead.stats.metrics.curve_bands import curves_with_bands
from headtohead.stats.metrics.fold_values import FoldValue, repeat_values
from headtohead.stats.metrics.metric import NO_PROBABILITIES, Metric
from headtohead.stats.metrics.roc_curves import confusion_tables
from headtohead.stats.resampled import Replicates, ResampledPredictions

__all__ = ["SupplementRequest", "build_supplement"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SupplementRequest:
    """Questions beyond the comparison itself."""

    metric: Metric
    inner: InnerPredictions
    prevalence: float | None
    by: Mapping[str, Mapping[str, str]]
    baselines: tuple[str, ...]


def build_supplement(
    resampled: ResampledPredictions,
    request: SupplementRequest,
    replicates: Replicates,
    folds: Mapping[str, Sequence[FoldValue]],
    comparisons: Sequence[Comparison],
) -> VerdictDetails:
    """Return every further table of a verdict.

    Args:
        replicates: of all metrics. folds: values of the primary metric within folds.
    """
    table = resampled.table
    primary = {name: values[request.metric.name] for name, values in replicates.items()}
    contenders = [name for name in table.contenders if name not in request.baselines]
    kinds = {name: table.kind(name) for name in table.contenders}
    reasons = {name: NO_PROBABILITIES[kind] for name, kind in kinds.items() if kind in NO_PROBABILITIES}
    graded = [name for name in table.contenders if name not in reasons]
    roc, precision_recall = curves_with_bands(resampled)
    per_repeat = {name: repeat_values(table, name, request.metric) for name in table.contenders}
    return VerdictDetails(
        classes=table.classes,
        positive=table.classes[-1] if table.binary else None,
        size=_size(resampled),
        confusion={} if table.ranks_only else confusion_tables(table),
        roc=roc,
        precision_recall=precision_recall,
        calibration={name: calibration_curve(resampled, name) for name in graded},
        recalibration=recalibration(resampled, request.inner, replicates),
        operating_points=operating_points(resampled, request.inner, request.prevalence, replicates),
        decision_curves=decision_curves(resampled, request.prevalence),
        conformal=conformal_sets(resampled, request.inner),
        risk_coverage={name: risk_coverage(resampled, name) for name in graded},
        subgroups=subgroup_tables(resampled, request.metric, request.by, _first_pair(comparisons)),
        ranks=rank_table(resampled, request.metric, contenders, primary, comparisons),
        critical_difference=critical_difference(
            {n: folds[n] for n in contenders}, request.metric.sign, resampled.level
        ),
        variance=variance_split(resampled, request.metric, {n: primary[n] for n in contenders}, folds, per_repeat),
        per_repeat=per_repeat,
        per_fold={name: _nan_to_none(lines) for name, lines in folds.items()},
        intervals={name: _intervals(resampled, request.metric, name, primary[name]) for name in table.contenders},
        notes=tuple(_notes(resampled, request)),
        no_probabilities=reasons or None,
        differences=metric_differences(
            resampled, [(c.a, c.b) for c in comparisons], request.metric.name, replicates
        ),
    )  # fmt: skip


def _first_pair(comparisons: Sequence[Comparison]) -> tuple[str, str] | None:
    return next(((c.a, c.b) for c in comparisons if c.primary), None)


def _size(resampled: ResampledPredictions) -> SampleSize:
    table = resampled.table
    return SampleSize(
        n_samples=table.n_samples,
        n_groups=table.n_groups,
        n_repeats=len(table.repeats),
        samples_per_class={
            name: int((table.sample_label == c).sum()) for c, name in enumerate(table.classes)
        },
        groups_per_class={name: table.groups_with(c) for c, name in enumerate(table.classes)},
        n_boot=resampled.resamples.n_boot,
        seed=resampled.seed,
    )


def _nan_to_none(lines: Sequence[FoldValue]) -> tuple[FoldScore, ...]:
    return tuple((repeat, fold, None if np.isnan(value) else value, n) for repeat, fold, value, n in lines)


def _intervals(
    resampled: ResampledPredictions, metric: Metric, contender: str, values: Floats
) -> dict[str, tuple[float, float]]:
    """Return the primary metric's interval by every method, for who wants to see how they agree."""
    table, resamples, level = resampled.table, resampled.resamples, resampled.level
    boot = resamples.bootstrap(values)
    known = boot[~np.isnan(boot)]
    if np.isnan(values[0]) or table.n_groups < 2 or len(known) < 2:
        return {}
    found = {
        "percentile": percentile(known, level),
        "expanded_percentile": expanded_percentile(known, level, table.n_groups),
        "bca": bca(float(values[0]), known, resamples.jackknife(values), level),
    }
    if metric.delong_interval and 0 < values[0] < 1:  # the logit has no place at 0 and 1
        for name, n, by_group in (("delong", table.n_samples, False), ("obuchowski", table.n_groups, True)):
            pulls = auroc_components(table.of(contender), n, by_group=by_group)
            variance = covariance(pulls, pulls)
            if variance > 0:
                found[f"{name}_logit"] = logit_interval(pulls.value, variance, level)
    return {name: (float(low), float(high)) for name, (low, high) in found.items()}


def _notes(resampled: ResampledPredictions, request: SupplementRequest) -> list[str]:
    table, without = resampled.table, request.inner.without
    if not without or table.ranks_only:
        return []
    if len(without) < len(table.contenders):
        chosen = "threshold or temperature" if table.binary else "temperature"
        return [f"No {chosen} was chosen for {', '.join(without)}: inner predictions are missing."]
    if table.binary:
        return ["Classes were called at 0.5: there are no inner predictions to choose thresholds on."]
    return [
        "Each image was given its most probable class; without inner predictions nothing was recalibrated."
    ]
