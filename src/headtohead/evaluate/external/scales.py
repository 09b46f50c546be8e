"""Scales of the scores in prediction files (probability, percent, logit, ordinal) and their transformations."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import special

from headtohead.core.errors import unknown_name
from headtohead.core.formatting import pluralize

__all__ = ["BOUNDS", "NOUNS", "SCALES", "Scale", "as_scale", "class_probabilities", "positive_probabilities"]

Scale = Literal["probability", "percent", "logit", "ordinal"]
SCALES: tuple[Scale, ...] = get_args(Scale)

BOUNDS: dict[Scale, tuple[float, float]] = {
    "probability": (0, 1),
    "percent": (0, 100),
    "logit": (-np.inf, np.inf),
    "ordinal": (-np.inf, np.inf),
}
"""The range in which the numbers of each scale lie."""

NOUNS: dict[Scale, str] = {
    "probability": "probabilities",
    "percent": "percentages",
    "logit": "logits",
    "ordinal": "numbers",
}
"""What the numbers of each scale are called."""


def as_scale(name: str) -> Scale:
    """Return the scale of that name.

    Raises:
        UnknownNameError: there is none.
    """
    for scale in SCALES:
        if scale == name:
            return scale
    raise unknown_name("scale for --score", name, SCALES)


def positive_probabilities(
    numbers: pd.Series, model: pd.Series, scale: Scale, notes: list[str]
) -> tuple[pd.Series, pd.Series]:
    """Return the probabilities of the positive class and of the other one.

    A logit is log(p / (1 - p)), natural. Ordinal scores become their place among the different scores of their model,
    (place - 1/2) / number: no probability, but a number from 0 to 1 in the same order and with the same ties.

    Args:
        numbers: one per line; percentages are divided by 100 already.
        model: of each line.
        notes: gets a sentence where different logits become one probability.
    """
    if scale == "logit":
        positive = pd.Series(special.expit(numbers), index=numbers.index)
        lost = sum(part.nunique() - positive[part.index].nunique() for _, part in numbers.groupby(model))
        if lost:
            notes.append(
                f"{pluralize(int(lost), 'logit')} so large that the probability is the same as another's, 1 to sixteen "
                "digits: they count as ties. --score ordinal keeps their order."
            )
        # 1 - p is 0 from a logit of 37 on.
        return positive, pd.Series(special.expit(-numbers), index=numbers.index)
    if scale == "ordinal":
        of_model = numbers.groupby(model)
        numbers = (of_model.rank(method="dense") - 0.5) / of_model.transform("nunique")
    return numbers, 1 - numbers


def class_probabilities(numbers: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Return the probabilities of all classes from one column each; logits by the softmax."""
    return numbers if scale != "logit" else numbers.apply(special.softmax, axis=1, result_type="broadcast")
