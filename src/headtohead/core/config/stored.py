"""Read a `study.toml`, of whatever kind of study."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from headtohead.core.config.reproduction import ReproductionConfig
from headtohead.core.config.run import RunConfig
from headtohead.core.config.search import SearchConfig
from headtohead.core.config.study import StudyConfig
from headtohead.core.errors import UsageError, unknown_name

__all__ = ["CONFIGS", "parse_config"]

CONFIGS: Mapping[str, type[RunConfig]] = {
    "compare": StudyConfig,
    "best": SearchConfig,
    "reproduce": ReproductionConfig,
}


def parse_config(text: str) -> RunConfig:
    """Parse a `study.toml` of any kind; one without a kind is of `compare`.

    Raises:
        UsageError: an unknown kind, or settings that do not fit.
    """
    try:
        kind = str(tomllib.loads(text).get("kind", "compare"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"This is not a study configuration: {error}") from error
    if kind not in CONFIGS:
        raise unknown_name("kind of study", kind, CONFIGS)
    return CONFIGS[kind].from_toml(text)
