"""Maps of images under several heads each, by either method whose parts sum to the log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import EXACT
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.linear_model import LinearModel, explain_heads
from headtohead.explain.methods.integrated import INTEGRATED, integrated_contributions
from headtohead.explain.methods.scored_network import ScoredNetwork
from headtohead.explain.run.stage_averages import stage_averages

if TYPE_CHECKING:
    from torch import Tensor, nn

    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.splits.folds import Fold
    from headtohead.explain.run.finished import FinishedRun
    from headtohead.preprocess.recipe import Prepared

__all__ = ["SUMS", "HeadMaps", "averages_of"]

SUMS = (EXACT, INTEGRATED)
"""Methods whose maps are in log-odds, so that all contenders share one scale."""


def averages_of(
    network: nn.Module, record: BackboneRecord, run: FinishedRun
) -> dict[tuple[int, int], Tensor]:
    """Return `stage_averages`, computed once for each network of a run."""
    key = f"average image, network {id(network)}"
    if key not in run.makers:
        run.makers[key] = (
            network,
            stage_averages(network, record, run),
        )  # the network stays, and with it its id
    found: dict[tuple[int, int], Tensor] = run.makers[key][1]
    return found


class HeadMaps:
    """Makes maps of the class 1 by one method.

    Args:
        method: of `SUMS`.
        run: the finished run, whose folds say which images a head was fitted on.
    """

    def __init__(self, method: str, run: FinishedRun) -> None:
        self.method, self.run = method, run

    def __call__(
        self,
        model: LinearModel,
        images: Sequence[Prepared],
        heads: Sequence[Sequence[LinearHead]],
        folds: Sequence[Fold],
    ) -> list[list[Attribution]]:
        """Return for each image the maps under each of its heads.

        Args:
            model: the networks; for integrated contributions one.
            images: as the recipe prepared them.
            heads: of each image; folds: of each image one that tested it.
        """
        if self.method == EXACT:
            return explain_heads(model, images, heads, [1] * len(images))
        (network,), (record,) = model.networks, model.records
        averages = averages_of(network, record, self.run)
        return [
            [
                integrated_contributions(
                    ScoredNetwork(network, record, head, 1, averages[fold.repeat, fold.fold]), image.pixels
                )
                for head in own
            ]
            for image, own, fold in zip(images, heads, folds, strict=True)
        ]
