"""The configuration of each kind of study: one record, saved whole as `study.toml` with the defaults filled in."""

from headtohead.core.config.data import DataConfig
from headtohead.core.config.reproduction import ReproductionConfig
from headtohead.core.config.run import RunConfig, StudyKind, differences
from headtohead.core.config.search import SearchConfig
from headtohead.core.config.settings import parse_record
from headtohead.core.config.stored import parse_config
from headtohead.core.config.study import StudyConfig
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
