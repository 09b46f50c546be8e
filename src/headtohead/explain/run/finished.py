"""A finished comparison, read from its folder: images, folds, recipe, contenders and their finished cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.contenders.mode import BuildContext, FeatureSource
from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import StudyConfig
from headtohead.core.errors import (
    ChangedDataError,
    ChangedWeightsError,
    MissingDataError,
    RunFolderError,
    UsageError,
)
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.run_folder import RunFolder, slug
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import Fold
from headtohead.heads.base import FoldResult, SampleLabels
from headtohead.preprocess.recipe import Prepared, Recipe, get_recipe

__all__ = ["FinishedRun"]


@dataclass(frozen=True)
class FinishedRun:
    """A finished run of `compare`, with everything that its contenders can be rebuilt from.

    Args:
        path: the run folder.
        cache: of features; by default where `compare` keeps them.
        reporter: shows progress.
        makers: what makes the maps of each contender, kept so that ensembles share their members'.

    Raises:
        RunFolderError: there is no finished run, or it is of another kind.
    """

    path: Path
    cache: Path | None = None
    reporter: Reporter = field(default=QUIET)
    makers: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.path.is_dir():
            raise RunFolderError(f"There is no run at {self.path}; expected the folder that `compare` wrote.")
        self.folder.require("predictions.parquet")
        self.config  # noqa: B018  refuses other kinds of runs at once

    @property
    def folder(self) -> RunFolder:
        """The run folder."""
        return RunFolder(self.path)

    def check_weights(self, backbone: str, sha256: str) -> None:
        """Refuse weights other than those that the run recorded.

        Raises:
            ChangedWeightsError: names the backbone and both hashes.
        """
        recorded = self.folder.json(f"contenders/{slug(backbone)}.json")["weights"]["sha256"]
        if recorded != sha256:
            raise ChangedWeightsError(
                f"The weights of {backbone} are not those of the run in {self.path} (sha256 {recorded[:12]}…, now "
                f"{sha256[:12]}…). Put them back, or run compare again in a new folder."
            )

    @cached_property
    def config(self) -> StudyConfig:
        """The settings of the run."""
        config = self.folder.config()
        if not isinstance(config, StudyConfig):
            raise UsageError(
                f"{self.path} is a run of `{config.kind}`; maps are made for runs of `compare`. "
                "Run `headtohead compare` with the contenders whose maps you want."
            )
        return config

    @cached_property
    def dataset(self) -> Dataset:
        """The samples with the groups that the run used; each file is checked when it is read.

        Raises:
            DataError: the images are not where they were.
        """
        from headtohead.data.listing.class_order import choose_classes
        from headtohead.data.listing.discover import discover_images
        from headtohead.data.options import LoadOptions

        options = LoadOptions.from_config(self.config.data_options, self.config.by)
        try:
            root = discover_images(self.config.data, options).store.root
        except MissingDataError as error:
            raise self.folder.missing_data(self.config.data) from error
        table = self.folder.table("samples.parquet")
        order = choose_classes(table["label"], options.positive)
        return Dataset.from_frame(table, root=root, classes=order.classes, positive=order.positive)

    @cached_property
    def labels(self) -> SampleLabels:
        """Labels and groups of all samples."""
        return SampleLabels(self.dataset.labels(), self.dataset.groups(), self.dataset.classes)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """Who was in which part."""
        table = self.folder.table("folds.parquet")
        place = {sample.id: index for index, sample in enumerate(self.dataset.samples)}
        folds = []
        for key in sorted(set(zip(table["repeat"], table["fold"], strict=True))):
            rows = table[(table["repeat"] == key[0]) & (table["fold"] == key[1])]
            parts = {part: [place[name] for name in own["sample"]] for part, own in rows.groupby("part")}
            train, test = (np.array(parts[part], dtype=np.int64) for part in ("train", "test"))
            folds.append(Fold(int(key[0]), int(key[1]), train, test))
        return tuple(folds)

    @cached_property
    def recipe(self) -> Recipe:
        """The preprocessing of the run.

        Raises:
            ChangedDataError: this version of headtohead does something else under that name.
        """
        stored = self.folder.json("recipe.json")
        recipe = get_recipe(stored["name"])
        if recipe.digest() != stored["digest"]:
            raise ChangedDataError(
                f"The recipe {stored['name']!r} of this version differs from the run's. Explain the run with the "
                "version named in its provenance.json, or run compare again in a new folder."
            )
        return recipe

    @cached_property
    def plan(self) -> ContenderPlan:
        """The contenders of the run."""
        return ContenderPlan.parse(self.config.contenders, self.config.mode)

    @cached_property
    def features(self) -> FeatureSource:
        """Frozen features of all samples, from the cache where possible."""
        from headtohead.core.cache_home import cache_home

        cache = self.cache or cache_home() / "features"
        return FeatureSource(self.dataset, self.recipe, self.config, cache, _forget, self.reporter)

    @cached_property
    def context(self) -> BuildContext:
        """What heads are built from."""
        from headtohead.heads.cross_validation import cell_lookup

        k = len(self.dataset.classes)
        return BuildContext(
            self.features,
            cell_lookup(self.folder, seed=self.config.seed, k=k),
            n_cells=len(self.folds),
        )

    def cell(self, name: str, fold: Fold) -> FoldResult:
        """Return a contender's finished cell of a fold."""
        from headtohead.heads.cross_validation import load_cell

        return load_cell(name, fold, self.folder, seed=self.config.seed, k=len(self.dataset.classes))

    def prepared(self, index: int) -> Prepared:
        """Return a sample's image as the recipe makes it, with the box of what is left."""
        return self.recipe.apply(self.dataset.read(self.dataset.samples[index]))

    def testing(self, index: int) -> list[Fold]:
        """Return the folds that tested a sample, one per repeat; heads of these did not see its group."""
        return [fold for fold in self.folds if index in self._tests[fold.repeat, fold.fold]]

    @cached_property
    def _tests(self) -> dict[tuple[int, int], frozenset[int]]:
        return {(fold.repeat, fold.fold): frozenset(fold.test.tolist()) for fold in self.folds}


def _forget(name: str, facts: Mapping[str, Any]) -> None:
    """Drop what is known of the features; the run's own record of them stays as it is."""
    del name, facts
