"""What travels inside an exported file: all that stands between an image's bytes and the answer, but the network."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from headtohead.backbones.features.input_transform import Aspect, to_network_input
from headtohead.backbones.record import BackboneRecord
from headtohead.core.errors import UsageError
from headtohead.core.records import Image, Record
from headtohead.deploy.export.parity import Parity
from headtohead.preprocess.recipe import Recipe, step

__all__ = ["FORMAT", "ExportDocument", "NetworkInput", "RecipeSteps"]

FORMAT = 1
Floats = npt.NDArray[np.float32]


class RecipeSteps(Record):
    """A recipe as data: its name, and each step with its numbers."""

    name: str
    steps: tuple[tuple[str, dict[str, int | float]], ...] = ()

    @classmethod
    def of(cls, recipe: Recipe) -> RecipeSteps:
        """Return a recipe as data."""
        return cls(name=recipe.name, steps=tuple((one.name, dict(one.params)) for one in recipe.steps))

    def recipe(self) -> Recipe:
        """Return the recipe itself."""
        return Recipe(self.name, tuple(step(name, **params) for name, params in self.steps))


class NetworkInput(Record):
    """What the network asks of a prepared image: side in pixels, scale, interpolation."""

    input_size: int = Field(gt=0)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    aspect: Aspect = "squash"

    @classmethod
    def of(cls, record: BackboneRecord, aspect: Aspect = "squash") -> NetworkInput:
        """Return what a backbone's weights ask for."""
        return cls(
            input_size=record.input_size,
            mean=record.mean,
            std=record.std,
            interpolation=record.interpolation,
            aspect=aspect,
        )


class ExportDocument(Record):
    """The description inside an exported file.

    Attributes:
        name, digest: of the bundle it was made from.
        version: of headtohead that made it.
        classes: in the order of the network's outputs.
        positive: the class whose probability is held against the threshold; None takes the most probable class.
        threshold: from which the positive class is predicted.
        temperature: the logits are divided by it before the softmax (Guo et al. 2017).
        estimate: scores on data that the model was not trained on, with the caveats that go with every answer.
        parity: how the file's answers differ from the bundle's.
        bundle: further documents of the bundle by file name, as they stand there.
    """

    format: int = FORMAT
    name: str
    digest: str
    version: str
    classes: tuple[str, ...] = Field(min_length=2)
    positive: str | None = None
    threshold: float | None = Field(default=None, ge=0, le=1)
    temperature: float = Field(default=1.0, gt=0)
    recipe: RecipeSteps
    network_input: NetworkInput
    estimate: dict[str, Any] = Field(default_factory=dict)
    parity: Parity | None = None
    bundle: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, name: str = "The file") -> ExportDocument:
        """Read the document of an exported file.

        Raises:
            UsageError: a newer format, or no document of ours.
        """
        try:
            found = json.loads(text)
            if isinstance(found, dict) and isinstance(found.get("format"), int) and found["format"] > FORMAT:
                raise UsageError(
                    f"{name} was exported in format {found['format']}; this headtohead reads up to {FORMAT}. Update it."
                )
            return cls.model_validate(found)
        except (json.JSONDecodeError, ValidationError) as error:
            raise UsageError(
                f"{name} holds a description that cannot be read ({type(error).__name__})."
            ) from error

    def prepare(self, image: Image) -> Floats:
        """Return one image as the network takes it, (3, S, S): recipe, size and scale, by the code of training."""
        pixels = self.recipe.recipe().apply(image).pixels
        return to_network_input(pixels, self.network_input, aspect=self.network_input.aspect)

    def probabilities(self, logits: Floats) -> npt.NDArray[np.float64]:
        """Return calibrated probabilities (n, k) of logits (n, k)."""
        scaled = logits.astype(np.float64) / self.temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def label(self, row: npt.NDArray[np.float64]) -> str:
        """Return the predicted class of one row of probabilities."""
        if self.positive is None or self.threshold is None or len(self.classes) != 2:
            return self.classes[int(row.argmax())]
        place = self.classes.index(self.positive)
        return self.classes[place if row[place] >= self.threshold else 1 - place]
