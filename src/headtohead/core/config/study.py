"""The configuration of `compare`."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from headtohead.core.config.run import RunConfig
from headtohead.core.config.training import TrainConfig

__all__ = ["StudyConfig"]


def _repeats(value: Any) -> Any:
    """Return "auto" or a whole number from 1, which a command line gives as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value.strip()):
        value = int(value)
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"got {value!r}; expected auto or a whole number from 1")


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
        "torch in fp32), or auto: openvino where it is installed, pays for so many images and agrees, else torch.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda or mps.")
    train: TrainConfig = Field(default_factory=TrainConfig)
