"""Whether an exported model gives the same answers as the bundle: from the file's bytes to probability and label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from headtohead.core.errors import PrecisionError, UsageError
from headtohead.core.records import Record

__all__ = ["MAX_DIFFERENCE", "Answers", "Parity", "compare_answers"]

# Far below what a probability is read to, and some hundred times what float32 in another order of summation
# makes (1e-6 to 1e-5 in every network of the catalogue).
MAX_DIFFERENCE = 1e-3
# A label may only flip where the probability lies on the threshold itself, within float32's rounding.
ROUNDING = 1e-5

Floats = npt.NDArray[np.float64]


class Answers(Protocol):
    """What a model said about images."""

    @property
    def probabilities(self) -> Floats:
        """(n, k)."""

    @property
    def labels(self) -> Sequence[str]:
        """The n predicted classes."""

    @property
    def margins(self) -> Floats:
        """(n,): how far each decision is from tipping, in probability."""


class Parity(Record):
    """How an exported model's answers differ from the bundle's on the same files.

    Attributes:
        images: what kind they were, in words.
        max_difference: largest difference of a probability.
        flipped: images whose label differs.
        flipped_outside_rounding: those of them whose probability was not on the threshold itself.
        worst: name of the image with the largest difference.
        int8: whether weights and activations were cut to 8 bits, by request; then nothing is refused.
    """

    n_images: int = Field(gt=0)
    images: str
    max_difference: float
    mean_difference: float
    flipped: int
    flipped_outside_rounding: int
    worst: str
    tolerance: float = MAX_DIFFERENCE
    int8: bool = False

    @property
    def holds(self) -> bool:
        """Whether the differences are rounding and nothing else."""
        return self.max_difference <= self.tolerance and self.flipped_outside_rounding == 0

    def __str__(self) -> str:
        return (
            f"{self.n_images} {self.images}: largest difference of a probability {self.max_difference:.1e}, "
            f"{self.flipped} labels differ"
        )

    def require(self, name: str) -> None:
        """Refuse an export that answers differently.

        Raises:
            PrecisionError: beyond the tolerance, or a label flipped outside rounding.
        """
        if self.holds or self.int8:
            return
        raise PrecisionError(
            f"{name} does not answer as the bundle does: {self} (worst: {self.worst}; allowed are "
            f"{self.tolerance:g} and no flipped label outside rounding). Nothing was written. Serve the bundle "
            "itself, or export to another format."
        )


def compare_answers(
    bundle: Answers, exported: Answers, names: Sequence[str], *, images: str = "images", int8: bool = False
) -> Parity:
    """Compare the answers of two runtimes image by image.

    Args:
        names: of the images, as rows of both.
        images: what kind they are, in words.

    Raises:
        UsageError: no images, or not the same number.
    """
    ours, theirs = bundle.probabilities, exported.probabilities
    if not len(names) or ours.shape != theirs.shape or len(ours) != len(names):
        raise UsageError(
            f"Got answers of shapes {ours.shape} and {theirs.shape} for {len(names)} images; expected equal."
        )
    gap = np.abs(ours - theirs).max(axis=1)
    gap = np.where(np.isfinite(gap), gap, np.inf)  # a NaN is the worst of all, and named as such
    flipped = np.array([a != b for a, b in zip(bundle.labels, exported.labels, strict=True)])
    outside = flipped & (np.asarray(bundle.margins) > ROUNDING)
    return Parity(
        n_images=len(names),
        images=images,
        max_difference=float(gap.max()),
        mean_difference=float(gap.mean()),
        flipped=int(flipped.sum()),
        flipped_outside_rounding=int(outside.sum()),
        worst=names[int(gap.argmax())],
        int8=int8,
    )
