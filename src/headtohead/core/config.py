"""The configuration of each kind of study: one record, saved whole as `study.toml` with the defaults filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError

from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.records import Record
from headtohead.core.training_config import TrainConfig

__all__ = [
    "DataConfig",
    "ReproductionConfig",
    "RunConfig",
    "SearchConfig",
    "StudyConfig",
    "StudyKind",
    "TrainConfig",
    "differences",
    "make_config",
    "parse_config",
]

StudyKind = Literal["compare", "best", "reproduce"]


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


class RunConfig(Record):
    """The settings that every kind of study has; what decides the digits of a run folder.

    Attributes:
        kind: which study the folder belongs to.
        data: folder, table, archive or `kaggle:owner/set`, as the user named it.
        seed: decides every random draw.
        similar: also put images that may be of one patient into one group.
        groups: a corrected `groups.csv` that replaces the groups found by the audit.
        ignore: audit checks set aside, code -> reason.
        data_options: how samples are found in the data.
    """

    # Settings that may differ between two calls on one folder, because finished work does not depend
    # on them: what matters of `data` is what the images are (the data's digest), not where they lie.
    MAY_CHANGE: ClassVar[frozenset[str]] = frozenset({"data"})

    kind: StudyKind
    data: str
    seed: int = Field(default=0, ge=0, description="Decides every draw; same seed, same digits.")
    similar: bool = False
    groups: str | None = None
    ignore: dict[str, str] = Field(default_factory=dict)
    data_options: DataConfig = Field(default_factory=DataConfig)

    def to_toml(self) -> str:
        """Return the whole configuration as TOML; settings that are None are left out."""
        import tomli_w

        return tomli_w.dumps(_without_none(self.model_dump(mode="json")))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Return a configuration from setting -> value; what is left out has its default.

        Raises:
            UsageError: names each setting that does not fit.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise UsageError(f"These settings do not fit: {explain(error)}.") from error

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Parse a configuration.

        Raises:
            UsageError: names each setting that does not fit.
        """
        try:
            return cls.model_validate(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise UsageError(f"This is not a study configuration: {explain(error)}") from error


class StudyConfig(RunConfig):
    """Everything that decides the digits of `compare`.

    Attributes:
        contenders: expressions such as "vit-b16", "dinov2-small@finetune", "ensemble(a, b)".
        split: "kfold", "given" or "holdout:FRACTION".
        rope: half-width of the region of practical equivalence, in units of the metric.
        prevalence: the user's own prevalence in (0, 1), for predictive values and net benefit.
    """

    kind: Literal["compare"] = "compare"
    contenders: tuple[str, ...] = Field(min_length=1)
    recipe: str = "auto"
    mode: str = "probe"
    split: str = "kfold"
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=3, ge=1)
    metric: str = "auroc"
    level: float = Field(default=0.95, gt=0.5, lt=1)
    n_boot: int = Field(default=2000, ge=100)
    rope: float | None = Field(default=None, gt=0, lt=1)
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    by: tuple[str, ...] = ()
    allow_leaks: bool = False
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: str = "auto"
    train: TrainConfig = Field(default_factory=TrainConfig)


class SearchConfig(RunConfig):
    """Everything that decides the digits of `best`, and the time that it may take.

    Attributes:
        backbones: what is searched over.
        finetune: backbones that are fine-tuned as well (fixed policy, nothing chosen); the mean of them
            and the searched model is a row of its own. Twenty minutes and more each without a GPU.
        epochs: of fine-tuning.
        augment: preset of the augmentation; one that does not flip keeps flipped images out of the search.
        copies: above 0, a side branch of the ablation shows what so many augmented copies of each training
            image buy.
        minutes: no repeat is begun after so much time, at least one is done. The same command with more
            minutes goes on where this one stopped.
        folds: outer grouped folds; repeats: how often they are drawn anew.
    """

    MAY_CHANGE: ClassVar[frozenset[str]] = frozenset({"data", "minutes"})

    kind: Literal["best"] = "best"
    backbones: tuple[str, ...] = Field(
        default=("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "dinov2-small"),
        min_length=1,
    )
    finetune: tuple[str, ...] = ()
    epochs: int = Field(default=20, ge=1)
    augment: str = "auto"
    copies: int = Field(default=0, ge=0)
    minutes: float = Field(default=20.0, ge=0)
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=3, ge=1)


class ReproductionConfig(RunConfig):
    """Everything that decides the digits of `reproduce`.

    Attributes:
        cnn, vit: contenders, or "auto": the networks of the published study where their weights can be
            had, otherwise both stand-ins.
        splits: random splits of each state of the protocol.
        many_splits: random splits of the frozen CNN where it is scored on images of its own.
        head_epochs: epochs of the head on the frozen CNN.
        full: fine-tune the whole transformer instead of its last two blocks.
        epochs: of the transformer; None for 6, or 20 with `full`.
        n_boot: bootstrap resamples of groups.
    """

    kind: Literal["reproduce"] = "reproduce"
    cnn: str = "auto"
    vit: str = "auto"
    splits: int = Field(default=2, ge=1)
    many_splits: int = Field(default=20, ge=1)
    head_epochs: int = Field(default=30, ge=1)
    full: bool = False
    epochs: int | None = Field(default=None, ge=1)
    n_boot: int = Field(default=2000, ge=100)


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


def make_config(settings: Mapping[str, Any]) -> StudyConfig:
    """Return a configuration of `compare` from settings, as `RunConfig.from_settings` does."""
    return StudyConfig.from_settings(settings)


def explain(error: Exception) -> str:
    """Return a validation error in one line: each setting and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return str(error)
    parts = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    return "; ".join(parts)


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Return one line for each setting that differs, "folds: 5 there, 4 asked for".

    Settings that may change (`RunConfig.MAY_CHANGE`) are left out.
    """
    if old.kind != new.kind:
        return [f"kind: {old.kind!r} there, {new.kind!r} asked for"]
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    keys = sorted((set(before) | set(after)) - new.MAY_CHANGE)
    return [
        f"{key}: {before.get(key)!r} there, {after.get(key)!r} asked for"
        for key in keys
        if before.get(key) != after.get(key)
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
