"""How contenders are trained, as a study's configuration states it: settings, and the budget for choosing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from headtohead.core.config.training_settings import TrainingSettings
from headtohead.core.errors import NoEffectError, UsageError, unknown_name

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
        text = f"{self.minutes:g}"
        # `parse` reads no exponents, which stand for a million minutes and more, and for milliseconds
        return f"{f'{self.minutes:.9f}'.rstrip('0').rstrip('.') if 'e' in text else text} min"


class TrainConfig(TrainingSettings):
    """How `finetune` and its relatives train, as a study states it; nothing here looks at what is scored.

    `headtohead.training.settings.FinetuneSettings` is made from these for each contender: its mode and its
    family change rates by fixed factors.
    """

    budget: str | None = Field(
        default=None,
        description="What each contender may spend on choosing: trials per fold (8) or time in all (90s, 10min, "
        "1.5h).",
    )

    @field_validator("budget")
    @classmethod
    def _one_spelling(cls, budget: str | None) -> str | None:
        # "8" and "8 trials" are one setting of a run folder
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
        # A budget of time bounds no number of trials.
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
        known = set(TrainConfig.model_fields) - {"budget"}  # which --budget states
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
        # with the bounds of the field, which its annotation lacks
        kind: Any = Annotated[field.annotation, field]
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise UsageError(f"--set finetune.{name}={text} does not fit: {why}.") from error
