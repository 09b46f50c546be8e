"""How contenders are trained, as a study's configuration states it: settings, and the budget for choosing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from headtohead.core.errors import NoEffectError, UsageError, unknown_name
from headtohead.core.records import Record

__all__ = ["Budget", "TrainConfig", "parse_overrides"]

AMOUNT = re.compile(r"^(?P<number>\d+(?:\.\d+)?) *(?P<unit>|trials?|s|min|h)$")
MINUTES = {"s": 1 / 60, "min": 1.0, "h": 60.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """What each contender may spend on choosing: so many trials per cell, or so many minutes in all.

    Attributes:
        trials: combinations of settings that are tried in each cell, the stated one included.
        minutes: of the whole contender, its final trainings included; every cell has an equal share.
    """

    trials: int | None = None
    minutes: float | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read "8", "8 trials", "10min", "1.5h" or "90s".

        Raises:
            UsageError: anything else, or nothing at all.

        >>> Budget.parse("8").trials, Budget.parse("1.5h").minutes
        (8, 90.0)
        """
        found = AMOUNT.match(text.strip())
        if found is None or float(found["number"]) <= 0:
            raise UsageError(f"Got the budget {text!r}; expected trials (8) or time (90s, 10min, 1.5h).")
        if found["unit"] in MINUTES:
            return cls(minutes=float(found["number"]) * MINUTES[found["unit"]])
        if "." in found["number"]:
            raise UsageError(f"Got the budget {text!r}; trials are whole, such as 8.")
        return cls(trials=int(found["number"]))

    def __str__(self) -> str:
        if self.trials is not None:
            return f"{self.trials} trial{'s' if self.trials > 1 else ''}"
        return f"{self.minutes:g} min"


class TrainConfig(Record):
    """How `finetune` and its relatives train; nothing here looks at what is scored.

    What each setting means stands at `headtohead.training.settings.FinetuneSettings`, which is made from
    these for each contender (its mode and its family change rates by fixed factors).

    Attributes:
        policy: "rate" chooses the learning rate among a third of the stated one, itself and three times it, on
            an inner grouped fold of the training part; "fixed" chooses nothing; "inner" chooses the epoch
            as well, and whatever a budget pays for.
        trials: combinations tried inside for each contender that is fine-tuned.
        budget: the same for every contender, probes included: "8 trials" per cell or "10 min" in all.
        clip: largest norm of the gradient; 0 for none.
        inner_folds: times that the fixed policy is repeated on inner folds to get inner probabilities;
            0 for only where a weighted or stacked ensemble needs them.
    """

    epochs: int = Field(default=20, ge=1, description="Epochs of fine-tuning.")
    batch: int = Field(default=16, ge=2, description="Images per step.")
    learning_rate: float = Field(
        default=1e-4,
        gt=0,
        description="Peak learning rate of a transformer's last block; a CNN takes 5 times it.",
    )
    learning_rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(), description="Peak rates to choose from, inside the training part."
    )
    layer_decay: float = Field(
        default=0.75, gt=0, le=1, description="Factor on the learning rate from each layer to the one below."
    )
    weight_decay: float = Field(default=0.05, ge=0, description="Decoupled weight decay (AdamW).")
    warmup: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the steps over which the rate rises."
    )
    label_smoothing: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the target spread over all classes."
    )
    mixup: float = Field(default=0.0, ge=0, description="Alpha of mixup; 0 for none.")
    cutmix: float = Field(default=0.0, ge=0, description="Alpha of CutMix; 0 for none.")
    ema: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Decay of an exponential moving average of the weights; none if not stated.",
    )
    drop_path: float = Field(default=0.0, ge=0, lt=1, description="Rate of stochastic depth.")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout before the classifier.")
    clip: float = Field(default=1.0, ge=0, description="Largest norm of the gradient; 0 for none.")
    balance: Literal["none", "loss", "sampler"] = Field(
        default="none",
        description="How classes are balanced while training, probes included: none, loss (class weights) or sampler. "
        "Probabilities stay at the class frequencies of the training part.",
    )
    batch_norm: Literal["frozen", "train"] = Field(
        default="frozen", description="Statistics of batch normalisation: frozen, or train."
    )
    head_start: Literal["probe", "random"] = Field(
        default="probe", description="Initial classifier: that of the linear probe, or random."
    )
    lora_rank: int = Field(default=8, ge=1, description="Rank of low-rank adapters.")
    augment: str = Field(
        default="auto",
        description="Augmentation preset of fine-tuning: auto (the same as light), light, mri, xray, ultrasound, "
        "histology, photo, study or none; augment-preview shows them.",
    )
    flip_test: bool = Field(
        default=True,
        description="Average predictions with those of the flipped image, where the preset flips.",
    )
    policy: Literal["rate", "fixed", "inner"] = Field(
        default="rate",
        description="What is chosen on an inner fold: rate (the learning rate, of 1/3, 1 and 3 times the stated "
        "one), inner (the epoch, too, and more under a budget, which implies it) or fixed (nothing; a third "
        "of the time).",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Epochs without improvement on the inner fold after which training stops; needs the policy "
        "inner.",
    )
    trials: int = Field(default=1, ge=1, description="Combinations of settings tried inside each fold.")
    tuner: Literal["random", "optuna"] = Field(
        default="random",
        description="Who proposes the trials: random (a seeded draw) or optuna (extra 'tune').",
    )
    inner_folds: int = Field(
        default=0,
        ge=0,
        description="Inner trainings for inner probabilities; 0 for only where an ensemble needs them.",
    )
    budget: str | None = Field(
        default=None,
        description="What each contender may spend on choosing: trials per fold (8) or time in all (90s, 10min, "
        "1.5h).",
    )
    workers: int = Field(default=0, ge=0, description="Threads that prepare images; no result depends on it.")

    @field_validator("budget")
    @classmethod
    def _one_spelling(cls, budget: str | None) -> str | None:
        return None if budget is None else str(Budget.parse(budget))

    @model_validator(mode="after")
    def _no_idle_setting(self) -> Self:
        if self.budget is not None and self.policy != "inner":
            raise NoEffectError(
                f"A budget is spent on choosing, and the policy {self.policy!r} has no use for one. "
                "Use the policy 'inner', or leave the budget out."
            )
        if self.budget is not None and self.trials > 1:
            raise NoEffectError(
                f"Got trials = {self.trials} and a budget of {self.budget}; state one of them."
            )
        if self.budget is not None and len(self.learning_rates) > (self.effective_budget.trials or 1e9):
            raise NoEffectError(
                f"A budget of {self.budget} cannot try {len(self.learning_rates)} learning rates; raise it, "
                "or state fewer."
            )
        if self.tuner != "random" and self.trials == 1 and self.effective_budget.trials == 1:
            raise NoEffectError(
                f"The tuner {self.tuner!r} would have no effect with one trial; give a budget, such as --budget 8."
            )
        return self

    @property
    def effective_budget(self) -> Budget:
        """The budget, or the trials that stand for it."""
        return Budget(trials=self.trials) if self.budget is None else Budget.parse(self.budget)


def parse_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Read "finetune.epochs=10" words; each value is typed as its setting asks.

    Raises:
        UsageError: no "=", another section, an unknown setting, a value that does not fit.
        NoEffectError: a setting stated twice.

    >>> parse_overrides(["finetune.epochs=10", "finetune.learning_rates=1e-4,3e-4"])
    {'epochs': 10, 'learning_rates': (0.0001, 0.0003)}
    """
    found: dict[str, Any] = {}
    for word in words:
        key, mark, text = word.partition("=")
        section, dot, name = key.strip().partition(".")
        if not mark or not dot or not text.strip():
            raise UsageError(f"--set got {word!r}; expected finetune.NAME=VALUE, such as finetune.epochs=10.")
        if section != "finetune":
            raise unknown_name("section for --set", section, ["finetune"])
        known = set(TrainConfig.model_fields) - {"budget"}
        if name not in known:
            raise unknown_name("setting of finetune", name, known)
        if name in found:
            raise NoEffectError(f"--set states finetune.{name} twice; state it once.")
        found[name] = _typed(name, text.strip())
    return found


def _typed(name: str, text: str) -> Any:
    """Return the text as the type of a setting."""
    field = TrainConfig.model_fields[name]
    given: Any = tuple(part for part in text.split(",") if part) if name == "learning_rates" else text
    if text.lower() == "none" and field.default is None:
        return None
    try:
        kind: Any = Annotated[field.annotation, field]
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise UsageError(f"--set finetune.{name}={text} does not fit: {why}.") from error
