"""The search space of `best`, the steps of its ablation, and the feature matrices that both are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features.prepared_images import PreparedImages
from headtohead.backbones.features.views import FeatureView, extract_view
from headtohead.backbones.record import BackboneRecord
from headtohead.core.progress import Reporter
from headtohead.data.dataset import Dataset

if TYPE_CHECKING:
    from headtohead.training.data_loader import Augmenter

__all__ = ["AblationStep", "CandidateSpec", "FeatureProvider", "ablation_steps", "candidate_specs"]

Rows = npt.NDArray[np.float32]
LARGE_FACTOR = 1.5  # 2.25 times the pixels: what a CNN can use and a laptop can still compute


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """A probe on one kind of features.

    Attributes:
        backbone: the network's name.
        recipe: preprocessing.
        view: which depths, and whether the flipped image counts too.
        large: input side about half as large again as the weights' own.
        copies: how many augmented copies of each training image are learned from too.
    """

    backbone: str
    recipe: str = "foreground"
    view: FeatureView = FeatureView()  # noqa: RUF009  a frozen record
    large: bool = False
    copies: int = 0

    @property
    def name(self) -> str:
        """The candidate's name in tables, "dinov2-small, foreground, symmetry"."""
        view = [] if self.view == FeatureView() else [str(self.view)]
        extras = ["large"] * self.large + [f"{self.copies} copies"] * bool(self.copies)
        return ", ".join([self.backbone, self.recipe, *view, *extras])


class AblationStep(NamedTuple):
    """One step of the ablation: what was added, and the candidates whose mean it is.

    Attributes:
        name: the row's name in the ablation table.
        members: the candidates.
        side_branch: the next step does not build on this one; both are compared with the step before.
    """

    name: str
    members: list[CandidateSpec]
    side_branch: bool = False


class SearchAxis(NamedTuple):
    """One kind of features, tried with each backbone of some families."""

    view: str
    large: bool = False
    families: tuple[str, ...] = ("cnn", "transformer", "hybrid")


# Each axis for each backbone. A transformer's time grows with the fourth power of the side, so the
# larger input is left to the others.
SEARCH_AXES = (
    SearchAxis(""),
    SearchAxis("symmetry"),
    SearchAxis("symmetry", large=True, families=("cnn",)),
)
# What stands in for a view that looks at flipped images, where those are not sound.
WITHOUT_FLIPS = {"symmetry": "layers", "layers+flip": "layers", "flip": ""}


def candidate_specs(backbones: Sequence[str], crop: str, *, flips: bool = True) -> list[CandidateSpec]:
    """Return what is searched over: each of `SEARCH_AXES` for each backbone.

    Args:
        backbones: names of networks.
        crop: name of the preprocessing.
        flips: whether flipped images are sound; without, several layers stand in for symmetry.
    """
    return [
        CandidateSpec(backbone, crop, _view(axis.view, flips), axis.large)
        for backbone in backbones
        for axis in SEARCH_AXES
        if resolve(backbone).family in axis.families
    ]


def ablation_steps(
    backbones: Sequence[str], crop: str, *, flips: bool = True, copies: int = 0
) -> list[AblationStep]:
    """Return the ablation: each step adds one thing to the one before it.

    Args:
        backbones: names of networks; all steps but the last use the first.
        crop: name of the preprocessing.
        flips: whether flipped images are sound.
        copies: above 0, augmented copies of the training images are side branches: with the last features
            and with all that was added to them. They cost as many passes more, and so are tried with one
            backbone and are not searched over.
    """
    first = backbones[0]

    def step(name: str, recipe: str, view: str = "", large: bool = False) -> AblationStep:
        return AblationStep(name, [CandidateSpec(first, recipe, _view(view, flips), large)])

    def side_branch(view: str) -> list[AblationStep]:
        candidate = CandidateSpec(first, crop, _view(view, flips), copies=copies)
        name = f"aside: {copies} copies, {view or 'last features'}"
        return [AblationStep(name, [candidate], side_branch=True)] if copies else []

    steps = [
        step("whole image", "none"),
        step(f"+ {crop} crop", crop),
        *side_branch(""),
        step("+ flipped images", crop, "flip"),
        step("+ features of several layers", crop, "layers+flip"),
        step("+ differences of left and right", crop, "symmetry"),
        *side_branch("symmetry"),
        step("+ larger input", crop, "symmetry", large=True),
    ]
    others = [CandidateSpec(name, crop, _view("symmetry", flips)) for name in backbones[1:]]
    if others:
        steps.append(AblationStep("+ other backbones", [*steps[-1].members, *others]))
    distinct: list[AblationStep] = []
    for current in steps:  # without a crop or flips some steps change nothing
        if not distinct or current.members != distinct[-1].members:
            distinct.append(current)
    return distinct


def _view(words: str, flips: bool) -> FeatureView:
    chosen = words if flips else WITHOUT_FLIPS.get(words, words)
    return FeatureView.parse(f":{chosen}" if chosen else "")


class FeatureProvider:
    """Make the feature matrices of candidates, each once.

    Args:
        dataset: the images.
        cache: where features are kept between runs.
        seed: of random weights and of augmented copies.
        reporter: hears how far the extraction is.
        augmenter: changes the copies, if there are any.
    """

    def __init__(
        self,
        dataset: Dataset,
        cache: Path,
        seed: int,
        reporter: Reporter,
        augmenter: Augmenter | None = None,
    ) -> None:
        self._dataset, self._cache, self._seed, self._reporter = dataset, cache, seed, reporter
        self._augmenter = augmenter
        self._rows: dict[CandidateSpec, Rows] = {}
        self._prepared = PreparedImages()

    def features(self, candidate: CandidateSpec) -> Rows:
        """Return the (n, D) features of all samples."""
        if candidate not in self._rows:
            self._rows[candidate] = self._extract(candidate)
        return self._rows[candidate]

    def copies(self, candidate: CandidateSpec) -> list[Callable[[], Rows]]:
        """Return what makes the (n, D) features of each augmented copy of all samples."""
        return [partial(self._extract, candidate, number) for number in range(1, candidate.copies + 1)]

    def _extract(self, candidate: CandidateSpec, copy: int = 0) -> Rows:
        from headtohead.backbones.features.options import ExtractionOptions
        from headtohead.preprocess.recipe import get_recipe

        options = ExtractionOptions(seed=self._seed)
        if copy and self._augmenter is not None:
            from headtohead.studies.search.augmented_probe import AugmentedCopy

            options = replace(options, change=AugmentedCopy(self._augmenter, self._seed, copy))
        recipe = get_recipe(candidate.recipe)
        return extract_view(
            self._dataset,
            _sized_record(candidate),
            recipe,
            candidate.view,
            options,
            cache=self._cache,
            reporter=self._reporter,
            prepared=self._prepared,
        ).rows


def _sized_record(candidate: CandidateSpec) -> BackboneRecord:
    """Return the backbone's record at the candidate's input size."""
    record = resolve(candidate.backbone)
    if not candidate.large:
        return record
    # the side must be a multiple of a transformer's patch, or of a CNN's total stride
    multiple = 14 if "patch14" in record.architecture else 32
    return with_input_size(record, round(LARGE_FACTOR * record.input_size / multiple) * multiple)
