"""What becomes of log-odds and maps when parts of the image are hidden or shown, or the network forgets its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headtohead.explain.faithfulness.checks import rank_correlation, top_cells
from headtohead.explain.linear_model import LinearModel, explain_images
from headtohead.explain.methods.perturbation import mixed
from headtohead.preprocess.recipe import Prepared

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold
    from headtohead.explain.linear_head import LinearHead
    from headtohead.explain.run.contender_maps import ProbeMaps
    from headtohead.explain.run.head_maps import HeadMaps

__all__ = ["Shown", "mean_grey", "random_network_model"]

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Shown:
    """Images with their heads and maps.

    Attributes:
        model: the networks.
        images: as the recipe prepared them.
        heads: of each image the one whose map it is.
        grids: the maps, of the class 1.
    """

    model: LinearModel
    images: Sequence[Prepared]
    heads: Sequence[Sequence[LinearHead]]
    grids: Sequence[npt.NDArray[np.float64]]

    def changes(
        self, rng: np.random.Generator, replacement: Callable[[Pixels], Pixels], *, insert: bool = False
    ) -> list[float]:
        """Return of each image how much more the top places move the log-odds than as many random ones.

        Args:
            rng: draws the random places.
            replacement: what stands in place of what is hidden.
            insert: show only the places, of an image that is otherwise hidden, instead of hiding them.
        """
        changed = []
        for image, grid in zip(self.images, self.grids, strict=True):
            top = top_cells(grid)
            random = rng.permutation(top.ravel()).reshape(top.shape)
            hidden = replacement(image.pixels)
            for places in (top, random):
                kept = (places if insert else ~places).astype(np.float64)
                changed.append(Prepared(mixed(image.pixels, hidden, kept), image.box, image.history))
        twice = [own for own in self.heads for _ in range(2)]
        found = [one.log_odds for one in explain_images(self.model, changed, twice, [1] * len(changed))]
        gains = [top - random for top, random in zip(found[::2], found[1::2], strict=True)]
        return gains if insert else [-gain for gain in gains]

    def correlations(self, other: LinearModel, maps: HeadMaps, folds: Sequence[Fold]) -> list[float]:
        """Return of each image the rank correlation of its map with that of other networks under the same head.

        Args:
            other: the networks; maps: makes their maps.
            folds: of each image one that tested it.
        """
        found = maps(other, self.images, self.heads, folds)
        return [rank_correlation(grid, own[0].grid) for grid, own in zip(self.grids, found, strict=True)]


def mean_grey(pixels: Pixels) -> Pixels:
    """Return an image of its own mean, (H, W) or (H, W, 3)."""
    return np.asarray(np.broadcast_to(pixels.mean(axis=(0, 1)), pixels.shape), np.float32)


def random_network_model(maker: ProbeMaps, seed: int) -> LinearModel:
    """Return a contender's networks with random weights in place of learned ones."""
    from headtohead.backbones.load import load_backbone

    model = maker.model
    device = next(model.networks[0].parameters()).device
    networks = tuple(
        # not the run's own seed, by which a contender from scratch has its weights
        load_backbone(record.model_copy(update={"source": "scratch"}), seed=seed + 1, device=device)
        for record in model.records
    )
    return replace(model, networks=networks)
