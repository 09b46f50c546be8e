"""What `best` searches over, and the feature matrices that it is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features.views import FeatureView, extract_view
from headtohead.backbones.record import BackboneRecord
from headtohead.core.progress import Reporter
from headtohead.data.dataset import Dataset

if TYPE_CHECKING:
    from headtohead.training.data_loader import Augmenter

__all__ = ["AblationStep", "CandidateSpec", "FeatureProvider", "ablation_steps", "candidate_specs"]

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """What a candidate's features are made from.

    Attributes:
        recipe: preprocessing; look: which depths, and whether the mirror image counts too.
        large: input side about half as large again as the weights' own.
        copies: how many changed copies of each training image are learned from too.
    """

    backbone: str
    recipe: str = "foreground"
    view: FeatureView = FeatureView()  # noqa: RUF009  a frozen record
    large: bool = False
    copies: int = 0

    @property
    def name(self) -> str:
        """How the candidate is called, "dinov2-small, foreground, symmetry"."""
        look = [] if self.view == FeatureView() else [str(self.view)]
        more = ["large"] * self.large + [f"{self.copies} copies"] * bool(self.copies)
        return ", ".join([self.backbone, self.recipe, *look, *more])


class AblationStep(NamedTuple):
    """One step of the ablation: what was added, and the candidates whose mean it is.

    Attributes:
        aside: the rung below it does not stand on this one; both are compared with the rung above.
    """

    name: str
    members: list[CandidateSpec]
    side_branch: bool = False


class SearchAxis(NamedTuple):
    """A row of the search space, tried with each backbone of its families."""

    view: str
    large: bool = False
    families: tuple[str, ...] = ("cnn", "transformer", "hybrid")


# Each way for each backbone. A transformer's time grows with the fourth power of the side, so the
# larger input is left to the others.
SEARCH_AXES = (
    SearchAxis(""),
    SearchAxis("symmetry"),
    SearchAxis("symmetry", large=True, families=("cnn",)),
)
UNPAIRED = {"symmetry": "layers", "layers+flip": "layers", "flip": ""}


def candidate_specs(backbones: Sequence[str], crop: str, *, mirrors: bool = True) -> list[CandidateSpec]:
    """Return what is searched over: each way of `SEARCH_AXES` for each backbone.

    Args:
        mirrors: whether mirror images are sound; without, several layers stand in for symmetry.
    """
    return [
        CandidateSpec(backbone, crop, _look(way.view, mirrors), way.large)
        for backbone in backbones
        for way in SEARCH_AXES
        if resolve(backbone).family in way.families
    ]


def ablation_steps(
    backbones: Sequence[str], crop: str, *, mirrors: bool = True, copies: int = 0
) -> list[AblationStep]:
    """Return the ablation: each rung one thing more than the one before it.

    Args:
        copies: above 0, augmented copies of the training images are rungs aside: with the last features
            and with all that was added to them. They cost as many passes more, and so are tried with one
            backbone and are not searched over.
    """
    first = backbones[0]

    def rung(name: str, recipe: str, look: str = "", large: bool = False) -> AblationStep:
        return AblationStep(name, [CandidateSpec(first, recipe, _look(look, mirrors), large)])

    def aside(look: str) -> list[AblationStep]:
        one = CandidateSpec(first, crop, _look(look, mirrors), copies=copies)
        return (
            [AblationStep(f"aside: {copies} copies, {look or 'last features'}", [one], side_branch=True)]
            if copies
            else []
        )

    rungs = [
        rung("whole image", "none"),
        rung(f"+ {crop} crop", crop),
        *aside(""),
        rung("+ mirror images", crop, "flip"),
        rung("+ features of several layers", crop, "layers+flip"),
        rung("+ differences of the sides", crop, "symmetry"),
        *aside("symmetry"),
        rung("+ larger input", crop, "symmetry", large=True),
    ]
    others = [CandidateSpec(name, crop, _look("symmetry", mirrors)) for name in backbones[1:]]
    if others:
        rungs.append(AblationStep("+ other backbones", [*rungs[-1].members, *others]))
    kept: list[AblationStep] = []
    for one in rungs:  # without crop or mirror images some steps are none
        if not kept or one.members != kept[-1].members:
            kept.append(one)
    return kept


def _look(words: str, mirrors: bool) -> FeatureView:
    chosen = words if mirrors else UNPAIRED.get(words, words)
    return FeatureView.parse(f":{chosen}" if chosen else "")


class FeatureProvider:
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
        self._rows: dict[CandidateSpec, Rows] = {}

    def features(self, wanted: CandidateSpec) -> Rows:
        """Return the (n, D) features of all samples."""
        if wanted not in self._rows:
            self._rows[wanted] = self._extract(wanted)
        return self._rows[wanted]

    def copies(self, wanted: CandidateSpec) -> list[Callable[[], Rows]]:
        """Return what makes the (n, D) features of each changed copy of all samples."""
        return [partial(self._extract, wanted, number) for number in range(1, wanted.copies + 1)]

    def _extract(self, wanted: CandidateSpec, copy: int = 0) -> Rows:
        from headtohead.preprocess.recipe import get_recipe

        options: dict[str, Any] = {"cache": self.cache, "seed": self.seed, "reporter": self.reporter}
        if copy and self._augmenter is not None:
            from headtohead.studies.search.augmented_probe import AugmentedCopy

            options["change"] = AugmentedCopy(self._augmenter, self.seed, copy)
        recipe = get_recipe(wanted.recipe)
        return extract_view(self.dataset, sized(wanted), recipe, wanted.view, **options).rows


def sized(wanted: CandidateSpec) -> BackboneRecord:
    """Return the backbone's record at the side that is wanted."""
    record = resolve(wanted.backbone)
    if not wanted.large:
        return record
    step = 14 if "patch14" in record.architecture else 32
    return with_input_size(record, round(1.5 * record.input_size / step) * step)
