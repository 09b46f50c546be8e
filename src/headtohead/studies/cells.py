"""The features and cells of a comparison as work that any process can do, and the plan of that work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.progress import QUIET, Reporter

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from headtohead.backbones.features.prepared_images import PreparedImages
    from headtohead.contenders.mode import BuildContext
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.core.config import StudyConfig
    from headtohead.data.dataset import Dataset
    from headtohead.data.splits.folds import Fold
    from headtohead.engines.tasks import CellTask, FeatureTask, WorkPlan
    from headtohead.heads.base import Head, SampleLabels
    from headtohead.preprocess.recipe import Recipe

__all__ = ["ComparisonWork", "baseline_heads", "plan_work"]


def baseline_heads(dataset: Dataset) -> dict[str, Head]:
    """Return the heads that every contender has to beat."""
    from headtohead.audit.descriptors.shortcut_probes import file_fact_features, make_classifier
    from headtohead.heads.baselines import FILE_FACTS, MAJORITY, FileFactsHead, MajorityHead

    facts = file_fact_features(dataset)[0]
    return {MAJORITY: MajorityHead(), FILE_FACTS: FileFactsHead(facts, make_classifier)}


def plan_work(plan: ContenderPlan, heads: Sequence[str], n_folds: int, parts: int) -> WorkPlan:
    """Return what a comparison computes.

    Args:
        plan: the contenders.
        heads: names of all heads, baselines too, members before what is made of them.
        n_folds: folds of each contender.
        parts: into how many parts the features of each backbone are cut.
    """
    from headtohead.contenders.expression import REPEATS
    from headtohead.engines.tasks import CellTask, FeatureTask, WorkPlan

    wanted = {
        (record.name, one.mode.view): None
        for one in plan.contenders
        if one.mode is not None and not one.is_tuned  # a network that learns has no frozen features
        for record in one.records
    }
    features = tuple(FeatureTask(name, view, part, parts) for name, view in wanted for part in range(parts))
    known = {one.name: one for one in plan.contenders}
    waves: list[list[CellTask]] = []
    depth: dict[str, int] = {}
    for name in heads:
        one = known.get(name)
        members = () if one is None else one.members
        # A cell rests on those of its members, so that each depth is a wave of its own.
        depth[name] = 1 + max((depth[member] for member in members), default=-1)
        waves += [[] for _ in range(depth[name] + 1 - len(waves))]
        # Replicates fit their member again, so a network learns in their cells too.
        replicates = one is not None and one.spec.kind in REPEATS
        trains = one is not None and (
            one.is_tuned or (replicates and any(known[member].is_tuned for member in members))
        )
        waves[depth[name]] += [CellTask(name, place, trains, members) for place in range(n_folds)]
    return WorkPlan(features, tuple(tuple(wave) for wave in waves))


def _forget(name: str, facts: Mapping[str, Any]) -> None:
    """Drop what is known of the features."""
    del name, facts


@dataclass(frozen=True)
class ComparisonWork:
    """Computes features and cells of one comparison; can be pickled.

    Attributes:
        config, plan: the study.
        path: the run folder.
        cache: of features.
        dataset: the samples with their final groups.
        recipe: the preprocessing.
        folds: all folds.
        record_facts: called with a backbone's name and how its features were computed.
        on_epoch_end: called with the log file of a training after each epoch.
    """

    config: StudyConfig
    plan: ContenderPlan
    path: Path
    cache: Path
    dataset: Dataset
    recipe: Recipe
    folds: tuple[Fold, ...]
    record_facts: Callable[[str, Mapping[str, Any]], None] = _forget
    on_epoch_end: Callable[[Path], None] | None = None
    reporter: Reporter = QUIET

    def elsewhere(self) -> ComparisonWork:
        """Return the same work for another process, which reports nothing and records no facts."""
        root = Path(self.dataset.root)
        return replace(
            self,
            path=self.path.absolute(),
            cache=self.cache.absolute(),
            # Another process may work in another folder, where relative paths lead nowhere.
            dataset=replace(self.dataset, root=str(root.absolute())) if root.exists() else self.dataset,
            record_facts=_forget,
            on_epoch_end=None,
            reporter=QUIET,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone, without what was built from them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)  # frozen: plain assignment is refused

    @cached_property
    def heads(self) -> dict[str, Head]:
        """A head for each contender and each baseline, members before what is made of them."""
        from headtohead.contenders.factory import build_heads

        return build_heads(self.plan, self.context) | baseline_heads(self.dataset)

    @cached_property
    def labels(self) -> SampleLabels:
        """Labels and groups of all samples."""
        from headtohead.heads.base import SampleLabels

        return SampleLabels(self.dataset.labels(), self.dataset.groups(), self.dataset.classes)

    @cached_property
    def prepared(self) -> PreparedImages:
        """Images as the recipe left them, kept in this process."""
        from headtohead.backbones.features.prepared_images import PreparedImages

        return PreparedImages()

    @cached_property
    def context(self) -> BuildContext:
        """What heads are built from."""
        from headtohead.contenders.mode import BuildContext, FeatureSource
        from headtohead.core.run_folder import RunFolder
        from headtohead.heads.cross_validation import cell_lookup

        source = FeatureSource(
            self.dataset,
            self.recipe,
            self.config,
            self.cache,
            self.record_facts,
            self.reporter,
            self.prepared,
        )
        k = len(self.dataset.classes)
        return BuildContext(
            source,
            cell_lookup(RunFolder(self.path), seed=self.config.seed, k=k),
            n_cells=len(self.folds),
            on_epoch_end=self.on_epoch_end,
            trial_store=self.path / "trials.sqlite",
        )

    def frozen_features(self) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """Yield each contender with one frozen backbone, and its features (n, D); they are in the cache already."""
        source = self.context.features
        for one in self.plan.contenders:
            if one.spec.kind == "single" and one.mode is not None and not one.is_tuned:
                yield one.name, source.matrix(one.records[0], one.mode.view)

    def machine(self) -> str:
        """Return device, versions of torch, timm and headtohead, as found in this process."""
        from importlib.metadata import version

        from headtohead._version import __version__
        from headtohead.backbones.features.identity import device_name
        from headtohead.backbones.features.precision import pick_device

        device = pick_device(self.config.device)
        versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "timm"))
        return f"{device.type} ({device_name(device)}), {versions}, headtohead {__version__}"

    def check_folder(self, host: str) -> None:
        """Refuse to work where the run folder is not seen.

        Raises:
            RunFolderError: names the machine.
        """
        from headtohead.core.errors import RunFolderError
        from headtohead.core.run_folder import RunFolder

        if not RunFolder(self.path).is_claimed:
            raise RunFolderError(
                f"{host} does not see the run folder {self.path}. Put run folder, images and HEADTOHEAD_HOME on "
                "storage that all nodes share, under the same paths."
            )

    def features(self, task: FeatureTask, reporter: Reporter) -> None:
        """Compute the rows of one part that the cache lacks."""
        from headtohead.backbones.features.views import extract_view_part

        (record,) = (record for record in self.plan.records if record.name == task.backbone)
        extract_view_part(
            self.dataset,
            record,
            self.recipe,
            task.view,
            self.context.features.options,
            part=(task.part, task.parts),
            cache=self.cache,
            reporter=reporter,
        )

    def cells(self, tasks: Sequence[CellTask], reporter: Reporter) -> None:
        """Compute the cells that the run folder lacks, contender by contender."""
        from headtohead.core.run_folder import RunFolder
        from headtohead.heads.cross_validation import fit_cells

        wanted = {
            (task.contender, fold.repeat, fold.fold) for task in tasks for fold in (self.folds[task.place],)
        }
        fit_cells(
            self.heads,
            self.folds,
            self.labels,
            RunFolder(self.path),
            seed=self.config.seed,
            reporter=reporter,
            select=lambda name, fold: (name, fold.repeat, fold.fold) in wanted,
        )
