"""What the server needs of a model: the shape of `headtohead.deploy.model.DeployedModel`, and no more of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["ImageResult", "ServableModel"]


class ImageResult(Protocol):
    """A model's prediction for one image, or the reason why there is none.

    The members are those of `headtohead.deploy.prediction.ImagePrediction`.
    """

    @property
    def sha256(self) -> str:
        """Of the file's bytes."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """Calibrated probability of each class; empty where the file could not be read."""

    @property
    def predicted(self) -> str | None:
        """The label at the threshold, or None."""

    @property
    def threshold(self) -> float | None:
        """Of the positive class, or None where the most probable class is taken."""

    @property
    def set(self) -> Sequence[str]:
        """The conformal set of classes."""

    @property
    def abstains(self) -> bool:
        """Whether the set holds more or less than one class."""

    @property
    def flags(self) -> Sequence[str]:
        """Codes of what the guard noticed."""

    @property
    def error(self) -> str | None:
        """Why there is no prediction."""


class ServableModel(Protocol):
    """A loaded model."""

    @property
    def name(self) -> str:
        """What it is called in addresses."""

    @property
    def digest(self) -> str:
        """SHA-256 that stands for all files of the bundle."""

    @property
    def classes(self) -> Sequence[str]:
        """Class names, in the order of the probabilities."""

    @property
    def positive(self) -> str | None:
        """The class whose probability is held against the threshold."""

    @property
    def estimate(self) -> Any:
        """Scores on data that it was not trained on, with the caveats of every answer; a record or a mapping."""

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> Sequence[ImageResult]:
        """Return one result per (name, content), in order; an unreadable file is a result with `error`."""
