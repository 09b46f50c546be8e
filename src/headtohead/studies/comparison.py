"""The study of `compare`: every contender on the same folds, paired differences, one verdict."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.core.config import StudyConfig
from headtohead.core.parallel import return_freed_memory
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.studies.base import Study
from headtohead.studies.preflight import verdict_config
from headtohead.studies.run_files import fetch_weights, record_facts, write_predictions, write_verdict

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.contenders.plan import ContenderPlan
    from headtohead.core.trackers import Trackers
    from headtohead.data.options import LoadOptions
    from headtohead.data.splits.folds import CrossValidationSplits
    from headtohead.engines.tasks import WorkPlan
    from headtohead.studies.cells import ComparisonWork
    from headtohead.studies.repeats import RepeatCount

__all__ = ["ComparisonStudy", "compare_study"]


def compare_study(
    config: StudyConfig,
    out: Path,
    reporter: Reporter = QUIET,
    *,
    cache: Path | None = None,
    log: Sequence[str] = (),
    engine: str = "local",
    learning_curve: bool | None = None,
) -> RunFolder:
    """Run `compare` in the folder `out`, or go on with it, and return the finished run folder.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.
        log: trackers that follow the training, of `headtohead.core.trackers.TRACKERS`.
        engine: where features and cells are computed, see `headtohead.engines.choose.get_engine`.
        learning_curve: fit probes on parts of the training groups too; None where that takes no more than minutes.

    Raises:
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
        LeakageError: the data's own split leaks and `allow_leaks` is off.
    """
    study = ComparisonStudy(
        config, out, reporter, cache=cache, log=log, engine=engine, learning_curve=learning_curve
    )
    folder = study.run()
    if learning_curve and not (folder / "learning_curve.json").is_file():  # finished before without one
        study.learning_curve()
        study.write_page()
    return folder


class ComparisonStudy(Study[StudyConfig]):
    """The comparison of contenders in one run folder.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.
        log: trackers that follow the training, of `headtohead.core.trackers.TRACKERS`; they change no digit.
        engine: where features and cells are computed; it changes no digit.
        learning_curve: as for `compare_study`.

    Example:
        >>> study = ComparisonStudy(StudyConfig(data="scans", contenders=("vit-b16",)), Path("runs/mine"))
        >>> str(study.plan.contenders[0].mode)
        'probe'
    """

    page_name = "report.html"

    def __init__(
        self,
        config: StudyConfig,
        out: Path,
        reporter: Reporter = QUIET,
        *,
        cache: Path | None = None,
        log: Sequence[str] = (),
        engine: str = "local",
        learning_curve: bool | None = None,
    ) -> None:
        from headtohead.engines.choose import get_engine

        super().__init__(config, out, reporter, cache=cache)
        self._log = tuple(log)
        self._engine = get_engine(engine)
        self._curve = learning_curve

    @cached_property
    def plan(self) -> ContenderPlan:
        """The contenders, parsed once."""
        from headtohead.contenders.plan import ContenderPlan

        return ContenderPlan.parse(self.config.contenders, self.config.mode)

    def run(self) -> RunFolder:
        """Do the whole study, or gather what shards have done, and return the run folder."""
        from headtohead.engines.shard import refuse_running_shards, remove_shard_locks

        refuse_running_shards(self.run_folder)
        finished = super().run()
        remove_shard_locks(finished)
        return finished

    # ---- stages -------------------------------------------------------------------------------

    def validate_config(self) -> None:
        """Refuse what can be refused without a look at images or weights, before the folder is claimed.

        Raises:
            UsageError: an unknown name, mode or tracker.
            NoEffectError: a setting that would change nothing.
            MissingExtraError: a tracker or tuner whose package is not installed.
        """
        from headtohead.studies.preflight import validate_config

        validate_config(self.config, lambda: self.plan, self._log)

    def validate_contenders(self) -> None:
        """Resolve every contender and fetch its weights, before any long work.

        Raises:
            UsageError: an unknown name or mode.
            WeightsError: weights that are not available.
            NoEffectError: blocks or stochastic depth that a network does not have.
        """
        from headtohead.studies.report_inputs import pair_confounds

        self.validate_config()
        fetch_weights(self.run_folder, self.plan.records, self.config.seed, self.reporter)
        self.plan.check_networks(self.config.train, self.config.seed)
        self.run_folder.write("confounds.json", {"pairs": pair_confounds(self.plan, self.config.train)})

    def validate_against_data(self) -> None:
        """Refuse a metric, prevalence or column that this data does not have, before any long work."""
        from headtohead.studies.preflight import validate_against_data

        validate_against_data(self.config, self.dataset)

    def fit(self) -> pd.DataFrame:
        """Fit every contender on every fold, and return and write the out-of-fold predictions.

        Where the number of repeats was left open, more are fitted until the seed of the folds decides nothing.
        """
        predictions = self._fit_repeats()
        while self._repeats.is_open and self._repeats.grow(self._computed, self.reporter):
            for made in ("splits", "_work", "_computed"):
                vars(self).pop(made)  # of fewer repeats
            predictions = self._fit_repeats()
        return predictions

    def _fit_repeats(self) -> pd.DataFrame:
        """Fit every contender on every fold of the present repeats, and return and write the predictions."""
        from headtohead.heads.cross_validation import load_cells, training_costs

        folds, seed, run = self.splits.folds, self.config.seed, self.run_folder
        heads = self._work.heads
        self._engine.run(self._work_plan(self._engine.parts(len(self.grouped))), self._work, self.reporter)
        return_freed_memory()  # matrices of the fits, which the C library keeps
        self._trackers.sync()
        costs = training_costs(list(heads), folds, run)
        run.write("spent.json", {"budget": self.config.train.budget, "spent": costs})
        cells = list(load_cells(list(heads), folds, run, seed=seed, k=len(self.labels.classes)))
        return write_predictions(run, cells, self.labels, [sample.id for sample in self.grouped.samples])

    def judge(self) -> Verdict:
        """Return and write what the out-of-fold predictions say."""
        from headtohead.studies.checklist_facts import checklist
        from headtohead.studies.report_inputs import add_training_summary

        verdict = self._repeats.noted(self._computed)
        verdict = add_training_summary(verdict, self.config, self.plan, self.grouped.classes, self.run_folder)
        verdict = self._update_audit(verdict, self.run_folder.table("predictions.parquet"))
        write_verdict(self.run_folder, verdict)
        items = checklist(verdict, self.config, self.grouped, self.plan, self.run_folder)
        self.run_folder.write("checklist.json", {"items": items})
        self.learning_curve(asked=self._curve)
        return verdict

    def write_page(self) -> Path:
        """Write `images.json`, `features.json`, `report.json` and `report.html`, and return the page's path."""
        from headtohead.report.page import write_report
        from headtohead.studies.report_images import feature_map, report_images

        predictions, run = self.run_folder.table("predictions.parquet"), self.run_folder
        images = report_images(self.grouped, self.recipe, predictions, self._work.prepared, self.reporter)
        run.write("images.json", images)
        backbones = feature_map(self._work.frozen_features(), self.grouped, images["gallery"])
        run.write("features.json", {"backbones": backbones})
        return write_report(run.path)

    def learning_curve(self, *, asked: bool | None = True) -> None:
        """Fit every probe on parts of the training groups and write `learning_curve.json`, once.

        Repeats that were added for the verdict are left out.

        Args:
            asked: True, or None for only where it takes no more than minutes; False does nothing.

        Raises:
            NoEffectError: it was asked for, and no contender is a probe, or the split leaks.
        """
        from headtohead.heads.cross_validation import cell_lookup
        from headtohead.studies.learning_curve import CurveInputs, write_learning_curve

        def inputs(names: Sequence[str]) -> CurveInputs:
            return CurveInputs(
                folds,
                self.labels,
                [sample.id for sample in self.grouped.samples],
                {name: self._work.heads[name] for name in names},
                cell_lookup(self.run_folder, seed=self.config.seed, k=len(self.labels.classes)),
                verdict_config(self.config, self.grouped),
                self.config.seed,
            )

        leaks, folds = bool(self.splits.leaks), self._repeats.first(self.splits.folds)
        share = len(folds) / len(self.splits.folds)
        write_learning_curve(
            self.run_folder, self.plan, inputs, self.reporter, leaks=leaks, asked=asked, share=share
        )

    # ---- what the stages share ----------------------------------------------------------------

    @property
    def _load_options(self) -> LoadOptions:
        from headtohead.data.options import LoadOptions

        return LoadOptions.from_config(self.config.data_options, self.config.by)

    def _recipe_name(self) -> str:
        return self.config.recipe

    def _make_splits(self) -> CrossValidationSplits:
        from headtohead.data.splits.folds import make_folds

        config = self.config
        return make_folds(
            self.grouped, split=config.split, folds=config.folds, repeats=self._repeats.now, seed=config.seed,
            allow_leaks=config.allow_leaks,
        )  # fmt: skip

    @cached_property
    def _repeats(self) -> RepeatCount:
        from headtohead.studies.repeats import RepeatCount

        return RepeatCount(self.config, self.plan, len(self.grouped))

    @cached_property
    def _computed(self) -> Verdict:
        """What the predictions of the present repeats say, before what is known of their training is added."""
        from headtohead.studies.case_scores import computed_verdict

        return computed_verdict(self.config, self.grouped, self.splits, self.run_folder, self.reporter)

    @cached_property
    def _work(self) -> ComparisonWork:
        from headtohead.studies.cells import ComparisonWork

        return ComparisonWork(
            self.config, self.plan, self.run_folder.path, self.feature_cache, self.grouped, self.recipe,
            self.splits.folds, partial(record_facts, self.run_folder), self._trackers.log if self._log else None,
            self.reporter,
        )  # fmt: skip

    def _work_plan(self, parts: int) -> WorkPlan:
        from headtohead.studies.cells import plan_work

        return plan_work(self.plan, list(self._work.heads), len(self.splits.folds), parts)

    @cached_property
    def _trackers(self) -> Trackers:
        from headtohead.core.trackers import Trackers

        train = self.config.train.model_dump(mode="json", exclude_none=True)
        trackers = Trackers(self.run_folder.path, self._log, {**train, "seed": self.config.seed})
        trackers.sync()
        return trackers
