"""A study, stage by stage: audit, split, run, judge, report; each leaves its files and can be repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.contenders.expression import ContenderSpec, parse_list
from headtohead.core.atomic_io import write_json, write_table
from headtohead.core.config import StudyConfig
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder, slug

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.audit.audit import AuditResult
    from headtohead.audit.image_index import ImageIndex
    from headtohead.contenders.factory import BuildContext
    from headtohead.core.trackers import Trackers
    from headtohead.data.dataset import Dataset
    from headtohead.data.options import LoadOptions
    from headtohead.data.splits.folds import CrossValidationSplits
    from headtohead.heads.base import FoldJob, FoldResult, Head, TrainingData
    from headtohead.preprocess.recipe import Recipe

__all__ = ["ComparisonStudy", "compare_study"]

FINISHED = "finished.json"


def compare_study(
    config: StudyConfig,
    out: Path,
    reporter: Reporter = QUIET,
    *,
    cache: Path | None = None,
    log: Sequence[str] = (),
) -> RunFolder:
    """Run `compare` in the folder `out`, or go on with it, and return the finished run folder.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.
        log: boards that follow the training, of `headtohead.core.trackers.TRACKERS`.

    Raises:
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
        LeakageError: the data's own split leaks and `allow_leaks` is off.
    """
    study = ComparisonStudy(config, out, cache=cache, reporter=reporter, log=log)
    study.compare()
    return study.run_folder


class ComparisonStudy:
    """One study in one run folder.

    Every stage can be called on its own; it calls the stages before it as needed. Finished work is
    kept: the same study on the same folder goes on where it stopped.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        cache: where features are kept between runs; by default below the weights' cache.
        log: boards that follow the training, of `headtohead.core.trackers.TRACKERS`; they change no digit.

    Example:
        >>> study = ComparisonStudy(StudyConfig(data="scans", contenders=("vit-b16",)), Path("runs/mine"))
        >>> study.specs[0].mode
        'probe'
    """

    def __init__(
        self,
        config: StudyConfig,
        out: Path,
        *,
        cache: Path | None = None,
        reporter: Reporter = QUIET,
        log: Sequence[str] = (),
    ) -> None:
        self.config = config
        self.run_folder = RunFolder(out)
        self.reporter = reporter
        self.specs: tuple[ContenderSpec, ...] = parse_list(config.contenders, config.mode)
        self._cache, self._log = cache, tuple(log)

    # ---- the whole ----------------------------------------------------------------------------

    def compare(self) -> Verdict:
        """Do the whole study, or return its verdict if it is finished already.

        Raises:
            ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
            LeakageError: the data's own split leaks and `allow_leaks` is off.
        """
        with self.run_folder.lock():
            if not (self.run_folder / "study.toml").is_file():
                self.validate_config()
            self.run_folder.check_or_write_config(self.config)
            finished = self._finished()
            if finished is not None:
                self.reporter.info(f"{self.run_folder.path} is finished; nothing was computed anew.")
                return finished
            self.validate_contenders()
            self.validate_against_data()
            self.audit()
            self.split()
            self.predictions()
            verdict = self.judge()
            self.report_images()
            self.report()
            write_json(self.run_folder / FINISHED, {"digest": self.dataset.digest()})
            return verdict

    # ---- stages -------------------------------------------------------------------------------

    def validate_config(self) -> None:
        """Refuse what can be refused without a look at images or weights, before the folder is claimed.

        Raises:
            UsageError: an unknown name, mode or board. NoEffectError: a setting that would change nothing.
            MissingExtraError: a board or tuner whose package is not installed.
        """
        from headtohead.studies.preflight import validate_config

        validate_config(self.config, self.specs, self._log)

    def validate_contenders(self) -> None:
        """Resolve every contender and fetch its weights, before any long work.

        Raises:
            UsageError: an unknown name or mode. WeightsError: weights that cannot be had.
            NoEffectError: blocks or stochastic depth that a network does not have.
        """
        from headtohead.backbones.weights.fetch import ensure_weights
        from headtohead.contenders.factory import check_networks, records_of
        from headtohead.studies.artifacts import pair_confounds

        self.validate_config()
        for record in records_of(self.specs):
            weights = ensure_weights(record, seed=self.config.seed, reporter=self.reporter)
            self._tell(record.name, {"weights": weights.model_dump(mode="json", exclude={"path"})})
            self._tell(record.name, {"record": record.model_dump(mode="json")})
        check_networks(self.specs, self.config.train, self.config.seed)
        write_json(self.run_folder / "confounds.json", pair_confounds(self.specs))

    def validate_against_data(self) -> None:
        """Refuse what cannot be asked of this data (metric, prevalence, columns), before any long work."""
        from headtohead.studies.preflight import validate_against_data

        validate_against_data(self.config, self.dataset)

    @cached_property
    def dataset(self) -> Dataset:
        """The samples, as found; groups as the data itself (or the reviewer's file) states them."""
        from headtohead.data.load import load

        found = load(self.config.data, self._load_options, self.reporter)
        self.run_folder.check_or_write_data(found.digest(), _fingerprints(found))
        return found

    def audit(self) -> AuditResult:
        """Look for what would ruin a comparison, and find the groups that must stay together."""
        return self._audited

    def split(self) -> CrossValidationSplits:
        """Return who is in which part, with the proof that nothing is in both."""
        return self._plan

    def predictions(self) -> pd.DataFrame:
        """Fit every contender on every fold and return the out-of-fold lines."""
        from headtohead.heads.cross_validation import (
            learning_table,
            load_cells,
            predictions_table,
            run_cells,
            training_costs,
        )

        heads, parts, seed = self._heads(), self._plan.folds, self.config.seed
        run_cells(heads, parts, self.cell_data, self.run_folder, seed=seed, reporter=self.reporter)
        self._boards.sync()
        spent = training_costs(list(heads), parts, self.run_folder)
        write_json(self.run_folder / "spent.json", {"budget": self.config.train.budget, "spent": spent})
        k = len(self.grouped.classes)
        cells = list(load_cells(list(heads), parts, self.run_folder, seed=seed, k=k))
        ids = [sample.id for sample in self.grouped.samples]
        table = predictions_table(cells, self.cell_data, ids)
        inner = predictions_table(cells, self.cell_data, ids, inner=True)
        write_table(self.run_folder / "inner.parquet", inner)
        write_table(self.run_folder / "learning.parquet", learning_table(cells, self.cell_data))
        write_table(self.run_folder / "predictions.parquet", table)
        return table

    def judge(self) -> Verdict:
        """Return what the out-of-fold lines say, and write it."""
        import pandas as pd

        from headtohead.evaluate.verdict import VerdictConfig, compute_verdict
        from headtohead.heads.baselines import FILE_FACTS, MAJORITY
        from headtohead.heads.cross_validation import exclude_test_groups
        from headtohead.studies.artifacts import add_training_summary, checklist
        from headtohead.studies.preflight import subgroups

        table = pd.read_parquet(self.run_folder / "predictions.parquet")
        inner = pd.read_parquet(self.run_folder / "inner.parquet")
        if self._plan.leaks:
            inner = exclude_test_groups(inner, table)
            self.reporter.warning(
                "The split leaks; thresholds are chosen without the groups that are tested too."
            )
        verdict = compute_verdict(
            table,
            VerdictConfig(
                classes=self.grouped.classes,
                positive=self.grouped.positive,
                metric=self.config.metric,
                baselines=(MAJORITY, FILE_FACTS),
                level=self.config.level,
                rope=self.config.rope,
                prevalence=self.config.prevalence,
                n_boot=self.config.n_boot,
                seed=self.config.seed,
            ),
            inner=inner,
            by=subgroups(self.config.by, self.grouped),
            leaks=tuple(str(leak) for leak in self._plan.leaks),
            reporter=self.reporter,
        )
        verdict = add_training_summary(
            verdict, self.config, self.specs, self.grouped.classes, self.run_folder
        )
        if (self.run_folder / "audit.json").is_file():
            from headtohead.studies.post_audit import update_audit

            verdict = update_audit(self.run_folder, self.grouped, table, verdict, (MAJORITY, FILE_FACTS))
        content = verdict.model_dump(mode="json")
        write_json(self.run_folder / "verdict.json", content)
        write_json(self.run_folder / "scores.json", content["scores"])
        write_json(self.run_folder / "comparisons.json", content["comparisons"])
        write_json(self.run_folder / "checklist.json", checklist(verdict, self.config, self.grouped))
        return verdict

    def report_images(self) -> None:
        """Keep small images for the report: what the networks were shown, and the worst answers."""
        import pandas as pd

        from headtohead.studies.artifacts import report_images

        table = pd.read_parquet(self.run_folder / "predictions.parquet")
        write_json(self.run_folder / "images.json", report_images(self.grouped, self.recipe, table))

    def report(self) -> Path:
        """Write `report.html` from the run folder's files and return its path."""
        from headtohead.core.provenance import collect
        from headtohead.report.page import write_report

        if not (self.run_folder / "provenance.json").is_file():
            spent = self.run_folder.json("spent.json") if (self.run_folder / "spent.json").is_file() else {}
            write_json(self.run_folder / "provenance.json", {**collect(), **spent})
        return write_report(self.run_folder.path)

    # ---- what the stages share ----------------------------------------------------------------

    @cached_property
    def grouped(self) -> Dataset:
        """The samples with the groups that the audit found."""
        grouped = self.dataset.with_groups(self._audited.grouping.groups)
        write_table(self.run_folder / "samples.parquet", grouped.frame())
        return grouped

    @cached_property
    def recipe(self) -> Recipe:
        """The preprocessing, the same for every contender; with "auto", what suits the images."""
        from headtohead.preprocess.recipe import get_recipe

        name, reason = self.config.recipe, "as asked for"
        if name == "auto":
            from headtohead.preprocess.suggest import suggest_recipe_for
            from headtohead.studies.artifacts import evenly_spaced

            looked_at = tuple(evenly_spaced(self.dataset.samples, 40))
            name, reason = suggest_recipe_for(self._index.appearances(looked_at))
            self.reporter.info(f"Recipe {name}: {reason}.")
        recipe = get_recipe(name)
        write_json(
            self.run_folder / "recipe.json",
            {"name": name, "reason": reason, "steps": str(recipe), "digest": recipe.digest()},
        )
        return recipe

    @cached_property
    def cell_data(self) -> TrainingData:
        """What every head knows of all samples."""
        from headtohead.heads.base import TrainingData

        return TrainingData(self.grouped.labels(), self.grouped.groups(), self.grouped.classes)

    @cached_property
    def _index(self) -> ImageIndex:
        """What is measured of the images, each decoded once; shared by audit, recipe and report."""
        from headtohead.audit.image_index import ImageIndex
        from headtohead.audit.summary_store import open_summaries

        return ImageIndex(self.dataset, store=open_summaries(), reporter=self.reporter)

    @cached_property
    def _audited(self) -> AuditResult:
        from headtohead.audit.audit import audit

        result = audit(
            self.dataset,
            ignore=self.config.ignore,
            similar=self.config.similar,
            grouping=self._overruled(),
            index=self._index,
            seed=self.config.seed,
            reporter=self.reporter,
        )
        result.write(self.run_folder.path, self.reporter)
        return result

    def _overruled(self) -> Any:
        """Return the reviewer's own groups, or None where the audit is to find them."""
        if self.config.groups is None:
            return None
        from headtohead.audit.duplicates import Grouping
        from headtohead.data.listing.groups_csv import read_groups

        return Grouping.from_reviewer(read_groups(Path(self.config.groups), self.dataset))

    @cached_property
    def _plan(self) -> CrossValidationSplits:
        from headtohead.data.splits.folds import make_folds

        plan = make_folds(
            self.grouped,
            split=self.config.split,
            folds=self.config.folds,
            repeats=self.config.repeats,
            seed=self.config.seed,
            allow_leaks=self.config.allow_leaks,
        )
        for note in plan.notes:
            self.reporter.info(note)
        write_table(self.run_folder / "folds.parquet", plan.frame())
        leaks = [leak.model_dump(mode="json") for leak in plan.leaks]
        write_json(self.run_folder / "leak_proof.json", {"proof": list(plan.proof), "leaks": leaks})
        return plan

    def _heads(self) -> dict[str, Head]:
        from headtohead.audit.descriptors.shortcut_probes import file_fact_features, make_classifier
        from headtohead.contenders.factory import build_heads
        from headtohead.heads.baselines import FILE_FACTS, MAJORITY, FileFactsHead, MajorityHead

        heads = build_heads(self.specs, self._workshop())
        heads[MAJORITY] = MajorityHead()
        heads[FILE_FACTS] = FileFactsHead(file_fact_features(self.grouped)[0], make_classifier)
        return heads

    def _workshop(self) -> BuildContext:
        from headtohead.contenders.factory import BuildContext
        from headtohead.core.cache_home import cache_home

        cache = self._cache or cache_home() / "features"
        return BuildContext(
            self.grouped,
            self.recipe,
            self.config,
            cache,
            self._finished_cell,
            self._tell,
            self.reporter,
            cells=len(self._plan.folds),
            on_epoch_end=self._boards.log if self._log else None,
            trials=self.run_folder / "trials.sqlite",
        )

    @cached_property
    def _boards(self) -> Trackers:
        from headtohead.core.trackers import Trackers

        train = self.config.train.model_dump(mode="json", exclude_none=True)
        boards = Trackers(self.run_folder.path, self._log, {**train, "seed": self.config.seed})
        boards.sync()
        return boards

    def _finished_cell(self, name: str, cell: FoldJob) -> FoldResult:
        """Return a contender's cell of this run, which an ensemble joins."""
        from headtohead.heads.cross_validation import load_cell

        k = len(self.grouped.classes)
        return load_cell(name, cell, self.run_folder, seed=self.config.seed, k=k)

    def _tell(self, backbone: str, facts: Mapping[str, Any]) -> None:
        """Keep what became known of a backbone (its record, its weights, how features were computed)."""
        name = f"contenders/{slug(backbone)}.json"
        known = self.run_folder.json(name) if (self.run_folder / name).is_file() else {}
        write_json(self.run_folder / name, {**known, **facts})

    @property
    def _load_options(self) -> LoadOptions:
        from headtohead.data.options import LoadOptions

        return LoadOptions.from_config(self.config.data_options, self.config.by)

    def _finished(self) -> Verdict | None:
        """Return the verdict of a finished run whose images are still the same, else None."""
        if not (self.run_folder / FINISHED).is_file() or not (self.run_folder / "report.html").is_file():
            return None
        from headtohead.data.load import source_digest

        digest = source_digest(self.config.data, self._load_options, self.reporter)
        if digest != self.run_folder.json(FINISHED)["digest"]:
            self.dataset  # noqa: B018  reads the images again and names those that changed
        return Verdict.model_validate(self.run_folder.json("verdict.json"))


def _fingerprints(dataset: Dataset) -> dict[str, str]:
    """Return path -> label and file hash, for naming what changed."""
    return {sample.id: f"{sample.label}:{sample.sha256}" for sample in dataset.samples}
