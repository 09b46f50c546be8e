"""The configuration of each kind of study: one record, saved whole as `study.toml` with the defaults filled in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError

from headtohead.core.config.data import DataConfig
from headtohead.core.config.places import kept, restored, without_home
from headtohead.core.config.settings import explain, flatten, parse_record, without_none
from headtohead.core.config.training import TrainConfig
from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.records import Record

__all__ = [
    "ReproductionConfig",
    "RunConfig",
    "SearchConfig",
    "StudyConfig",
    "StudyKind",
    "differences",
    "parse_config",
]

StudyKind = Literal["compare", "best", "reproduce"]


def _repeats(value: Any) -> Any:
    """Return "auto" or a whole number from 1, which a command line gives as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value.strip()):
        value = int(value)
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"got {value!r}; expected auto or a whole number from 1")


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
    NETWORKS: ClassVar[tuple[str, ...]] = ()  # settings that name contenders

    kind: StudyKind
    data: str
    seed: int = Field(default=0, ge=0, description="Random seed; results are bit-identical for equal seeds.")
    similar: bool = Field(
        default=False, description="Also group images that are possibly of one patient (other slices)."
    )
    groups: str | None = Field(
        default=None, description="Your corrected groups.csv, which replaces the search for copies."
    )
    ignore: dict[str, str] = Field(
        default_factory=dict,
        description="Set a check aside, with the reason kept in the run; may be repeated.",
    )
    data_options: DataConfig = Field(default_factory=DataConfig)

    def kept_in(self, run: Path) -> Self:
        """Return the configuration as a run folder keeps it: its paths tell no home (`core.config.places`)."""
        groups = None if self.groups is None else kept(self.groups, run)
        return self.model_copy(update={"data": kept(self.data, run), "groups": groups})

    def restored_from(self, run: Path) -> Self:
        """Return the configuration that a run folder keeps, with its paths as they are used."""
        groups = None if self.groups is None else restored(self.groups, run)
        return self.model_copy(update={"data": restored(self.data, run), "groups": groups})

    def to_toml(self) -> str:
        """Return the whole configuration as TOML; settings that are None are left out."""
        import tomli_w

        return tomli_w.dumps(without_none(self.model_dump(mode="json")))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Return the configuration of a new study from setting -> value; what is left out has its default.

        Contenders from the user's files are named from the home on, `path:~/net.pth`: the name is in every file.

        Raises:
            UsageError: names each setting that does not fit.
        """
        config = parse_record(cls, settings)
        return config.model_copy(update={name: _homeless(getattr(config, name)) for name in cls.NETWORKS})

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
        repeats: a number, or "auto" (`headtohead.studies.repeats`).
        rope: half-width of the region of practical equivalence, in units of the metric.
        prevalence: the user's own prevalence in (0, 1), for predictive values and net benefit.
    """

    NETWORKS: ClassVar[tuple[str, ...]] = ("contenders", "primary")

    kind: Literal["compare"] = "compare"
    contenders: tuple[str, ...] = Field(
        min_length=1,
        description="Names, optionally NAME@MODE; also timm:…, hf:…, path:…, scratch:…, ensemble(a,b,how=stacked), "
        "hybrid(a,b), seeds(a@finetune,3), snapshots(a@finetune,3), folds(a,5). 'headtohead weights "
        "list' shows the catalogue.",
    )
    recipe: str = Field(
        default="auto", description="Preprocessing: auto, foreground, foreground-plain, classical or none."
    )
    mode: str = Field(default="probe", description="How contenders without @MODE are trained.")
    split: str = Field(
        default="kfold", description="kfold, given (the data's own split or folds), or holdout:0.2."
    )
    folds: int = Field(default=5, ge=2, description="Folds per repeat.")
    repeats: Annotated[int | Literal["auto"], BeforeValidator(_repeats)] = Field(
        default="auto",
        description="Repeats of the whole cross-validation: a number, or auto (3; up to 40 of contenders with frozen "
        "features, while other seeds would change the first pair's decision in more than 5 % of runs).",
    )
    metric: str = Field(default="auroc", description="The primary metric, fixed beforehand.")
    level: float = Field(default=0.95, gt=0.5, lt=1, description="Confidence level of the intervals.")
    n_boot: int = Field(default=2000, ge=100, description="Bootstrap resamples of groups.")
    rope: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Margin of equivalence: differences smaller than this do not matter to you, in units of the "
        "metric.",
    )
    primary: tuple[str, ...] = Field(
        default=(),
        description="The pair that is compared first, at the full level; the other pairs follow only if it differs.",
    )
    matters: float | None = Field(
        default=None,
        gt=0,
        description="The difference that would matter to you: the number of patients that would show it is then given.",
    )
    prevalence: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of positives where the model is to be used, for predictive values and net benefit.",
    )
    per: Literal["case", "case:mean", "case:max"] | None = Field(
        default=None,
        description="Score each case (patient, group) once: case (mean probability of its images) or case:max (the "
        "image with the highest).",
    )
    by: tuple[str, ...] = Field(default=(), description="Report subgroups of these table columns.")
    allow_leaks: bool = Field(
        default=False, description="Continue with a given split that leaks; the verdict is then refused."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto",
        description="Arithmetic of frozen features: auto (fast, checked against fp32), fp32 or bf16.",
    )
    runtime: Literal["auto", "torch", "openvino", "onnx"] = Field(
        default="auto",
        description="What computes frozen features: torch, openvino or onnx (on the processor, each checked against "
        "torch in fp32), or auto: openvino where it is installed, pays and agrees, else torch.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda or mps.")
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
        folds: outer grouped folds; repeats: how often they are drawn.
    """

    MAY_CHANGE: ClassVar[frozenset[str]] = frozenset({"data", "minutes"})
    NETWORKS: ClassVar[tuple[str, ...]] = ("backbones", "finetune")

    kind: Literal["best"] = "best"
    backbones: tuple[str, ...] = Field(
        default=("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "dinov2-small"),
        min_length=1,
        description="Backbones to search over.",
    )
    finetune: tuple[str, ...] = Field(
        default=(), description="Backbones to fine-tune as well; minutes to hours each."
    )
    epochs: int = Field(default=20, ge=1, description="Epochs of fine-tuning.")
    augment: str = Field(
        default="auto",
        description="Augmentation preset; one without flips (xray) keeps flips out of the search too.",
    )
    copies: int = Field(
        default=0,
        ge=0,
        description="Augmented copies of each training image, in a side branch of the ablation.",
    )
    minutes: float = Field(
        default=20.0,
        ge=0,
        description="Time to spend, fine-tuning included; what is unfinished then is named, and more minutes go on "
        "from there.",
    )
    folds: int = Field(default=5, ge=2, description="Outer grouped folds.")
    repeats: int = Field(default=3, ge=1, description="Repeats of the outer folds.")


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

    NETWORKS: ClassVar[tuple[str, ...]] = ("cnn", "vit")

    kind: Literal["reproduce"] = "reproduce"
    cnn: str = Field(default="auto", description="The CNN; auto: InceptionResNetV2, or its stand-in.")
    vit: str = Field(default="auto", description="The transformer; auto: ViT-B/16, or its stand-in.")
    splits: int = Field(default=2, ge=1, description="Random splits of each state for the transformer.")
    many_splits: int = Field(default=20, ge=1, description="Random splits of each state for the frozen CNN.")
    head_epochs: int = Field(default=30, ge=1, description="Epochs of the head on the frozen CNN.")
    full: bool = Field(
        default=False, description="Fine-tune the whole transformer for 20 epochs; hours without a GPU."
    )
    epochs: int | None = Field(
        default=None, ge=1, description="Epochs of the transformer; 6, or 20 with --full, if not stated."
    )
    n_boot: int = Field(default=2000, ge=100, description="Bootstrap resamples of groups.")


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


def _homeless(names: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return without_home(names) if isinstance(names, str) else tuple(map(without_home, names))


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Return one line for each setting that differs, "folds: 5 there, 4 asked for".

    Settings that may change (`RunConfig.MAY_CHANGE`) are left out.
    """
    if old.kind != new.kind:
        return [f"kind: {old.kind!r} there, {new.kind!r} asked for"]
    before, after = flatten(old.model_dump(mode="json")), flatten(new.model_dump(mode="json"))
    keys = sorted((set(before) | set(after)) - new.MAY_CHANGE)
    return [
        f"{key}: {before.get(key)!r} there, {after.get(key)!r} asked for"
        for key in keys
        if before.get(key) != after.get(key)
    ]
