"""The base of all JSON records, and a score or test result with what makes it readable."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Record", "Score", "ScoreWarning", "TestResult"]


class Record(BaseModel):
    """A frozen JSON record that refuses unknown fields and non-finite numbers in its output."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class ScoreWarning(Record):
    """Why an interval may be too narrow.

    Attributes:
        code: few_groups (fewer than ten groups in all), few_class_groups (fewer than ten of the rarer
            class), few_in_denominator (fewer than ten in a share's denominator), few_degrees (a few
            groups make up most of the variance) or lost_resamples (more than a fifth lacked a class).
    """

    code: Literal["few_groups", "few_class_groups", "few_in_denominator", "few_degrees", "lost_resamples"]
    text: str = Field(min_length=1)


class Score(Record):
    """A number that cannot exist without its interval, its n and its method.

    Either `value`, `low` and `high` are all finite, or the value is not defined: then `value` is
    None and `note` says why (a one-sided bound may still stand in `low` or `high`).
    """

    contender: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n_samples: int = Field(ge=0)
    n_groups: int = Field(ge=0)
    method: str = Field(min_length=1)
    level: float = Field(default=0.95, gt=0, lt=1)
    note: str = ""
    warnings: tuple[ScoreWarning, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        numbers = (self.value, self.low, self.high)
        finite = [n is not None and math.isfinite(n) for n in numbers]
        if self.value is None and not self.note:
            raise ValueError("a score without a value must say why in `note`")
        if self.value is not None and not all(finite):
            raise ValueError(f"a score needs value, low and high, all finite; got {numbers}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"interval upside down: {self.low} > {self.high}")
        return self

    def __repr__(self) -> str:
        return f"Score({self.contender}, {self.metric}: {self})"

    def __str__(self) -> str:
        if self.value is None:
            return f"not defined ({self.note})"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class TestResult(Record):
    """One test's statistic and p-value; `note` says its unit, or why it is not defined.

    Attributes:
        of: the quantity that is tested, such as "AUROC" or "accuracy at 0.5".
        role: "decides" for the one that the rule uses, "same" for tests of the same quantity, "other" for the rest.
        ignores_groups: whether samples are taken as independent although groups hold several.
    """

    __test__ = False  # keeps pytest from collecting the class

    statistic: float | None
    p_value: float | None = Field(default=None, ge=0, le=1)
    note: str = ""
    of: str = ""
    role: Literal["decides", "same", "other"] = "same"
    ignores_groups: bool = False
