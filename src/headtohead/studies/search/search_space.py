"""What `best` searches over, and the feature matrices that it is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import at_size, resolve
from headtohead.backbones.features.views import Look, looked_at
from headtohead.backbones.record import BackboneRecord
from headtohead.core.progress import Reporter
from headtohead.data.dataset import Dataset

if TYPE_CHECKING:
    from headtohead.training.data_loader import Augmenter

__all__ = ["Ingredients", "Kitchen", "Rung", "candidates", "ladder"]

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a candidate's features are made from.

    Attributes:
        recipe: preprocessing; look: which depths, and whether the mirror image counts too.
        large: input side about half as large again as the weights' own.
        copies: how many changed copies of each training picture are learned from too.
    """

    backbone: str
    recipe: str = "foreground"
    look: Look = Look()  # noqa: RUF009  a frozen record
    large: bool = False
    copies: int = 0

    @property
    def name(self) -> str:
        """How the candidate is called, "dinov2-small, foreground, symmetry"."""
        look = [] if self.look == Look() else [str(self.look)]
        more = ["large"] * self.large + [f"{self.copies} copies"] * bool(self.copies)
        return ", ".join([self.backbone, self.recipe, *look, *more])


class Rung(NamedTuple):
    """One step of the ablation: what was added, and the candidates whose mean it is.

    Attributes:
        aside: the rung below it does not stand on this one; both are compared with the rung above.
    """

    name: str
    members: list[Ingredients]
    aside: bool = False


class Way(NamedTuple):
    """A row of the search space, tried with each backbone of its families."""

    look: str
    large: bool = False
    families: tuple[str, ...] = ("cnn", "transformer", "hybrid")


# Each way for each backbone. A transformer's time grows with the fourth power of the side, so the
# larger input is left to the others.
WAYS = (
    Way(""),
    Way("symmetry"),
    Way("symmetry", large=True, families=("cnn",)),
)
UNPAIRED = {"symmetry": "layers", "layers+flip": "layers", "flip": ""}


def candidates(backbones: Sequence[str], crop: str, *, mirrors: bool = True) -> list[Ingredients]:
    """Return what is searched over: each way of `WAYS` for each backbone.

    Args:
        mirrors: whether mirror images are sound; without, several layers stand in for symmetry.
    """
    return [
        Ingredients(backbone, crop, _look(way.look, mirrors), way.large)
        for backbone in backbones
        for way in WAYS
        if resolve(backbone).family in way.families
    ]


def ladder(backbones: Sequence[str], crop: str, *, mirrors: bool = True, copies: int = 0) -> list[Rung]:
    """Return the ablation: each rung one thing more than the one before it.

    Args:
        copies: above 0, augmented copies of the training pictures are rungs aside: with the last features
            and with all that was added to them. They cost as many passes more, and so are tried with one
            backbone and are not searched over.
    """
    first = backbones[0]

    def rung(name: str, recipe: str, look: str = "", large: bool = False) -> Rung:
        return Rung(name, [Ingredients(first, recipe, _look(look, mirrors), large)])

    def aside(look: str) -> list[Rung]:
        one = Ingredients(first, crop, _look(look, mirrors), copies=copies)
        return (
            [Rung(f"aside: {copies} copies, {look or 'last features'}", [one], aside=True)] if copies else []
        )

    rungs = [
        rung("whole picture", "none"),
        rung(f"+ {crop} crop", crop),
        *aside(""),
        rung("+ mirror images", crop, "flip"),
        rung("+ features of several layers", crop, "layers+flip"),
        rung("+ differences of the sides", crop, "symmetry"),
        *aside("symmetry"),
        rung("+ larger input", crop, "symmetry", large=True),
    ]
    others = [Ingredients(name, crop, _look("symmetry", mirrors)) for name in backbones[1:]]
    if others:
        rungs.append(Rung("+ other backbones", [*rungs[-1].members, *others]))
    kept: list[Rung] = []
    for one in rungs:  # without crop or mirror images some steps are none
        if not kept or one.members != kept[-1].members:
            kept.append(one)
    return kept


def _look(words: str, mirrors: bool) -> Look:
    chosen = words if mirrors else UNPAIRED.get(words, words)
    return Look.of(f":{chosen}" if chosen else "")


class Kitchen:
    """Makes feature matrices from ingredients, each once.

    Args:
        augmenter: changes the copies, if any are asked for.
    """

    def __init__(
        self,
        dataset: Dataset,
        cache: Path,
        seed: int,
        reporter: Reporter,
        augmenter: Augmenter | None = None,
    ) -> None:
        self.dataset, self.cache, self.seed, self.reporter = dataset, cache, seed, reporter
        self._augmenter = augmenter
        self._rows: dict[Ingredients, Rows] = {}

    def rows(self, wanted: Ingredients) -> Rows:
        """Return the (n, D) features of all samples."""
        if wanted not in self._rows:
            self._rows[wanted] = self._extract(wanted)
        return self._rows[wanted]

    def copies(self, wanted: Ingredients) -> list[Callable[[], Rows]]:
        """Return what makes the (n, D) features of each changed copy of all samples."""
        return [partial(self._extract, wanted, number) for number in range(1, wanted.copies + 1)]

    def _extract(self, wanted: Ingredients, copy: int = 0) -> Rows:
        from headtohead.preprocess.recipe import get_recipe

        options: dict[str, Any] = {"cache": self.cache, "seed": self.seed, "reporter": self.reporter}
        if copy and self._augmenter is not None:
            from headtohead.studies.search.augmented_probe import Copy

            options["change"] = Copy(self._augmenter, self.seed, copy)
        recipe = get_recipe(wanted.recipe)
        return looked_at(self.dataset, sized(wanted), recipe, wanted.look, **options).rows


def sized(wanted: Ingredients) -> BackboneRecord:
    """Return the backbone's record at the side that is wanted."""
    record = resolve(wanted.backbone)
    if not wanted.large:
        return record
    step = 14 if "patch14" in record.architecture else 32
    return at_size(record, round(1.5 * record.input_size / step) * step)
