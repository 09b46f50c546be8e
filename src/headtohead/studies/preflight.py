"""What a study asks, checked before any long work: words first, then what only the data can refute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtohead.contenders.expression import ContenderSpec, parse_list
from headtohead.core.config import StudyConfig
from headtohead.core.errors import NoEffectError, unknown_name

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset

__all__ = ["subgroups", "validate_against_data", "validate_config"]


def validate_config(config: StudyConfig, specs: Sequence[ContenderSpec], boards: Sequence[str]) -> None:
    """Refuse what can be refused without a look at images or weights.

    Args:
        specs: the contenders of `config`, with the mode of those that name none.
        boards: that are to follow the training.

    Raises:
        UsageError: an unknown name, mode or board. NoEffectError: a setting that would change nothing.
        MissingExtraError: a board or tuner whose package is not installed.
    """
    from headtohead.contenders.factory import check_specs, expand_members
    from headtohead.contenders.training_modes import check_settings
    from headtohead.core.trackers import check_trackers
    from headtohead.stats.metrics.lookup import check_name

    check_name(config.metric)
    check_specs(specs)
    if config.mode != "probe" and tuple(specs) == parse_list(config.contenders):
        raise NoEffectError(
            f"mode = {config.mode!r} would have no effect: each contender has one of its own (NAME@MODE)."
        )
    check_settings(expand_members(specs), config.train)
    check_trackers(boards)


def validate_against_data(config: StudyConfig, dataset: Dataset) -> None:
    """Refuse a metric, prevalence, level or column that the data cannot answer.

    Raises:
        UsageError, UndefinedMetricError, NoEffectError: as `headtohead.evaluate.verdict.validate_question`.
        UnknownNameError: no such column.
    """
    from headtohead.evaluate.verdict import validate_question as check

    asked = {name: getattr(config, name) for name in ("level", "rope", "prevalence")}
    check(config.metric, dataset.classes, **asked)
    subgroups(config.by, dataset)


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
