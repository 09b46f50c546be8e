"""The configuration of a study: one record, saved whole as `study.toml` with the defaults filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from headtohead.core.errors import UsageError
from headtohead.core.records import Record
from headtohead.core.training_config import TrainConfig

__all__ = ["DataConfig", "StudyConfig", "TrainConfig", "differences", "make_config"]


class DataConfig(Record):
    """How samples are found: the options of `headtohead.data.load`, JSON-able."""

    columns: dict[str, str] = Field(default_factory=dict)
    label_from: str | None = None
    group_from: str | None = None
    map_labels: dict[str, str] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()
    positive: str | None = None
    keep_columns: tuple[str, ...] = ()
    strict: bool = False
    pages: str = "first"
    slices: str | None = None


class StudyConfig(Record):
    """Everything that decides a study's digits.

    Attributes:
        data: folder, table, archive or `kaggle:owner/set`, as the user named it.
        contenders: expressions such as "vit-b16", "dinov2-small@finetune", "ensemble(a, b)".
        split: "kfold", "given" or "holdout:FRACTION".
        rope: half-width of the region of practical equivalence, in units of the metric.
        prevalence: the user's own prevalence in (0, 1), for predictive values and net benefit.
    """

    data: str
    contenders: tuple[str, ...] = Field(min_length=1)
    recipe: str = "auto"
    mode: str = "probe"
    split: str = "kfold"
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=3, ge=1)
    seed: int = Field(default=0, ge=0)
    metric: str = "auroc"
    level: float = Field(default=0.95, gt=0.5, lt=1)
    n_boot: int = Field(default=2000, ge=100)
    rope: float | None = Field(default=None, gt=0, lt=1)
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    by: tuple[str, ...] = ()
    allow_leaks: bool = False
    similar: bool = False
    groups: str | None = None
    ignore: dict[str, str] = Field(default_factory=dict)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: str = "auto"
    data_options: DataConfig = Field(default_factory=DataConfig)
    train: TrainConfig = Field(default_factory=TrainConfig)

    def to_toml(self) -> str:
        """Return the whole configuration as TOML; settings that are None are left out."""
        import tomli_w

        return tomli_w.dumps(_without_none(self.model_dump(mode="json")))

    @classmethod
    def from_toml(cls, text: str) -> StudyConfig:
        """Read a configuration back; a `UsageError` names each setting that does not fit."""
        try:
            return cls.model_validate(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise UsageError(f"This is not a study configuration: {explain(error)}") from error


def make_config(settings: Mapping[str, Any]) -> StudyConfig:
    """Return a configuration, or a `UsageError` that names each setting that does not fit."""
    try:
        return StudyConfig.model_validate(settings)
    except ValidationError as error:
        raise UsageError(f"These settings do not fit: {explain(error)}.") from error


def explain(error: Exception) -> str:
    """Return a validation error in one line: each setting and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return str(error)
    parts = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    return "; ".join(parts)


def differences(old: StudyConfig, new: StudyConfig) -> list[str]:
    """Return one line for each setting that differs, "folds: 5 there, 4 asked for".

    `data` is left out: what matters is what the images are, which the data's digest tells, not
    where they lie.
    """
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    keys = sorted(set(before) | set(after))
    return [
        f"{key}: {before.get(key)!r} there, {after.get(key)!r} asked for"
        for key in keys
        if key != "data" and before.get(key) != after.get(key)
    ]


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict) and item:
            flat.update(_flat(item, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = item
    return flat
