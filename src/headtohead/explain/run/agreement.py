"""Whether two contenders find their evidence in the same places of an image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.explain.faithfulness.checks import judge, rank_correlation
from headtohead.explain.image_map import ImageMap

__all__ = ["contender_agreement"]

CELLS = 14  # along each side of the grid on which maps are compared: that of a ViT of 16 pixels a patch


def contender_agreement(found: Sequence[ImageMap], groups: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return for each pair of contenders how much their maps of one image agree, beside those of two images.

    The control is the other contender's map of an image of another group: what remains of the agreement when the image
    is another one, such as evidence in the middle wherever the lesion is.

    Args:
        found: exact maps; compared are images of which both contenders explain the same class.
        groups: sample -> group.

    Returns:
        for each pair with images of at least two groups: `a`, `b`, mean rank correlation of one image (`same`) and of
        two (`other`), and their `difference` with its interval over groups.
    """
    grids: dict[str, dict[tuple[str, str], npt.NDArray[np.float64]]] = defaultdict(dict)
    for one in found:
        # densities may be averaged onto another grid; contributions would have to add up
        grids[one.contender][one.sample, one.target] = _on_grid(one.density())
    told = []
    for a, b in combinations(grids, 2):
        keys = sorted(grids[a].keys() & grids[b].keys())
        others = _of_another_group(keys, groups)
        if not others:
            continue
        same = np.array([rank_correlation(grids[a][key], grids[b][key]) for key in others])
        other = np.array([rank_correlation(grids[a][key], grids[b][others[key]]) for key in others])
        difference = judge(same - other, [groups[key[0]] for key in others])
        told.append(
            {
                "a": a,
                "b": b,
                "same": round(float(same.mean()), 4),
                "other": round(float(other.mean()), 4),
                "difference": difference.to_json(),
            }
        )
    return told


def _of_another_group(
    keys: Sequence[tuple[str, str]], groups: Mapping[str, str]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return key -> the next key, from the first again after the last, whose image is of another group."""
    found = {}
    for place, key in enumerate(keys):
        rest = (keys[(place + step) % len(keys)] for step in range(1, len(keys)))
        other = next((one for one in rest if groups[one[0]] != groups[key[0]]), None)
        if other is not None:
            found[key] = other
    return found


def _on_grid(density: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    import cv2

    coarser = max(density.shape) > CELLS
    found = cv2.resize(density, (CELLS, CELLS), interpolation=cv2.INTER_AREA if coarser else cv2.INTER_LINEAR)
    return np.asarray(found, dtype=np.float64)
