"""The contract of a training mode: the record behind the word after the @, and what its head is built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.backbones.features.views import FeatureView
from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.expression import ContenderSpec
from headtohead.core.config import Budget, StudyConfig
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.dataset import Dataset
from headtohead.heads.base import FoldJob, FoldResult, Head
from headtohead.heads.ensemble import CombinationRule
from headtohead.preprocess.recipe import Recipe
from headtohead.training.tuning.trial_budget import TrialBudget

if TYPE_CHECKING:
    from headtohead.backbones.features.options import ExtractionOptions
    from headtohead.backbones.features.prepared_images import PreparedImages
    from headtohead.training.data_loader import DatasetImages
    from headtohead.training.settings import FinetuneSettings
    from headtohead.training.tuning.hyperparameter_search import Trial

__all__ = ["BuildContext", "FeatureSource", "ModeChoice", "PlannedContender", "TrainingMode"]


@dataclass(frozen=True, slots=True)
class TrainingMode:
    """One way of training a contender.

    Attributes:
        name: the word after the @, "probe".
        help: one phrase for help texts.
        build: makes the head of a planned contender.
        check_option: refuses what may not stand after the colon; called with "" where there is no colon.
        is_tuned: the weights of the network itself learn.
        rate_factor: a stated learning rate is multiplied by this.
        overrides: from the option to the fine-tuning settings that the mode fixes.
    """

    name: str
    help: str
    build: Callable[[PlannedContender, BuildContext], Head]
    check_option: Callable[[str], None]
    is_tuned: bool = False
    rate_factor: float = 1.0
    overrides: Callable[[str], Mapping[str, Any]] = lambda option: {}  # noqa: ARG005


@dataclass(frozen=True, slots=True)
class ModeChoice:
    """A mode with its option, as in "partial:2" or "probe:layers+flip"."""

    mode: TrainingMode
    option: str = ""

    @property
    def is_tuned(self) -> bool:
        """Whether the weights of the network itself learn."""
        return self.mode.is_tuned

    @property
    def view(self) -> FeatureView:
        """The view of frozen features that a probe or an MLP is fitted on."""
        return FeatureView() if self.is_tuned else FeatureView.parse(str(self))

    def __str__(self) -> str:
        return f"{self.mode.name}:{self.option}" if self.option else self.mode.name


@dataclass(frozen=True, slots=True)
class PlannedContender:
    """A contender of a run, with everything that its expression stands for.

    Attributes:
        spec: the parsed expression.
        mode: how it is trained, for snapshots that of the one network; None for what trains nothing of
            its own kind (ensembles, and replicates of another contender of the run).
        records: its backbones.
        members: names, in this run, of the contenders whose finished cells it needs.
        combination: how an ensemble combines its members.
        needs_inner: an ensemble learns its weights from this contender's inner predictions, which its
            mode does not give by itself.
    """

    spec: ContenderSpec
    mode: ModeChoice | None = None
    records: tuple[BackboneRecord, ...] = ()
    members: tuple[str, ...] = ()
    combination: CombinationRule | None = None
    needs_inner: bool = False

    @property
    def name(self) -> str:
        """What the contender is called everywhere."""
        return self.spec.name

    @property
    def is_tuned(self) -> bool:
        """Whether a network learns in a training of this contender's own."""
        return self.mode is not None and self.mode.is_tuned

    @property
    def cycles(self) -> int:
        """How many snapshots its training takes; 1 for an ordinary training."""
        return self.spec.count if self.spec.kind == "snapshots" else 1


@dataclass(frozen=True, slots=True)
class FeatureSource:
    """Frozen features of all samples, from the cache where possible.

    Attributes:
        dataset, recipe: which images, and how they are preprocessed.
        config: device, precision and seed of the study.
        cache: folder for computed features.
        record_facts: called with a backbone's name and how its features were computed.
        reporter: hears how far the extraction is.
        prepared: images as the recipe left them, for the next backbone.
    """

    dataset: Dataset
    recipe: Recipe
    config: StudyConfig
    cache: Path
    record_facts: Callable[[str, Mapping[str, Any]], None]
    reporter: Reporter = QUIET
    prepared: PreparedImages | None = None

    @property
    def options(self) -> ExtractionOptions:
        """How features are extracted."""
        from headtohead.backbones.features.options import ExtractionOptions

        config = self.config
        return ExtractionOptions(
            precision=config.precision, device=config.device, seed=config.seed, runtime=config.runtime
        )

    def matrix(self, record: BackboneRecord, view: FeatureView) -> npt.NDArray[np.float32]:
        """Return the (n, D) features of all samples by one backbone."""
        from headtohead.backbones.features.views import extract_view

        features = extract_view(
            self.dataset, record, self.recipe, view, self.options, cache=self.cache, reporter=self.reporter,
            prepared=self.prepared,
        )  # fmt: skip
        self.record_facts(record.name, {"how": dict(features.how)})
        return features.rows


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What heads are built from, the same for all contenders of a run.

    Attributes:
        features: frozen features; it also holds the images, the recipe and the configuration.
        load_cell: (contender's name, fold) -> that contender's finished result, for ensembles.
        n_cells: folds of each contender, among which a budget in minutes is shared.
        on_epoch_end: called with the log file of a training after each epoch.
        trial_store: an SQLite file for the trials of optuna.
        prepared: the images of networks that are trained, by size and scale; contenders share them.
    """

    features: FeatureSource
    load_cell: Callable[[str, FoldJob], FoldResult]
    n_cells: int = 1
    on_epoch_end: Callable[[Path], None] | None = None
    trial_store: Path | None = None
    prepared: dict[tuple[Any, ...], DatasetImages] = field(default_factory=dict, compare=False)

    def images_for(self, record: BackboneRecord) -> DatasetImages:
        """Return the images as a network's weights ask for them; all together stay within the limit of memory."""
        from headtohead.training import data_loader

        key = (record.input_size, record.mean, record.std, record.interpolation)
        if key not in self.prepared:
            taken = sum(images.bytes_in_memory for images in self.prepared.values())
            limit = max(0, data_loader.MEMORY_LIMIT - taken)
            source = self.features
            self.prepared[key] = data_loader.DatasetImages(source.dataset, record, source.recipe, limit)
        return self.prepared[key]

    @property
    def config(self) -> StudyConfig:
        """The configuration of the study."""
        return self.features.config

    @property
    def budget(self) -> Budget:
        """What each contender may spend on choosing; unlimited where no budget was stated."""
        train = self.config.train
        return Budget() if train.budget is None else train.effective_budget

    def trial_budget(self) -> Callable[[Path], TrialBudget] | None:
        """Return what makes the budget of a cell from its work folder, or None without a budget."""
        if self.config.train.budget is None:
            return None
        return lambda workdir: TrialBudget(self.budget, self.n_cells, workdir)

    def trial_recorder(
        self, name: str
    ) -> Callable[[FoldJob, Sequence[Trial], FinetuneSettings], None] | None:
        """Return what stores the trials of a contender, where optuna proposes them."""
        store = self.trial_store
        if store is None or self.config.train.tuner != "optuna":
            return None
        from headtohead.training.tuning.optuna_storage import save_trials

        return lambda job, trials, stated: save_trials(
            store, f"{name} r{job.repeat}f{job.fold}", trials, stated
        )
