"""Checks of a comparison's settings before any long work: first alone, then against the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from headtohead.core.config import DataConfig, StudyConfig
from headtohead.core.errors import NoEffectError, unknown_name

if TYPE_CHECKING:
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.data.dataset import Dataset
    from headtohead.evaluate.verdict import VerdictConfig

__all__ = ["group_unit", "subgroups", "validate_against_data", "validate_config", "verdict_config"]


def validate_config(config: StudyConfig, plan: Callable[[], ContenderPlan], trackers: Sequence[str]) -> None:
    """Refuse what can be refused without a look at images or weights.

    Args:
        config: the settings.
        plan: returns the plan of the contenders; called once the metric is known to exist.
        trackers: that are to follow the training.

    Raises:
        UsageError: an unknown name, mode or tracker.
        NoEffectError: a setting that would change nothing.
        MissingExtraError: a tracker or tuner whose package is not installed.
    """
    from headtohead.contenders.expression import parse_list
    from headtohead.core.trackers import check_trackers
    from headtohead.stats.metrics.lookup import check_name

    check_name(config.metric)
    contenders = plan()
    if config.mode != "probe" and contenders.named == parse_list(config.contenders):
        raise NoEffectError(
            f"mode = {config.mode!r} would have no effect: each contender has one of its own (NAME@MODE)."
        )
    contenders.check_settings(config.train)
    check_trackers(trackers)


def validate_against_data(config: StudyConfig, dataset: Dataset) -> None:
    """Refuse a metric, prevalence, level or column that the data cannot answer.

    Raises:
        UsageError, UndefinedMetricError, NoEffectError: as `headtohead.evaluate.question.validate_question`.
        UnknownNameError: no such column.
    """
    from headtohead.evaluate.question import validate_question

    validate_question(
        config.metric, dataset.classes, level=config.level, rope=config.rope, prevalence=config.prevalence
    )
    subgroups(config.by, dataset)


def group_unit(options: DataConfig, dataset: Dataset) -> Literal["patient", "group"]:
    """Return what a group is known to be: a patient where the user or every DICOM file says so."""
    column = options.columns.get("group", "").casefold()
    named = options.group_from is not None or column.startswith(("patient", "subject", "participant"))
    return "patient" if named or all(s.group.startswith("patient ") for s in dataset.samples) else "group"


def subgroups(columns: Sequence[str], dataset: Dataset) -> dict[str, dict[str, str]] | None:
    """Return column -> sample id -> value for the columns that scores are split by, or None without any.

    Raises:
        UnknownNameError: no such column.
    """
    if not columns:
        return None
    known = sorted({name for sample in dataset.samples for name in sample.extra if ":" not in name})
    for column in columns:
        if column not in known:
            raise unknown_name("column for --by", column, known)
    return {
        column: {s.id: s.extra[column] for s in dataset.samples if column in s.extra} for column in columns
    }


def verdict_config(config: StudyConfig, dataset: Dataset) -> VerdictConfig:
    """Return what the study asks of its predictions.

    Args:
        config: the settings. dataset: the grouped samples.
    """
    from headtohead.evaluate.verdict import VerdictConfig
    from headtohead.heads.baselines import BASELINES

    return VerdictConfig(
        classes=dataset.classes,
        positive=dataset.positive,
        metric=config.metric,
        baselines=BASELINES,
        level=config.level,
        rope=config.rope,
        primary=config.primary,
        matters=config.matters,
        unit=group_unit(config.data_options, dataset),
        prevalence=config.prevalence,
        n_boot=config.n_boot,
        seed=config.seed,
    )
