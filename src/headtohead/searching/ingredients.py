"""What `best` searches over, and the feature matrices that it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.backbones.looks import Look, looked_at
from headtohead.core.reporter import Reporter
from headtohead.data.dataset import Dataset

__all__ = ["Ingredients", "Kitchen", "candidates", "ladder"]

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, order=True)
class Ingredients:
    """What a candidate's features are made from.

    Attributes:
        recipe: preprocessing; layers: features of several depths instead of the last.
        mirror: mean of the features of a picture and of its mirror image.
        large: input side about half as large again as the weights' own.
    """

    backbone: str
    recipe: str = "foreground"
    layers: bool = False
    mirror: bool = False
    large: bool = False

    @property
    def name(self) -> str:
        """How the candidate is called, "dinov2-small, foreground, layers, mirror"."""
        words = [self.backbone, self.recipe]
        return ", ".join(words + [word for word in ("layers", "mirror", "large") if getattr(self, word)])


def candidates(backbones: Sequence[str], crop: str) -> list[Ingredients]:
    """Return what is searched over: per backbone the crop, its layers, its mirror images, a larger input."""
    found = []
    for backbone in backbones:
        plain = Ingredients(backbone, crop)
        found += [
            plain,
            Ingredients(backbone, crop, mirror=True),
            Ingredients(backbone, crop, layers=True, mirror=True),
            Ingredients(backbone, crop, mirror=True, large=True),
        ]
        if crop != "none":
            found.append(Ingredients(backbone, "none", mirror=True))
    return found


def ladder(backbones: Sequence[str], crop: str) -> list[tuple[str, list[Ingredients]]]:
    """Return the ablation: (what was added, the candidates whose mean it is), each rung one thing more."""
    first = backbones[0]
    rungs = [("whole picture", [Ingredients(first, "none")])]
    if crop != "none":
        rungs.append((f"+ {crop} crop", [Ingredients(first, crop)]))
    rungs += [
        ("+ mirror images", [Ingredients(first, crop, mirror=True)]),
        ("+ larger input", [Ingredients(first, crop, mirror=True, large=True)]),
    ]
    if len(backbones) > 1:
        rungs.append(
            ("+ other backbones", [Ingredients(b, crop, mirror=True, large=True) for b in backbones])
        )
    deep = [Ingredients(b, crop, layers=True, mirror=True) for b in backbones]
    rungs.append(("+ features of several layers", [*rungs[-1][1], *deep]))
    return rungs


class Kitchen:
    """Makes feature matrices from ingredients, each once."""

    def __init__(self, dataset: Dataset, cache: Path, seed: int, reporter: Reporter) -> None:
        self.dataset, self.cache, self.seed, self.reporter = dataset, cache, seed, reporter
        self._rows: dict[Ingredients, Rows] = {}

    def rows(self, wanted: Ingredients) -> Rows:
        """Return the (n, D) features of all samples."""
        if wanted not in self._rows:
            self._rows[wanted] = self._extract(wanted)
        return self._rows[wanted]

    def _extract(self, wanted: Ingredients) -> Rows:
        from headtohead.backbones.catalog import at_size, resolve
        from headtohead.preprocess.recipe import get_recipe

        record = resolve(wanted.backbone)
        if wanted.large:
            record = at_size(record, _larger(record.input_size, record.architecture))
        recipe, look = get_recipe(wanted.recipe), Look(wanted.layers, wanted.mirror)
        found = looked_at(
            self.dataset, record, recipe, look, cache=self.cache, seed=self.seed, reporter=self.reporter
        )
        return found.rows


def _larger(side: int, architecture: str) -> int:
    step = 14 if "patch14" in architecture else 32
    return round(1.5 * side / step) * step
