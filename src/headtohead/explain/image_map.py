"""The map of one image by one contender, in the image's own pixels, with the facts to read with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution
from headtohead.explain.placement import to_pixels
from headtohead.explain.words import describe

__all__ = ["EXACT", "INTEGRATED", "METHOD_WORDS", "ImageMap"]

EXACT = "contributions"
"""Name of the exact method."""

INTEGRATED = "integrated-contributions"
"""Name of the method that integrates gradients at an earlier stage."""

METHOD_WORDS = {
    EXACT: "exact contributions of places to the log-odds",
    INTEGRATED: "integrated contributions of the places of an earlier stage to the log-odds",
}
"""What the maps of a method are, in words; the other methods go by their names."""


@dataclass(frozen=True)
class ImageMap:
    """Where a contender found its evidence in one image.

    Attributes:
        sample: id of the image; contender: its name; method: how the map was made.
        classes: class names; label: the true one, empty where it is not known.
        attribution: the numbers over the network's input.
        box: what of the image the network saw; size: (H, W) of the image.
        recorded: log-odds of the target class in the run's table, or None outside a run.
        sanity: "not checked", "passed", or "failed: …" with the reason.
    """

    sample: str
    contender: str
    method: str
    classes: tuple[str, ...]
    attribution: Attribution
    box: Box
    size: tuple[int, int]
    label: str = ""
    recorded: float | None = None
    sanity: str = "not checked"

    @property
    def target(self) -> str:
        """The class whose log-odds are explained."""
        return self.classes[self.attribution.target]

    @property
    def probability(self) -> float:
        """Probability of the target class."""
        return float(1.0 / (1.0 + np.exp(-self.attribution.log_odds)))

    def pixels(self) -> npt.NDArray[np.float32]:
        """Return the map (H, W) float32; its sum is the localised part of the log-odds."""
        return to_pixels(self.attribution.grid, self.box, self.size)

    def density(self) -> npt.NDArray[np.float64]:
        """Return the grid (h, w) as contribution per 1 % of the area that the network saw.

        So maps of coarse and fine grids and of large and small images have one colour scale.
        """
        return np.asarray(self.attribution.grid * (self.attribution.grid.size / 100.0), dtype=np.float64)

    @property
    def words(self) -> str:
        """Where the evidence lies, how much of it, and how much has no place."""
        return describe(self.attribution, self.target, self.box, self.size)
