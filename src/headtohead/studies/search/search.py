"""The study of `best`: the best model that the images allow, found inside inner folds and judged on outer ones.

What is searched over (backbone, crop, input size, features, flips, which of them to combine) is
chosen separately in each outer training part, on inner grouped folds of it; the outer test part then
scores the whole procedure, choices included (nested cross-validation: Varma and Simon 2006, BMC
Bioinformatics 7:91). An ablation of fixed contenders alongside shows what each ingredient adds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.atomic_io import write_atomic, write_table
from headtohead.core.config import SearchConfig
from headtohead.core.errors import NoEffectError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.studies.base import Study
from headtohead.studies.run_files import fetch_weights, write_verdict
from headtohead.studies.search.deadline import DeadlineReporter
from headtohead.studies.search.outcome import SearchOutcome, times_chosen

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.splits.folds import CrossValidationSplits, Fold
    from headtohead.heads.base import CellLookup
    from headtohead.studies.search.fine_tuned import FineTuningResult
    from headtohead.studies.search.search_space import AblationStep, CandidateSpec, FeatureProvider
    from headtohead.training.data_loader import Augmenter

__all__ = ["SearchStudy", "best_study"]

METRICS = ("auroc", "accuracy")
PRIMARY = "auroc"


def best_study(
    config: SearchConfig, out: Path, reporter: Reporter = QUIET, *, cache: Path | None = None
) -> RunFolder:
    """Run `best` in the folder `out`, or go on with it, and return the run folder.

    Args:
        config: everything that decides the digits, and the time that it may take.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.

    Raises:
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
        NoEffectError: augmented copies without augmentation.
    """
    return SearchStudy(config, out, reporter, cache=cache).run()


class SearchStudy(Study[SearchConfig]):
    """The search for the best model in one run folder."""

    page_name = "best.html"

    def __init__(
        self, config: SearchConfig, out: Path, reporter: Reporter = QUIET, *, cache: Path | None = None
    ) -> None:
        super().__init__(config, out, reporter, cache=cache)
        self._started = time.monotonic()  # --minutes count from here, audit and features too

    # ---- stages -------------------------------------------------------------------------------

    def validate_config(self) -> None:
        """Refuse unknown backbones and presets, and copies that would change nothing.

        Raises:
            UnknownNameError: no such backbone or preset.
            NoEffectError: augmented copies without augmentation.
        """
        from headtohead.backbones.catalog import resolve

        if self.config.copies and self._augmenter.name == "none":
            raise NoEffectError(
                "The preset 'none' changes nothing, so copies are of no use; leave them out, or choose a preset."
            )
        for name in (*self.config.backbones, *self.config.finetune):
            resolve(name)

    def validate_contenders(self) -> None:
        """Fetch the weights of every backbone, before any long work."""
        from headtohead.backbones.catalog import resolve

        self.validate_config()
        names = dict.fromkeys((*self.config.backbones, *self.config.finetune))
        records = [resolve(name) for name in names]
        fetch_weights(self.run_folder, records, self.config.seed, self.reporter)

    def validate_against_data(self) -> None:
        """Refuse classes for which the primary metric is not defined."""
        from headtohead.evaluate.question import validate_question

        validate_question(PRIMARY, self.dataset.classes, level=0.95, rope=None, prevalence=None)

    def fit(self) -> pd.DataFrame:
        """Fit candidates, ablation and search as far as the time goes; write model and predictions."""
        from headtohead.heads.baselines import BASELINES
        from headtohead.heads.cross_validation import load_cells
        from headtohead.heads.prediction_tables import predictions_table

        outcome = self._outcome
        names = [*outcome.rows, *BASELINES]
        k = len(self.labels.classes)
        cells = list(load_cells(names, outcome.folds, self.run_folder, seed=self.config.seed, k=k))
        ids = [sample.id for sample in self.grouped.samples]
        predictions = predictions_table(cells, self.labels, ids)
        write_table(self.run_folder / "predictions.parquet", predictions)
        return predictions

    def judge(self) -> Verdict:
        """Return and write what the out-of-fold predictions show for the primary metric."""
        verdict = self._update_audit(self._verdicts[PRIMARY], self.run_folder.table("predictions.parquet"))
        write_verdict(self.run_folder, verdict)
        return verdict

    def write_page(self) -> Path:
        """Write `best.json` and `best.html`, and return the page's path."""
        from headtohead.report.search_page import page

        content = self._content()
        self.run_folder.write("best.json", content)
        path = self.run_folder / self.page_name
        write_atomic(path, page(content, self._verdicts[PRIMARY]))
        return path

    @property
    def is_complete(self) -> bool:
        """Whether no repeat and no fine-tuning was left out for lack of time."""
        return self._outcome.complete

    # ---- parts of the search ------------------------------------------------------------------

    @cached_property
    def _augmenter(self) -> Augmenter:
        from headtohead.training.data_loader import get_augmenter

        return get_augmenter(self.config.augment)

    @cached_property
    def _provider(self) -> FeatureProvider:
        from headtohead.studies.search.search_space import FeatureProvider

        return FeatureProvider(
            self.grouped, self.feature_cache, self.config.seed, self.reporter, self._augmenter
        )

    @cached_property
    def _candidates(self) -> list[CandidateSpec]:
        from headtohead.studies.search.search_space import candidate_specs

        return candidate_specs(self.config.backbones, self._crop, flips=self._augmenter.flips)

    @cached_property
    def _steps(self) -> list[AblationStep]:
        from headtohead.studies.search.search_space import ablation_steps

        return ablation_steps(
            self.config.backbones, self._crop, flips=self._augmenter.flips, copies=self.config.copies
        )

    @property
    def _crop(self) -> str:
        self.recipe  # noqa: B018  suggests the recipe and writes recipe.json
        return str(self.run_folder.json("recipe.json")["name"])

    @property
    def _lookup(self) -> CellLookup:
        from headtohead.heads.cross_validation import cell_lookup

        return cell_lookup(self.run_folder, seed=self.config.seed, k=len(self.labels.classes))

    def _make_splits(self) -> CrossValidationSplits:
        from headtohead.data.splits.folds import make_folds

        settings = self.config
        return make_folds(self.grouped, folds=settings.folds, repeats=settings.repeats, seed=settings.seed)

    @cached_property
    def _outcome(self) -> SearchOutcome:
        from headtohead.studies.search.final_model import searched_model
        from headtohead.studies.search.search_heads import fit_until, search_heads
        from headtohead.studies.search.summary import SEARCHED, WITH_TUNED

        deadline = DeadlineReporter(self.reporter, self._started + 60 * self.config.minutes)
        heads = search_heads(self._candidates, self._steps, self._provider, self._lookup)
        folds = fit_until(
            {**heads, **self._baseline_heads()}, self.splits.folds, self.labels, self.run_folder, deadline,
            seed=self.config.seed,
        )  # fmt: skip
        model = searched_model(  # whatever the time: a run always leaves a model
            self._candidates, self._provider, self.grouped, self.run_folder.path, self.config.seed
        )
        rows = [*(step.name for step in self._steps), SEARCHED]
        tuned = self._fine_tune(folds, deadline)
        if tuned.models:
            folds, model["tuned"] = tuned.folds, tuned.models  # all rows on the same repeats, to be paired
            rows += [WITH_TUNED, *tuned.names]
        complete = not tuned.notes and len(folds) == len(self.splits.folds)
        return SearchOutcome(tuple(folds), tuple(rows), model, tuple(tuned.notes), complete)

    def _fine_tune(self, folds: Sequence[Fold], deadline: DeadlineReporter) -> FineTuningResult:
        """Fine-tune as far as the time goes, and fit the mean of the searched model and the fine-tuned ones."""
        from headtohead.heads.cross_validation import fit_cells
        from headtohead.heads.ensemble import EnsembleHead
        from headtohead.studies.search.fine_tuned import FineTuner, tuned_heads
        from headtohead.studies.search.search_heads import without_inner
        from headtohead.studies.search.summary import SEARCHED, WITH_TUNED

        settings = self.config
        heads = tuned_heads(
            settings.finetune, self.grouped, self._crop, epochs=settings.epochs, augment=settings.augment
        )
        tuner = FineTuner(heads, self.grouped, self.labels, self._crop, self.run_folder, settings.seed)
        result = tuner.run(folds, deadline)
        if result.models:
            mean = EnsembleHead([SEARCHED, *heads], without_inner(self._lookup), "mean")
            fit_cells(
                {WITH_TUNED: mean}, result.folds, self.labels, self.run_folder,
                seed=settings.seed, reporter=self.reporter,
            )  # fmt: skip
        return result

    # ---- the answer ---------------------------------------------------------------------------

    @cached_property
    def _verdicts(self) -> dict[str, Verdict]:
        """Verdicts by metric; the baselines take part in that of the primary metric."""
        from headtohead.evaluate.verdict import VerdictConfig, compute_verdict
        from headtohead.heads.baselines import BASELINES

        predictions = self.run_folder.table("predictions.parquet")
        contenders = list(self._outcome.rows)
        own = predictions[~predictions["contender"].isin(BASELINES)]
        return {
            metric: compute_verdict(
                predictions if metric == PRIMARY else own,
                VerdictConfig(
                    classes=self.grouped.classes,
                    positive=self.grouped.positive,
                    metric=metric,
                    baselines=BASELINES if metric == PRIMARY else (),
                    contenders=tuple([*contenders, *BASELINES] if metric == PRIMARY else contenders),
                    seed=self.config.seed,
                ),
                reporter=self.reporter,
            )
            for metric in METRICS
        }

    def _content(self) -> dict[str, Any]:
        """Return the content of `best.json`."""
        from headtohead.heads.cross_validation import load_cells
        from headtohead.studies.post_audit import audit_caveats, shortcut_caveats
        from headtohead.studies.search.summary import SEARCHED, search_summary

        outcome, settings, k = self._outcome, self.config, len(self.labels.classes)
        cells = load_cells([SEARCHED], outcome.folds, self.run_folder, seed=settings.seed, k=k)
        content = search_summary(
            self._verdicts,
            times_chosen(cells),
            outcome.folds,
            self.grouped,
            [candidate.name for candidate in self._candidates],
            [step.name for step in self._steps if step.side_branch],
        )
        asked = settings.model_dump(
            mode="json", include={"backbones", "finetune", "epochs", "augment", "copies", "seed"}
        )
        record = self.run_folder.json("audit.json")
        told = shortcut_caveats(record)  # says what H2H305 says
        found = [one for one in audit_caveats(record) if not (told and "(H2H305)" in one)]
        caveats = [*told, *found, *content["caveats"]]
        return content | {
            "caveats": caveats,
            "asked": asked,
            "notes": list(outcome.notes),
            "minutes": round((time.monotonic() - self._started) / 60, 1),
            "model": outcome.model,
        }
