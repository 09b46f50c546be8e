"""What `best` searches over, and the feature matrices that it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Image, Sample
from headtohead.core.reporter import Reporter
from headtohead.data.dataset import Dataset

__all__ = ["Ingredients", "Kitchen", "Mirrored", "candidates", "ladder"]

Rows = npt.NDArray[np.float32]


class Mirrored(Dataset):
    """The same pictures, left and right exchanged; they are other pictures to a cache."""

    @classmethod
    def of(cls, dataset: Dataset) -> Mirrored:
        """Return the mirror images of a data set."""
        samples = tuple(
            s.model_copy(update={"pixel_hash": f"{s.pixel_hash}-mirrored"}) for s in dataset.samples
        )
        return cls(dataset.root, samples, dataset.classes, dataset.positive)

    def read(self, sample: Sample) -> Image:
        """Decode one picture and mirror it."""
        image = super().read(sample)
        history = (*image.history, "left and right exchanged")
        return replace(image, pixels=np.ascontiguousarray(image.pixels[:, ::-1]), history=history)


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
        self.dataset, self.mirrored = dataset, Mirrored.of(dataset)
        self.cache, self.seed, self.reporter = cache, seed, reporter
        self._rows: dict[Ingredients, Rows] = {}

    def rows(self, wanted: Ingredients) -> Rows:
        """Return the (n, D) features of all samples."""
        if wanted not in self._rows:
            rows = self._extract(self.dataset, wanted)
            if wanted.mirror:
                rows = np.mean([rows, self._extract(self.mirrored, wanted)], axis=0, dtype=np.float32)
            self._rows[wanted] = rows
        return self._rows[wanted]

    def _extract(self, dataset: Dataset, wanted: Ingredients) -> Rows:
        from headtohead.backbones.catalog import at_size, resolve
        from headtohead.backbones.features import extract
        from headtohead.preprocess.recipe import get_recipe

        record = resolve(wanted.backbone)
        if wanted.large:
            record = at_size(record, _larger(record.input_size, record.architecture))
        kind: Literal["layers", "last"] = "layers" if wanted.layers else "last"
        found = extract(
            dataset, record, get_recipe(wanted.recipe), cache=self.cache, seed=self.seed, kind=kind,
            reporter=self.reporter,
        )  # fmt: skip
        return found.rows


def _larger(side: int, architecture: str) -> int:
    step = 14 if "patch14" in architecture else 32
    return round(1.5 * side / step) * step
