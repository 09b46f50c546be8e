"""The configuration of each kind of study: one record, saved whole as `study.toml` with the defaults filled in."""

from headtohead.core.config.data import DataConfig
from headtohead.core.config.settings import parse_record
from headtohead.core.config.study import (
    ReproductionConfig,
    RunConfig,
    SearchConfig,
    StudyConfig,
    StudyKind,
    differences,
    parse_config,
)
from headtohead.core.config.training import Budget, TrainConfig, parse_overrides

__all__ = [
    "Budget",
    "DataConfig",
    "ReproductionConfig",
    "RunConfig",
    "SearchConfig",
    "StudyConfig",
    "StudyKind",
    "TrainConfig",
    "differences",
    "parse_config",
    "parse_overrides",
    "parse_record",
]
