"""Contributions of the places of an earlier stage, integrated from the average training image.

The last map of a network has mixed places: a small spot at the edge is read one or two cells further inside, and the
patch tokens of a transformer have seen the whole image. Earlier places are finer and less mixed. Along the straight
path from the average training image's activations at that stage to those of this image, the score changes by the
integral of slope times step; each place's part of it is its contribution (Sundararajan et al. 2017, in the form for
inner layers of Leino et al. 2018). The parts sum to the log-odds less those at the average activations.

Single patch tokens of a transformer are noisy, and a thing that lies across the border of two patches is read in one of
them. So its map is the mean of three, of the image and of it moved by half a patch along the diagonal to either side,
and each place shares with its neighbours; what the log-odds of the moved images differ from those of the image itself
has no place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.errors import UsageError
from headtohead.explain.attribution import Attribution

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor, nn

    from headtohead.explain.methods.scored_network import ScoredNetwork

__all__ = ["integrated_contributions", "stage_below", "stage_output"]

# Midpoints of the path. Convolutional networks are nearly piecewise linear, so their slope jumps along the path; on
# synthetic heads 16 leave 0.17 of mean log-odds of 2.3 (8 leave 0.37). Those of transformers are smooth.
MAP_STEPS, TOKEN_STEPS = 16, 4
# Half patches, down and right, by which the image of a transformer is moved. Without the first, the image itself, a
# marker as small as a patch is found in 76 in place of 94 % of images (seed 29 of benchmarks/planted_maps.py).
MOVES = ((0, 0), (1, 1), (-1, -1))
# Relative, of the score when the image's activations are put into another image: else later layers read more than them.
SAME = 1e-3


def stage_below(network: Any) -> nn.Module:
    """Return the stage below the last of a convolutional network, the block at half of the depth of a transformer.

    Raises:
        UsageError: the network does not tell its stages.
    """
    if network.is_tokens:
        from headtohead.explain.decomposition.tokens import blocks_of

        blocks = blocks_of(network.body)
        return blocks[len(blocks) // 2]
    stages: Any = getattr(network.body, "feature_info", None)
    stages = getattr(stages, "info", stages)
    if not stages or len(stages) < 2 or "module" not in stages[-2]:
        raise _no_stage(network)
    found: nn.Module = network.body.get_submodule(stages[-2]["module"])
    return found


def stage_output(network: Any, x: Tensor) -> Tensor:
    """Return what the stage gives for normalised images (B, 3, S, S): maps or tokens.

    Raises:
        UsageError: the network does not tell its stages.
    """
    import torch

    with torch.no_grad(), _stage(network) as seen:
        network(x)
    return seen[-1]


def integrated_contributions(model: ScoredNetwork, pixels: npt.NDArray[np.float32]) -> Attribution:
    """Return the contributions of places to the log-odds of one image, in log-odds.

    Args:
        model: network, head, class, and the average training image's activations as its reference.
        pixels: the prepared image.

    Returns:
        an attribution whose offset is the log-odds at the reference; prefix tokens and what the steps of the
        integration leave have no place.

    Raises:
        UsageError: no reference, a network that does not tell its stages, or one that reads earlier stages too.
    """
    import torch

    if model.reference is None:
        raise UsageError("Integrated contributions need the average training image; got no reference.")
    network: Any = model.network
    x = model.input_of(pixels)
    with torch.no_grad():
        whole = float(model.log_odds(x)[0])
    moves = MOVES if network.is_tokens else ((0, 0),)
    grids, prefixes, ends, start = [], [], [], 0.0
    for move in moves:
        moved = _moved(x, move, _cells(model.reference, network))
        grid, prefix, start, end = _one_view(model, model.reference, moved)
        grids.append(_shared(_moved_back(grid, move)) if network.is_tokens else grid)
        prefixes.append(prefix)
        ends.append(end)
    mean, prefix, end = np.mean(grids, axis=0), float(np.mean(prefixes)), float(np.mean(ends))
    elsewhere = {"integration": end - start - float(mean.sum()) - prefix}
    if network.is_tokens:
        elsewhere["moved images"] = whole - end
        if network.n_prefix:
            elsewhere["class token"] = prefix
    return Attribution(mean, model.target, whole, start, elsewhere)


def _one_view(
    model: ScoredNetwork, average: Tensor, x: Tensor
) -> tuple[npt.NDArray[np.float64], float, float, float]:
    """Return the grid of one image, what its prefix tokens hold, and the score at both ends of the path.

    Args:
        model: network, head and class. average: activations of the average training image, without the batch.
        x: (1, 3, S, S), normalised.
    """
    import torch

    network: Any = model.network
    with torch.no_grad(), _stage(network) as seen:
        whole = float(model.log_odds(x)[0])
    place = seen[-1]
    reference = average.to(place)
    steps = TOKEN_STEPS if network.is_tokens else MAP_STEPS
    at = torch.cat([torch.tensor([0.0, 1.0]), (torch.arange(steps) + 0.5) / steps]).to(place)
    way = place - reference
    path = (reference + at.reshape(-1, *([1] * (place.ndim - 1))) * way).requires_grad_(True)
    # below the stage runs another image, which nothing above may notice
    with torch.enable_grad(), _stage(network, path):
        values = model.log_odds(torch.zeros_like(x))
    (slope,) = torch.autograd.grad(values[2:].sum(), path)
    start, end = (float(value) for value in values[:2].detach())
    if abs(end - whole) > SAME * max(1.0, abs(whole)):
        raise _no_stage(network)
    found = (slope[2:].double().mean(dim=0) * way[0].double()).detach().cpu().numpy()
    prefix = float(found[: network.n_prefix].sum()) if network.is_tokens else 0.0
    return _grid(network, found), prefix, start, end


def _grid(network: Any, found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (h, w): the sum over channels, patch tokens laid out."""
    if network.is_tokens:
        patches = found[network.n_prefix :].sum(axis=-1)
        side = round(len(patches) ** 0.5)
        if side * side != len(patches):
            raise _no_stage(network)
        return np.asarray(patches.reshape(side, side), dtype=np.float64)
    return np.asarray(found.sum(axis=-1 if network.is_nhwc else 0), dtype=np.float64)


def _cells(reference: Tensor, network: Any) -> int:
    """Return how many patches lie along a side; 1 for maps, which are not moved."""
    return round((len(reference) - network.n_prefix) ** 0.5) if network.is_tokens else 1


def _moved(x: Tensor, move: tuple[int, int], cells: int) -> Tensor:
    """Return images (B, 3, S, S) moved by half patches down and right; what is new at the edge repeats the edge."""
    from torch.nn.functional import pad

    if move == (0, 0):
        return x
    side = x.shape[-1]
    step = round(side / (2 * cells))
    top, left = (step * (1 - part) for part in move)
    padded = pad(x, (step,) * 4, mode="replicate")
    return padded[..., top : top + side, left : left + side]


def _moved_back(grid: npt.NDArray[np.float64], move: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return the grid (h, w) of a moved image over the image itself; its sum stays.

    Cells are halved, moved by one half and joined again. What lay at a repeated edge goes to the cells of the edge.
    """
    from headtohead.explain.placement import spread

    height, width = grid.shape
    fine = spread(height, 2 * height).T @ grid @ spread(width, 2 * width)
    back = np.zeros_like(fine)
    rows, columns = (np.clip(np.arange(n) - part, 0, n - 1) for n, part in zip(fine.shape, move, strict=True))
    np.add.at(back, (rows[:, None], columns[None, :]), fine)
    return np.asarray(back.reshape(height, 2, width, 2).sum(axis=(1, 3)))


def _shared(grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the grid (h, w) in which each cell keeps half along each axis and gives a quarter to each side.

    The sum stays: at an edge the cell keeps, in proportion, what would leave the image.
    """
    rows, columns = (2 * np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1) for n in grid.shape)
    return np.asarray(rows / rows.sum(axis=0) @ grid @ (columns / columns.sum(axis=0)).T)


@contextmanager
def _stage(network: Any, put: Tensor | None = None) -> Iterator[list[Tensor]]:
    """Collect what the stage gives in the next forward pass, or put something else in its place."""
    seen: list[Tensor] = []

    def passed(_module: nn.Module, _args: Any, output: Any) -> Any:
        first = output[0] if isinstance(output, tuple) else output
        seen.append(first.detach())
        if put is None:
            return output
        own = put.clone()  # a later layer may work in place
        return (own, *output[1:]) if isinstance(output, tuple) else own

    hook = stage_below(network).register_forward_hook(passed)
    try:
        yield seen
    finally:
        hook.remove()


def _no_stage(network: Any) -> UsageError:
    return UsageError(
        f"{network.record.name} has no earlier stage that all later layers read; use contributions or occlusion."
    )
