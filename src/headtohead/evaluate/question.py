"""The question that a verdict answers: its settings, and the refusal of what the predictions cannot answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from headtohead.core.errors import NoEffectError, UndefinedMetricError, UsageError, unknown_name
from headtohead.core.records import Record
from headtohead.stats.metrics.lookup import default_metrics
from headtohead.stats.metrics.lookup import get_metric as metric_named
from headtohead.stats.metrics.registry import METRICS

__all__ = ["VerdictConfig", "validate_pair", "validate_question", "validate_ranks"]


class VerdictConfig(Record):
    """Questions and settings of a verdict, all fixed before the predictions are seen.

    Attributes:
        classes: class names. positive: the positive one of two (the last if None).
        ordered: whether the classes stand in their own order, from the least to the most, as the user stated.
        metric: the primary metric.
        baselines: contenders that are controls ("majority", "file-facts").
        contenders: their order (with or without the baselines); first appearance if None.
        level: confidence of the intervals, in (0.5, 1).
        rope: half-width of the region of practical equivalence in the metric's unit, or None.
        primary: the pair that is compared first, at the full level; empty if none is stated beforehand.
        matters: the difference that would matter, for the size of a new study; None if none is stated.
        unit: what a group is known to be.
        ranks_only: whether the scores are no probabilities, so that only their order counts.
        prevalence: share of positives where the model is to be used, in (0, 1); that of the data if None.
        n_boot: bootstrap replicates. seed: of the resampling.
    """

    classes: tuple[str, ...]
    positive: str | None = None
    ordered: bool = False
    metric: str = "auroc"
    baselines: tuple[str, ...] = ()
    contenders: tuple[str, ...] | None = None
    level: float = 0.95
    rope: float | None = None
    primary: tuple[str, ...] = ()
    matters: float | None = None
    unit: Literal["patient", "group"] = "group"
    ranks_only: bool = False
    prevalence: float | None = None
    n_boot: int = 2000
    seed: int = 0


def validate_ranks(config: VerdictConfig) -> None:
    """Refuse what the order of the scores alone cannot answer.

    Raises:
        UsageError: a metric that needs probabilities.
        NoEffectError: a prevalence, which re-bases probabilities.
    """
    metric = metric_named(config.metric, config.classes)
    if metric.undefined_on("ranks"):
        names = [
            name for name in default_metrics(config.classes, True) if not METRICS[name].undefined_on("ranks")
        ]
        raise UsageError(
            f"Got --metric {config.metric} with --score ordinal; {metric.title} needs probabilities. Expected one of "
            f"{', '.join(names)}."
        )
    if config.prevalence is not None:
        raise NoEffectError(
            f"Got --prevalence {config.prevalence} with --score ordinal; only probabilities can be brought to another "
            "prevalence. Leave one of the two out."
        )


def validate_pair(config: VerdictConfig, contenders: Sequence[str]) -> None:
    """Refuse a primary pair that is not two of the contenders.

    Raises:
        UsageError, UnknownNameError: with the name at fault.
    """
    if not config.primary:
        return
    if len(config.primary) != 2 or len(set(config.primary)) != 2:
        raise UsageError(
            f"Got --primary {','.join(config.primary)}; expected two contenders, such as cnn,vit."
        )
    for name in config.primary:
        if name not in contenders:
            raise unknown_name("contender for --primary", name, contenders)
        if name in config.baselines:
            raise UsageError(f"Got --primary with {name}, which is a control; name two contenders.")


def validate_question(
    name: str,
    classes: Sequence[str],
    *,
    level: float,
    rope: float | None,
    prevalence: float | None,
    ordered: bool = False,
) -> None:
    """Refuse a question that these classes cannot answer, before anything is computed.

    Args:
        ordered: whether the user stated the order of the classes.

    Raises:
        UsageError: a metric that does not exist or has no direction, a number out of range.
        UndefinedMetricError: a metric for two classes where there are more.
        NoEffectError: a prevalence of the positive class where there are more than two classes.
    """
    if not 0.5 < level < 1:  # two one-sided tests need the interval at 2 level - 1
        raise UsageError(f"Got the level {level}; expected a share between 0.5 and 1, such as 0.95.")
    if rope is not None and not rope > 0:
        raise UsageError(f"Got --rope {rope}; expected a half-width above 0, such as 0.02.")
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(f"Got --prevalence {prevalence}; expected a share between 0 and 1, such as 0.02.")
    if prevalence is not None and len(classes) != 2:
        raise NoEffectError(
            f"Got --prevalence {prevalence} with {len(classes)} classes; it is the share of the positive one of two. "
            "Leave it out, or merge classes."
        )
    found = metric_named(name, classes)
    if found.binary_only and len(classes) != 2:
        raise UndefinedMetricError(f"{found.title} is defined for two classes; got {len(classes)}.")
    if found.needs_order and not ordered:
        raise UsageError(
            f"Got --metric {name} without the order of the classes, which is never guessed. Give `headtohead verdict "
            "PREDICTIONS` (also the predictions.parquet of a run) the option --ordered-classes with the classes "
            f"({', '.join(sorted(classes))}) from the least to the most."
        )
    if found.best not in ("high", "low"):
        raise UsageError(
            f"{found.title} has an ideal, not a direction; compare on another metric, such as auroc."
        )
