"""Exact maps of networks with a linear head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.backbones.features.views import FeatureView
from headtohead.backbones.record import BackboneRecord
from headtohead.core.errors import UsageError
from headtohead.core.records import Image
from headtohead.explain.attribution import Attribution, mean_attribution
from headtohead.explain.linear_head import LinearHead, target_log_odds
from headtohead.explain.placement import on_one_grid
from headtohead.preprocess.recipe import Prepared, Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["LinearModel", "explain_heads", "explain_images"]

Floats = npt.NDArray[np.float64]
HIGH_NORM_LIMIT = 0.20  # share of the contribution on high-norm tokens above which a map is doubted


@dataclass(frozen=True)
class LinearModel:
    """Networks whose joined features a linear head reads.

    Attributes:
        networks: backbones in evaluation mode, in the order of their features.
        records: of each, how its input is made.
        recipe: what of an image the networks get to see.
        view: depths and flips of the features.

    Raises:
        UsageError: features that compare both sides of the image, which are no sum over places.
    """

    networks: tuple[nn.Module, ...]
    records: tuple[BackboneRecord, ...]
    recipe: Recipe
    view: FeatureView = field(default_factory=FeatureView)

    def __post_init__(self) -> None:
        if self.view.symmetry:
            raise UsageError(
                "The features of `symmetry` are differences of both sides, which are no sum over places. "
                "Use the method occlusion or rise."
            )


def explain_images(
    model: LinearModel,
    images: Sequence[Image | Prepared],
    heads: Sequence[Sequence[LinearHead]],
    target: int | Sequence[int] | None = None,
) -> list[Attribution]:
    """Return for each image the exact contributions of places to the log-odds of a class: the mean over its heads.

    Args and raises: as for `explain_heads`.

    Returns:
        one attribution per image, with offset + sum(grid) + not localised = log-odds.
    """
    return [mean_attribution(own) for own in explain_heads(model, images, heads, target)]


def explain_heads(
    model: LinearModel,
    images: Sequence[Image | Prepared],
    heads: Sequence[Sequence[LinearHead]],
    target: int | Sequence[int] | None = None,
) -> list[list[Attribution]]:
    """Return for each image and each of its heads the contributions of places to the log-odds of a class.

    Args:
        model: the networks.
        images: decoded images, or images that the recipe has prepared.
        heads: for each image its heads, all with the same number of scores.
        target: index of the class, for all images or for each; by default the last of two classes, of more
            than two the most probable one.

    Raises:
        UsageError: features that are no sum over places.
    """
    import torch

    prepared = [one if isinstance(one, Prepared) else model.recipe.apply(one) for one in images]
    device = next(model.networks[0].parameters()).device
    rows = max(len(one.weights) for own in heads for one in own)
    count = max(len(own) for own in heads)
    weights = np.stack([_stacked([h.weights for h in own], count) for own in heads])
    means = np.stack([_stacked([h.mean[None].repeat(rows, 0) for h in own], count) for own in heads])
    parts = []
    start = 0
    for network, record in zip(model.networks, model.records, strict=True):
        x = torch.from_numpy(_inputs(prepared, record)).to(device)
        # the width of several depths is on no record
        stop = start + int(network.n_features if not model.view.layers else _width(network, x[:1]))  # type: ignore[arg-type]
        parts.append(_decomposed(model, network, x, weights[..., start:stop], means[..., start:stop]))
        start = stop
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    targets = [target] * len(prepared) if target is None or isinstance(target, int) else list(target)
    return [_attributions(found, i, own, targets[i], rows) for i, own in enumerate(heads)]


def _inputs(prepared: Sequence[Prepared], record: BackboneRecord) -> npt.NDArray[np.float32]:
    from headtohead.backbones.features.input_transform import to_network_input

    return np.stack([to_network_input(one.pixels, record) for one in prepared])


def _stacked(arrays: Sequence[Floats], count: int) -> Floats:
    """Return (count * rows, D); heads that an image lacks are zeros, which are never read."""
    joined = np.concatenate(arrays)
    missing = (count - len(arrays)) * len(arrays[0])
    return np.pad(joined, ((0, missing), (0, 0)))


def _width(network: nn.Module, x: Tensor) -> int:
    import torch

    with torch.no_grad():
        found: Any = network.layers(x)  # type: ignore[operator]
    return int(found.shape[1])


def _decomposed(model: LinearModel, network: nn.Module, x: Tensor, weights: Floats, means: Floats) -> Any:
    import torch

    from headtohead.explain.decomposition.decompose import decompose
    from headtohead.explain.decomposition.split import Weighting

    weighting = Weighting(torch.from_numpy(weights).to(x.device), torch.from_numpy(means).to(x.device))
    return decompose(network, x, weighting, layers=model.view.layers, flip=model.view.flip)


def _attributions(
    found: Any, image: int, heads: Sequence[LinearHead], target: int | None, rows: int
) -> list[Attribution]:
    """Return one attribution of an image for each of its heads."""
    if target is None:
        target = _predicted(found, image, heads, rows)
    return [_of_head(found, image, slice(t * rows, (t + 1) * rows), h, target) for t, h in enumerate(heads)]


def _predicted(found: Any, image: int, heads: Sequence[LinearHead], rows: int) -> int:
    """Return the last of two classes, or of more than two the one with the greatest mean score."""
    if rows == 1:
        return 1
    scores = found.scores[image].cpu().numpy().reshape(-1, rows)[: len(heads)]
    return int(np.argmax(np.mean([own + h.bias for own, h in zip(scores, heads, strict=True)], axis=0)))


def _of_head(found: Any, image: int, which: slice, head: LinearHead, target: int) -> Attribution:
    scores = found.scores[image, which].cpu().numpy() + head.bias
    mixing, constant, log_odds = target_log_odds(scores, target)
    grids = [np.tensordot(mixing, m[image, which].cpu().numpy(), axes=1) for m in found.maps]
    elsewhere = {
        name: float(mixing @ value[image, which].cpu().numpy()) for name, value in found.elsewhere.items()
    }
    if constant:
        elsewhere["spread of the other classes"] = constant
    grid = on_one_grid(grids)
    share, notes = None, tuple(found.notes)
    if found.high_norm is not None:
        share = _share(grid, found.high_norm[image].cpu().numpy())
        if share > HIGH_NORM_LIMIT:
            notes = (
                *notes,
                f"{share:.0%} of the contribution lies on patch tokens of unusually high norm, which can carry "
                "evidence of other places; do not read this map as places.",
            )
    return Attribution(grid, target, log_odds, float(mixing @ head.bias), elsewhere, share, notes)


def _share(grid: Floats, high: npt.NDArray[np.bool_]) -> float:
    total = float(np.abs(grid).sum())
    # joined with a finer map, the grid is not that of the tokens
    if not high.any() or total == 0 or high.shape != grid.shape:
        return 0.0
    return float(np.abs(grid)[high].sum() / total)
