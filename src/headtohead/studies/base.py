"""The base of every study: one run folder, one order of stages, one set of files.

`compare`, `best` and `reproduce` differ in what they fit, in the verdict that they write and in
their page. Everything else is here: the configuration, the data, the audit, the groups, the folds
with their leak proof, the verdict's files, provenance, and going on where an earlier call stopped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from headtohead.core.atomic_io import write_table
from headtohead.core.config import RunConfig
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.studies.run_files import write_folds, write_provenance, write_recipe

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.audit.audit import AuditResult
    from headtohead.audit.duplicates import Grouping
    from headtohead.audit.image_index import ImageIndex
    from headtohead.data.dataset import Dataset
    from headtohead.data.listing.discover import ImageListing
    from headtohead.data.options import LoadOptions
    from headtohead.data.splits.folds import CrossValidationSplits
    from headtohead.heads.base import Head, SampleLabels
    from headtohead.preprocess.recipe import Recipe

__all__ = ["Study"]

ConfigT = TypeVar("ConfigT", bound=RunConfig)
RECIPE_SAMPLES = 40  # enough to see whether images have a background, few enough to take seconds


class Study(ABC, Generic[ConfigT]):
    """One study in one run folder.

    Every stage can be called on its own; it calls the stages before it as needed. Finished work is
    kept: the same study on the same folder goes on where it stopped.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.
    """

    # The page is the last file of a run but one, so a folder without it is not finished.
    page_name: ClassVar[str]

    def __init__(
        self, config: ConfigT, out: Path, reporter: Reporter = QUIET, *, cache: Path | None = None
    ) -> None:
        self.config = config
        self.run_folder = RunFolder(Path(out))
        self.reporter = reporter
        self._cache = cache

    # ---- the whole ----------------------------------------------------------------------------

    def run(self) -> RunFolder:
        """Do the whole study, or return at once if it is finished already.

        Returns:
            The run folder with all its files.

        Raises:
            ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
            LeakageError: training and test overlap, and that was not allowed.
        """
        with self.run_folder.lock():
            self._claim()
            if self._is_finished():
                self.reporter.info(f"{self.run_folder.path} is finished; nothing was recomputed.")
                return self.run_folder
            self.validate_contenders()
            self.validate_against_data()
            self.audit()
            self.split()
            self.fit()
            self.judge()
            self.report()
            if self.is_complete:  # what the time cut short goes on at the next call
                self.run_folder.mark_finished(self.dataset.digest())
        return self.run_folder

    # ---- stages of each study's own -----------------------------------------------------------

    @abstractmethod
    def validate_config(self) -> None:
        """Refuse what can be refused without a look at images or weights, before the folder is claimed."""

    @abstractmethod
    def validate_contenders(self) -> None:
        """Fetch the weights of every network, before any long work."""

    @abstractmethod
    def validate_against_data(self) -> None:
        """Refuse what cannot be asked of this data, before any long work."""

    @abstractmethod
    def fit(self) -> pd.DataFrame:
        """Fit what the study compares, and return and write the out-of-fold predictions."""

    @abstractmethod
    def judge(self) -> Verdict:
        """Return and write what the out-of-fold predictions say."""

    @abstractmethod
    def write_page(self) -> Path:
        """Write the study's page from its files and return the page's path."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do; a study that keeps to a time may leave something."""
        return True

    # ---- stages that all studies share --------------------------------------------------------

    def audit(self) -> AuditResult:
        """Look for what would ruin a comparison, and find the groups that must stay together."""
        return self._audit_result

    def split(self) -> CrossValidationSplits | None:
        """Return who is in which part, with the proof that nothing is in both; both are written."""
        return self.splits

    def report(self) -> Path:
        """Write `provenance.json` and the page, and return the page's path."""
        write_provenance(self.run_folder, self.config.seed)
        return self.write_page()

    @cached_property
    def dataset(self) -> Dataset:
        """The samples, grouped as the data itself states it."""
        from headtohead.data.load import load

        dataset = load(self.config.data, self._load_options, self.reporter, listing=self._listing)
        files = {sample.id: f"{sample.label}:{sample.sha256}" for sample in dataset.samples}
        self.run_folder.check_or_write_data(dataset.digest(), files)
        return dataset

    @cached_property
    def grouped(self) -> Dataset:
        """The samples with the groups that the audit found."""
        grouped = self.dataset.with_groups(self._groups())
        write_table(self.run_folder / "samples.parquet", grouped.frame())  # shards read their groups from it
        return grouped

    @cached_property
    def labels(self) -> SampleLabels:
        """Labels and groups of all samples, which every head sees."""
        from headtohead.heads.base import SampleLabels

        return SampleLabels(self.grouped.labels(), self.grouped.groups(), self.grouped.classes)

    @cached_property
    def splits(self) -> CrossValidationSplits:
        """All folds with their leak proof."""
        splits = self._make_splits()
        for note in splits.notes:
            self.reporter.info(note)
        leaks = [leak.model_dump(mode="json") for leak in splits.leaks]
        write_folds(self.run_folder, splits.frame(), list(splits.proof), leaks)
        return splits

    @cached_property
    def recipe(self) -> Recipe:
        """The preprocessing, the same for every contender; with "auto", what suits the images."""
        from headtohead.preprocess.recipe import get_recipe

        name, reason = self._recipe_name(), "as asked for"
        if name == "auto":
            from headtohead.data.splits.even_sample import evenly_spaced
            from headtohead.preprocess.suggest import suggest_recipe_for

            samples = tuple(evenly_spaced(self.dataset.samples, RECIPE_SAMPLES))
            name, reason = suggest_recipe_for(self._index.appearances(samples))
            self.reporter.info(f"Recipe {name}: {reason}.")
        recipe = get_recipe(name)
        write_recipe(self.run_folder, recipe, name, reason)
        return recipe

    @cached_property
    def _index(self) -> ImageIndex:
        """What is measured of the images, each decoded once; shared by audit, recipe and report."""
        from headtohead.audit.image_index import ImageIndex
        from headtohead.audit.summary_store import open_summaries

        return ImageIndex(self.dataset, store=open_summaries(), reporter=self.reporter)

    @cached_property
    def _audit_result(self) -> AuditResult:
        from headtohead.audit.audit import audit
        from headtohead.audit.context import AuditConfig

        result = audit(
            self.dataset,
            AuditConfig(similar=self.config.similar, seed=self.config.seed),
            ignore=self.config.ignore,
            grouping=self._corrected_groups(),
            index=self._index,
            reporter=self.reporter,
        )
        result.write(self.run_folder.path, self.reporter)
        self._index.free_memory()
        return result

    # ---- for the studies ----------------------------------------------------------------------

    @property
    def feature_cache(self) -> Path:
        """The folder where features are kept between runs."""
        from headtohead.core.cache_home import cache_home

        return self._cache or cache_home() / "features"

    @property
    def _load_options(self) -> LoadOptions:
        from headtohead.data.options import LoadOptions

        return LoadOptions.from_config(self.config.data_options)

    def _refuse_unclear_classes(self) -> None:
        """Refuse classes that are not settled (the positive one, names per part), before the folder is claimed."""
        from headtohead.data.load import refuse_unclear_classes

        refuse_unclear_classes(
            self.config.data, self._load_options, self.config.ignore, listing=self._listing
        )

    @cached_property
    def _listing(self) -> ImageListing:
        """The files of the source, listed once."""
        from headtohead.data.load import list_source

        return list_source(self.config.data, self._load_options)

    def _make_splits(self) -> CrossValidationSplits:
        """Return the folds of a study that has folds and repeats; others override this."""
        raise NotImplementedError

    def _recipe_name(self) -> str:
        return "auto"

    def _baseline_heads(self) -> dict[str, Head]:
        """Return the heads that every contender has to beat."""
        from headtohead.studies.cells import baseline_heads

        return baseline_heads(self.grouped)

    def _update_audit(self, verdict: Verdict, predictions: pd.DataFrame) -> Verdict:
        """Answer what the audit left open, and return the verdict with the caveats that follow."""
        from headtohead.heads.baselines import BASELINES
        from headtohead.studies.post_audit import update_audit

        self.audit()
        return update_audit(self.run_folder, self.grouped, predictions, verdict, BASELINES)

    def _claim(self) -> None:
        """Claim the run folder for this configuration, or check that it is the folder's."""
        if not self.run_folder.is_claimed:  # a folder that is claimed has passed these checks
            self.validate_config()
            self._refuse_unclear_classes()
        self.run_folder.check_or_write_config(self.config)

    def _groups(self) -> Mapping[str, str]:
        """Return sample id -> group, as the audit found it."""
        return self._audit_result.grouping.groups

    def _corrected_groups(self) -> Grouping | None:
        """Return the groups of a corrected groups file, or None where the audit is to find them."""
        if self.config.groups is None:
            return None
        from headtohead.audit.duplicates import Grouping
        from headtohead.data.listing.groups_csv import read_groups

        return Grouping.from_reviewer(read_groups(Path(self.config.groups), self.dataset))

    def _is_finished(self) -> bool:
        """Return whether the run is finished and its images are still the same.

        Raises:
            ChangedDataError: they are not; names those that changed.
        """
        digest = self.run_folder.finished_digest
        if digest is None or not (self.run_folder / self.page_name).is_file():
            return False
        from headtohead.data.load import source_digest

        if source_digest(self.config.data, self._load_options, self.reporter) != digest:
            self.dataset  # noqa: B018  reads the images again and names those that changed
        return True
