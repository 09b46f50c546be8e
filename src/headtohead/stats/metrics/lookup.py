"""Metrics by name, with the metrics of one class, and the lists of metrics that are shown in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Literal

from headtohead.core.errors import unknown_name
from headtohead.stats.metrics.metric import DENOMINATOR_IS_ZERO, Metric
from headtohead.stats.metrics.registry import METRICS

__all__ = ["check_name", "default_metrics", "get_metric", "metrics_shown"]


def get_metric(name: str, classes: Sequence[str] = ()) -> Metric:
    """Return the metric called `name`; "sensitivity_<class>" and the like are known beyond two classes.

    There the title of a metric of one class against the rest says that it is a mean.

    Raises:
        UnknownNameError: with the nearest names.
    """
    if name in METRICS:  # first, since a class may be called so that its metric bears the name of another one
        metric = METRICS[name]
        mean = f"{metric.title} (mean over the {len(classes)} classes)"
        return replace(metric, title=mean) if metric.is_mean(len(classes)) else metric
    for metric in METRICS.values():
        of_class = name.removeprefix(f"{metric.name}_")
        # `removeprefix` leaves a name without the prefix as it is.
        if metric.per_class and of_class != name and of_class in classes:
            return _of_one_class(metric, of_class)
    raise unknown_name("metric", name, METRICS)


def _of_one_class(metric: Metric, of_class: str) -> Metric:
    return replace(
        metric,
        name=f"{metric.name}_{of_class}",
        title=f"{metric.title} of {of_class}",
        of_class=of_class,
        undefined=DENOMINATOR_IS_ZERO,
        delong_test=False,  # the structural components are those of the mean over classes
        delong_interval=False,
        pooled="",
        headline=0,
        source="",
    )


def check_name(name: str) -> None:
    """Refuse a name that is no metric whatever the classes are.

    Raises:
        UnknownNameError: with the nearest names.
    """
    per_class = [metric.name for metric in METRICS.values() if metric.per_class]
    if name not in METRICS and not any(name.startswith(f"{base}_") for base in per_class):
        raise unknown_name("metric", name, METRICS)


def default_metrics(classes: Sequence[str], folds: bool, *, ordered: bool = False) -> tuple[str, ...]:
    """Return the metrics that a verdict reports: some only with folds, weighted kappa only of ordered classes."""
    names = [
        name
        for name, metric in METRICS.items()
        if (len(classes) == 2 or not metric.binary_only)
        and (folds or not metric.needs_folds)
        and (ordered or not metric.needs_order)
    ]
    if len(classes) > 2:
        names += [f"{base}_{of_class}" for base in metrics_shown("of_each_class") for of_class in classes]
    return tuple(names)


def metrics_shown(where: Literal["headline", "operating_point", "of_each_class"]) -> tuple[str, ...]:
    """Return the names of the metrics that are shown in one place: those of rank 1 first, then those of rank 2."""
    rank = attrgetter(where)
    return tuple(metric.name for metric in sorted(METRICS.values(), key=rank) if rank(metric))
