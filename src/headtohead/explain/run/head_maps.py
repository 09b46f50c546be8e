"""Maps of images under several heads each, by either method whose parts sum to the log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import EXACT, INTEGRATED
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.linear_model import LinearModel, explain_heads
from headtohead.explain.methods.integrated import integrated_contributions, stage_output
from headtohead.explain.methods.scored_network import ScoredNetwork

if TYPE_CHECKING:
    from torch import Tensor, nn

    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.splits.folds import Fold
    from headtohead.explain.run.finished import FinishedRun
    from headtohead.preprocess.recipe import Prepared

__all__ = ["SUMS", "HeadMaps", "averages_of", "stage_averages"]

SUMS = (EXACT, INTEGRATED)
"""Methods whose maps are in log-odds, so that all contenders share one scale."""
IMAGES = 256  # evenly spread over the run; an average of at least a hundred images hardly moves with more
BATCH = 8


def averages_of(
    network: nn.Module, record: BackboneRecord, run: FinishedRun
) -> dict[tuple[int, int], Tensor]:
    """Return `stage_averages`, computed once for each network of a run."""
    key = f"average image, network {id(network)}"
    if key not in run.makers:
        # the network stays, and with it its id
        run.makers[key] = (network, stage_averages(network, record, run))
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


def stage_averages(
    network: nn.Module, record: BackboneRecord, run: FinishedRun
) -> dict[tuple[int, int], Tensor]:
    """Return for each (repeat, fold) the mean activations at the explained stage, over its training images.

    Labels do not count.

    Args:
        network: a backbone in evaluation mode; record: how its input is made.
        run: gives images and folds.

    Raises:
        UsageError: the network does not tell its stages.
    """
    import torch

    from headtohead.backbones.features.input_transform import to_network_input

    device = next(network.parameters()).device
    trained = np.unique(np.concatenate([fold.train for fold in run.folds]))
    chosen = trained[:: -(-len(trained) // IMAGES)]
    sums: dict[tuple[int, int], Tensor] = {}
    counts: dict[tuple[int, int], int] = {}
    starts = range(0, len(chosen), BATCH)
    for start in run.reporter.progress(starts, f"average image of {record.name}", len(starts)):
        part = chosen[start : start + BATCH]
        inputs = np.stack([to_network_input(run.prepared(int(index)).pixels, record) for index in part])
        found = stage_output(network, torch.from_numpy(inputs).to(device)).double()
        for fold in run.folds:
            inside = np.isin(part, fold.train)
            if inside.any():
                key = (fold.repeat, fold.fold)
                added = found[torch.from_numpy(inside).to(device)].sum(dim=0)
                sums[key] = sums[key] + added if key in sums else added
                counts[key] = counts.get(key, 0) + int(inside.sum())
    return {key: (total / counts[key]).float() for key, total in sums.items()}
