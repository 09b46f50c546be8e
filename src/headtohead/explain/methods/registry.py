"""The methods by name, and the map that each makes of an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import unknown_name
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import EXACT, INTEGRATED
from headtohead.explain.methods.gradients import attention_gradient, gradcam, integrated_gradients, layercam
from headtohead.explain.methods.integrated import integrated_contributions
from headtohead.explain.methods.perturbation import occlusion, rise
from headtohead.explain.methods.scored_network import ScoredNetwork

__all__ = ["METHODS", "MapMethod", "attribute", "check_method"]

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MapMethod:
    """One way of making a map.

    Attributes:
        name: as the user writes it; help: one phrase.
        make: from a scored network and a prepared image to a grid; None for the methods that are sums.
    """

    name: str
    help: str
    make: Callable[[ScoredNetwork, Pixels], npt.NDArray[np.float64]] | None = None


METHODS: Mapping[str, MapMethod] = {
    method.name: method
    for method in (
        MapMethod(EXACT, "exact contributions in log-odds, for linear heads on pooled features"),
        MapMethod(INTEGRATED, "contributions of the places of an earlier stage, in log-odds"),
        MapMethod("gradcam", "Grad-CAM", gradcam),
        MapMethod("layercam", "LayerCAM", layercam),
        MapMethod("attention-gradient", "attention weighted by its gradient, for transformers", attention_gradient),
        MapMethod("integrated-gradients", "integrated gradients (extra: maps)", integrated_gradients),
        MapMethod("occlusion", "drop of the log-odds when a window is blurred", lambda m, p: occlusion(m.of_pixels, p)),
        MapMethod("rise", "random masks (RISE)", lambda m, p: rise(m.of_pixels, p)),
    )
}  # fmt: skip


def check_method(name: str) -> MapMethod:
    """Return a method by its name.

    Raises:
        UnknownNameError: no such method; raw attention and rollout are not offered.
    """
    if name not in METHODS:
        raise unknown_name("method", name, METHODS)
    return METHODS[name]


def attribute(name: str, model: ScoredNetwork, pixels: Pixels) -> Attribution:
    """Return the map of one prepared image by another method than that of exact contributions.

    Args:
        name: of `METHODS`, other than the exact one.
        model: network, head and class.
        pixels: the prepared image.
    """
    method = check_method(name)
    if name == INTEGRATED:
        return integrated_contributions(model, pixels)
    assert method.make is not None
    value = float(model.of_pixels([pixels])[0])
    return Attribution(method.make(model, pixels), model.target, value)
