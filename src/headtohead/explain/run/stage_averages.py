"""What the stage below a network's last gives for the average training image of each fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headtohead.explain.methods.integrated import stage_output

if TYPE_CHECKING:
    from torch import Tensor, nn

    from headtohead.backbones.record import BackboneRecord
    from headtohead.explain.run.finished import FinishedRun

__all__ = ["stage_averages"]

IMAGES = 256  # evenly spread over the run; an average of at least a hundred images hardly moves with more
BATCH = 8


def stage_averages(
    network: nn.Module, record: BackboneRecord, run: FinishedRun
) -> dict[tuple[int, int], Tensor]:
    """Return for each (repeat, fold) the mean activations at the stage below the last, over its training images.

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
