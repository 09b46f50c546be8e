"""The prediction of one image, and what makes such predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import Field

from headtohead.core.records import Record

__all__ = ["RESEARCH_USE", "ImagePrediction", "ImagePredictor", "row_columns"]

RESEARCH_USE = "Research use only; not a medical device."
DIGITS = 6  # beyond them a probability depends on how many images shared a pass through the network


class ImagePrediction(Record):
    """A deployed model's prediction for one image, or the reason why there is none.

    Attributes:
        path: of the file as it was given, or its name.
        sha256: of the file's bytes; empty where they could not be read.
        probabilities: calibrated probability of each class; empty where there is an error.
        predicted: the class at the threshold; beyond two classes the most probable one.
        threshold: of the positive class; None beyond two classes.
        set: classes in the conformal set; empty also where the bundle has no quantiles.
        abstains: whether the set holds more or fewer than one class.
        flags: codes of what the guard noticed, such as "far_from_training".
        error: why there is no prediction.
    """

    path: str
    sha256: str = ""
    probabilities: dict[str, float] = Field(default_factory=dict)
    predicted: str | None = None
    threshold: float | None = None
    set: tuple[str, ...] = ()
    abstains: bool = False
    flags: tuple[str, ...] = ()
    error: str | None = None

    def to_row(self, classes: Sequence[str] = ()) -> dict[str, str | float | bool | None]:
        """Return the columns path, sha256, prob_<class>…, predicted, threshold, set, abstains, flags, error.

        Args:
            classes: of the model, so that a row with an error has the same columns as the others.
        """
        names = list(classes) or list(self.probabilities)
        found = {
            f"prob_{name}": round(self.probabilities[name], DIGITS) if name in self.probabilities else None
            for name in names
        }
        return {
            "path": self.path,
            "sha256": self.sha256,
            **found,
            "predicted": self.predicted,
            "threshold": None if self.threshold is None else round(self.threshold, DIGITS),
            "set": "|".join(self.set),
            "abstains": self.abstains,
            "flags": "|".join(self.flags),
            "error": self.error,
        }


class ImagePredictor(Protocol):
    """A model as a server or a report uses it: the part of `DeployedModel` that they need."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def contender(self) -> str:
        """What was trained, as `compare` names it."""

    @property
    def digest(self) -> str:
        """SHA-256 that stands for all files of the bundle."""

    @property
    def classes(self) -> Sequence[str]:
        """Class names, in the order of the probabilities."""

    @property
    def positive(self) -> str | None:
        """The class whose probability is compared with the threshold; None beyond two classes."""

    @property
    def estimate(self) -> Mapping[str, Any]:
        """Scores on data that it was not trained on, and caveats; JSON-able."""

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> Sequence[ImagePrediction]:
        """Return one prediction per (name, content), in order; an unreadable file is one with `error`."""


def row_columns(classes: Sequence[str]) -> list[str]:
    """Return the columns of a table of predictions.

    >>> row_columns(["no", "yes"])[2:5]
    ['prob_no', 'prob_yes', 'predicted']
    """
    return list(ImagePrediction(path="").to_row(classes))
