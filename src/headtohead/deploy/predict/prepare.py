"""From a file's bytes to the inputs of the network, with the same readers and steps as in training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Box, Image
from headtohead.data.readers import DEFAULT_LIMITS, Limits, read_image
from headtohead.data.readers.planes import CHANNELS
from headtohead.data.readers.reading import Reading
from headtohead.deploy.bundle.records import InputSpec, PreprocessorConfig
from headtohead.preprocess.recipe import Prepared

__all__ = ["PreparedImage", "Preprocessor"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PreparedImage:
    """An image ready for the network.

    Attributes:
        name: of the file. sha256: of its bytes.
        image: as decoded, for the page and the guard.
        prepared: after the first recipe: pixels, box and history.
        inputs: (3, S, S) float32, one for each input of the bundle.
    """

    name: str
    sha256: str
    image: Image
    prepared: Prepared
    inputs: tuple[Floats, ...]

    @property
    def box(self) -> Box:
        """The part of the image that the network sees."""
        return self.prepared.box


class Preprocessor:
    """Prepares images as a bundle's preprocessor_config.json says; needs no torch."""

    def __init__(self, config: PreprocessorConfig) -> None:
        self.config = config
        self._reading = Reading(config.volume, config.channels)
        self._recipes = [spec.recipe() for spec in config.recipes]

    def from_bytes(self, name: str, content: bytes, limits: Limits = DEFAULT_LIMITS) -> PreparedImage:
        """Decode a file and prepare its image; nothing is written.

        Raises:
            UnreadableError: with the reason; also where the model was trained on chosen channels and the file has none
                to choose from, unless there were such files in training.
        """
        image = read_image(content, limits=limits, reading=self._reading)
        plain = image.format in self.config.plain_formats
        if self.config.channels and CHANNELS not in image.facts and not plain:
            names = ", ".join(map(str, self.config.channels))
            raise UnreadableError(
                f"the model was trained on channels {names} (from 0) of files that hold several; this file, "
                f"{image.format}, has none to choose from, so its colours would be taken for others"
            )
        return self.from_image(name, image, hashlib.sha256(content).hexdigest())

    def from_image(self, name: str, image: Image, sha256: str) -> PreparedImage:
        """Prepare a decoded image.

        Raises:
            UnreadableError: it holds values that are not finite.
        """
        if not np.isfinite(image.pixels).all():
            raise UnreadableError("it holds pixels that are not finite")
        prepared = [recipe.apply(image) for recipe in self._recipes]
        return PreparedImage(name, sha256, image, prepared[0], self.inputs_of(prepared))

    def inputs_of(self, prepared: Sequence[Prepared]) -> tuple[Floats, ...]:
        """Return the network's inputs of an image after each recipe."""
        return tuple(_to_input(prepared[spec.recipe], spec) for spec in self.config.inputs)


def _to_input(prepared: Prepared, spec: InputSpec) -> Floats:
    from headtohead.backbones.features.input_transform import normalise, resize_to_input

    return normalise(resize_to_input(prepared.pixels, spec, aspect=spec.aspect), spec)
