"""The lines that a comparison scores: one an image, or one a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtohead.core.progress import Reporter
from headtohead.core.records import Verdict
from headtohead.evaluate.external.per_case import case_rule, case_values, predictions_per_case

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.core.config import StudyConfig
    from headtohead.core.run_folder import RunFolder
    from headtohead.data.dataset import Dataset
    from headtohead.data.splits.folds import CrossValidationSplits

__all__ = ["ScoredLines", "computed_verdict", "scored_lines"]


@dataclass(frozen=True, slots=True)
class ScoredLines:
    """What `compute_verdict` takes.

    Attributes:
        predictions: of test images or cases. inner: of training images or cases. by: subgroups.
        notes: how the lines were made, if not one an image.
    """

    predictions: pd.DataFrame
    inner: pd.DataFrame
    by: Mapping[str, Mapping[str, str]] | None
    notes: tuple[str, ...] = ()


def scored_lines(
    predictions: pd.DataFrame,
    inner: pd.DataFrame,
    by: Mapping[str, Mapping[str, str]] | None,
    dataset: Dataset,
    per: str | None,
) -> ScoredLines:
    """Return the lines as they are, or one per case (group) by the rule of `per`.

    Args:
        predictions: out-of-fold, one line per image. inner: the same of training images.
        by: subgroup column -> sample -> value, None where none is asked for.
        dataset: whose classes and groups these are.
        per: "case", "case:mean", "case:max" or None.

    Raises:
        UsageError, NoEffectError, ManifestError: as for `predictions_per_case`.
    """
    if per is None:
        return ScoredLines(predictions, inner, by)
    rule = case_rule(per)
    cases, said = predictions_per_case(predictions, dataset.classes, dataset.positive, rule)
    inner_cases = inner
    if len(inner):
        inner_cases, _ = predictions_per_case(inner, dataset.classes, dataset.positive, rule, inner=True)
    group_of = {sample.id: sample.group for sample in dataset.samples}
    values = {name: case_values(found, group_of, name) for name, found in (by or {}).items()}
    return ScoredLines(cases, inner_cases, values, (said,))


def computed_verdict(
    config: StudyConfig, dataset: Dataset, splits: CrossValidationSplits, run: RunFolder, reporter: Reporter
) -> Verdict:
    """Return what the predictions in a run folder say.

    Args:
        config: of the study. dataset: the grouped samples. splits: the folds, for what leaks.
        run: the run folder, with `predictions.parquet` and `inner.parquet`. reporter: shows progress.

    Raises:
        HeadToHeadError: as for `compute_verdict`.
    """
    from headtohead.evaluate.verdict import compute_verdict
    from headtohead.studies.preflight import subgroups, verdict_config
    from headtohead.studies.report_inputs import inner_predictions

    predictions = run.table("predictions.parquet")
    inner = inner_predictions(run, splits, predictions, reporter)
    scored = scored_lines(predictions, inner, subgroups(config.by, dataset), dataset, config.per)
    return compute_verdict(
        scored.predictions,
        verdict_config(config, dataset),
        inner=scored.inner,
        by=scored.by,
        leaks=tuple(str(leak) for leak in splits.leaks),
        notes=scored.notes,
        reporter=reporter,
    )
