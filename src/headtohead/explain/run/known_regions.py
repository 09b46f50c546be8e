"""How often the maps of a run find the regions that masks mark, beside maps that need no look at the image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UsageError
from headtohead.core.records import Sample
from headtohead.explain.faithfulness.checks import judge
from headtohead.explain.faithfulness.localisation import Localisation, centred_blob, localise, random_map
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run.mask_folder import read_mask

__all__ = ["BASELINES", "localisation_table"]

Floats = npt.NDArray[np.floating]
BASELINES = ("centred blob", "random map")
SIDE = 512  # of larger images every second, third, … pixel counts: AUPRC sorts them all


def localisation_table(
    found: Sequence[ImageMap],
    samples: Sequence[Sample],
    files: Mapping[str, Sequence[Path]],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Return how well each contender's maps find the regions of masks, with 95 % intervals over groups.

    Looked at is the evidence for the true class: of two classes the map as it is or with its sign reversed, of more
    those images whose explained class is the true one. A mask that is empty or full says nothing and is left out.

    Args:
        found: exact maps of all contenders.
        samples: of the run.
        files: sample -> its masks.
        seed: of the random maps.

    Returns:
        `masks`: images with a mask; `empty`: of them those whose mask is empty or full; `rows`: name -> `hit`, `mass`,
        `lift` (mass inside over the share of the area), `distance`, `auprc`, each with its interval; the last two names
        are those of the baselines.

    Raises:
        UsageError: no mask marks a part of an image.
        DataError: a mask of another size than its image.
    """
    of = {sample.id: sample for sample in samples}
    masks, empty = {}, 0
    for name, paths in files.items():
        # thinned first, since a mask of a few pixels may be gone afterwards
        mask = _thinned(read_mask(paths, (of[name].height, of[name].width)))
        if mask.any() and not mask.all():
            masks[name] = mask
        else:
            empty += 1
    if not masks:
        raise UsageError(f"All {empty} masks are empty or cover the whole image; none says where to look.")
    figures: dict[str, dict[str, Localisation]] = defaultdict(dict)
    rng = np.random.default_rng(seed)
    for name, mask in masks.items():
        figures["centred blob"][name] = localise(centred_blob(mask.shape), mask)
        figures["random map"][name] = localise(random_map(mask.shape, rng), mask)
    for one in found:
        if one.sample in masks and (towards := _towards_truth(one)) is not None:
            figures[one.contender][one.sample] = localise(_thinned(towards), masks[one.sample])
    names = [*(name for name in figures if name not in BASELINES), *BASELINES]
    return {
        "masks": len(masks) + empty,
        "empty": empty,
        "rows": {name: _row(figures[name], of) for name in names},
    }


def _towards_truth(one: ImageMap) -> Floats | None:
    """Return the evidence (H, W) for the true class, None where the map does not tell it."""
    if one.target == one.label:
        return one.pixels()
    return -one.pixels() if len(one.classes) == 2 else None


def _row(figures: Mapping[str, Localisation], of: Mapping[str, Sample]) -> dict[str, Any]:
    groups = [of[name].group for name in figures]
    values = {
        "hit": [float(one.hit) for one in figures.values()],
        "mass": [one.mass for one in figures.values()],
        "lift": [one.mass / one.area for one in figures.values()],
        "distance": [one.distance for one in figures.values()],
        "auprc": [one.auprc for one in figures.values()],
    }
    told: dict[str, Any] = {"n_images": len(figures), "n_groups": len(set(groups))}
    for key, column in values.items():
        mean = asdict(judge(np.array(column), groups))
        told[key] = {end: round(mean[end], 4) for end in ("value", "low", "high")}
    return told


def _thinned(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    step = -(-max(pixels.shape) // SIDE)
    return pixels[::step, ::step]
