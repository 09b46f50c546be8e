"""Evaluate models on data that they were not trained on: predictions, leak check, scores, shift, paired verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import DataError, UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.data.options import LoadOptions
from headtohead.deploy.evaluation.answers import ModelAnswers, predict_dataset
from headtohead.deploy.evaluation.judge import (
    at_thresholds,
    calibration_shift,
    compare_internal,
    conformal_on_data,
)
from headtohead.deploy.evaluation.leaks import check_leaks, near_copies_caveat
from headtohead.deploy.evaluation.lines import (
    OTHER_UNITS,
    ScoreLines,
    same_units,
    score_lines,
    warn_of_readings,
)
from headtohead.deploy.evaluation.records import Evaluation, FailedImage, LeakCheck, ModelEvaluation
from headtohead.deploy.evaluation.write import write_evaluation
from headtohead.deploy.model import DeployedModel
from headtohead.evaluate.external.per_case import case_rule
from headtohead.stats.inner_predictions import InnerCell
from headtohead.stats.metrics.registry import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset
    from headtohead.stats.resampled import ResampledPredictions

__all__ = ["EvaluationRequest", "EvaluationResult", "evaluate_models"]


@dataclass(frozen=True)
class EvaluationRequest:
    """What models are to be evaluated on, and how.

    Attributes:
        data: images with labels. options: how they are read.
        out: folder of the results.
        metric: the primary metric, fixed beforehand.
        by: columns that scores are split by, such as the site.
        recalibrate: fit a temperature here too, judged by cross-fitting.
        keep_training: score images that were in training too; the verdict is then refused.
        per: "case" (or "case:mean", "case:max") scores each case (group) once; None each image.
    """

    data: str
    out: Path
    options: LoadOptions = field(default_factory=LoadOptions)
    metric: str = "auroc"
    by: tuple[str, ...] = ()
    recalibrate: bool = False
    keep_training: bool = False
    level: float = 0.95
    n_boot: int = 2000
    seed: int = 0
    per: str | None = None


@dataclass(frozen=True)
class EvaluationResult:
    """What was found, and the verdict behind it."""

    evaluation: Evaluation
    verdict: Verdict
    out: Path


def evaluate_models(
    models: Sequence[DeployedModel], request: EvaluationRequest, reporter: Reporter = QUIET
) -> EvaluationResult:
    """Evaluate models on labelled images and write the results.

    Raises:
        UsageError: no model, or models of different classes.
        DataError: labels that the models do not have, or no image can be predicted.
        NoEffectError, ManifestError: scores per case where every case has one image, or a case has several labels.
        LeakageError: every image was in training.
    """
    classes = _shared_classes(models)
    warn_of_readings(models, request.options, reporter)
    if request.per is not None:
        case_rule(request.per)  # refused before anything is predicted
    names = _unique_names(models)
    dataset = _grouped(_load(request, classes, reporter), request, reporter)
    answers = {
        name: predict_dataset(model, dataset, name, reporter)
        for name, model in zip(names, models, strict=True)
    }
    kept, leaks = check_leaks(dataset.samples, answers, keep_training=request.keep_training)
    frame = _frame(dataset, answers, classes, kept)
    lines = score_lines(frame, dataset.samples, models[0], request.by, request.per)
    verdict = _verdict(lines, names, models[0], request, leaks, reporter)
    resampled = _resampled(lines.frame, models[0], names, request)
    # A conformal set promises to hold the class of an image, so images are counted also where cases are scored.
    of_images = resampled if request.per is None else _resampled(frame, models[0], names, request)
    found = tuple(
        _of_model(name, model, answers[name], leaks[name], verdict, (resampled, of_images), request)
        for name, model in zip(names, models, strict=True)
    )
    evaluation = Evaluation(
        data=Path(request.data).name,
        n_samples=len(dataset),
        n_scored=len(kept),
        n_groups=len({dataset.samples[i].group for i in kept}),
        models=found,
        sentences=_sentences(found, request.metric, verdict),
        per=None if request.per is None else f"case:{case_rule(request.per)}",
        caveats=(
            *lines.notes,
            *(near_copies_caveat(n, m.reference, answers[n]) for n, m in zip(names, models, strict=True)),
        ),
    )
    predictions = {name: found.predictions for name, found in answers.items()}
    write_evaluation(request.out, evaluation, verdict, frame, dataset, predictions)
    return EvaluationResult(evaluation, verdict, request.out)


def _shared_classes(models: Sequence[DeployedModel]) -> tuple[str, ...]:
    if not models:
        raise UsageError("No model was given; expected at least one folder that `headtohead train` wrote.")
    first = models[0]
    for model in models[1:]:
        if (model.classes, model.positive) != (first.classes, first.positive):
            raise UsageError(
                f"Got models of different classes: {first.name} has {', '.join(first.classes)}, {model.name} has "
                f"{', '.join(model.classes)}. Evaluate them one by one."
            )
    return first.classes


def _unique_names(models: Sequence[DeployedModel]) -> list[str]:
    counts = Counter(model.name for model in models)
    names = [f"{m.name} {m.digest[:8]}" if counts[m.name] > 1 else m.name for m in models]
    if len(set(names)) < len(names):
        raise UsageError("The same model was given twice; give each once.")
    return names


def _load(request: EvaluationRequest, classes: tuple[str, ...], reporter: Reporter) -> Dataset:
    from headtohead.data.load import load

    dataset = load(request.data, request.options, reporter)
    unknown = sorted(set(dataset.classes) - set(classes))
    if unknown:
        raise DataError(
            f"The data hold the labels {', '.join(unknown)}, and the model has {', '.join(classes)}. Rename "
            f"them with --map-labels, such as --map-labels {unknown[0]}={classes[-1]}, or leave them out with --drop."
        )
    return dataset


def _grouped(dataset: Dataset, request: EvaluationRequest, reporter: Reporter) -> Dataset:
    """Return the images with the groups of their copies, and write what the audit found."""
    from headtohead.audit.audit import audit
    from headtohead.audit.context import AuditConfig

    result = audit(dataset, AuditConfig(seed=request.seed), reporter=reporter)
    result.write(request.out, reporter)
    return dataset.with_groups(result.grouping.groups)


def _frame(
    dataset: Dataset, answers: Mapping[str, ModelAnswers], classes: tuple[str, ...], kept: list[int]
) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name, found in answers.items():
        for i in kept:
            sample = dataset.samples[i]
            # a finished model has no folds: one repeat of one fold
            line: dict[str, Any] = {
                "sample": sample.id, "group": sample.group, "repeat": 0, "fold": 0, "contender": name,
                "label": sample.label,
            }  # fmt: skip
            rows.append(line | {f"prob_{c}": found.predictions[i].probabilities[c] for c in classes})
    return pd.DataFrame(rows)


def _verdict(
    lines: ScoreLines,
    names: Sequence[str],
    model: DeployedModel,
    request: EvaluationRequest,
    leaks: Mapping[str, LeakCheck],
    reporter: Reporter,
) -> Verdict:
    from headtohead.evaluate.verdict import VerdictConfig, compute_verdict

    sentences = (
        [one.sentence for one in leaks.values() if one.samples or one.near_copies]
        if request.keep_training
        else []
    )
    return compute_verdict(
        lines.frame,
        VerdictConfig(
            classes=model.classes,
            positive=model.positive,
            metric=request.metric,
            contenders=tuple(names),
            level=request.level,
            n_boot=request.n_boot,
            seed=request.seed,
        ),
        by=lines.by or None,
        leaks=tuple(sentences),
        notes=lines.notes,
        reporter=reporter,
    )


def _resampled(
    frame: pd.DataFrame, model: DeployedModel, names: Sequence[str], request: EvaluationRequest
) -> ResampledPredictions:
    from headtohead.stats.intervals.resampling import make_resamples
    from headtohead.stats.prediction_builder import build_prediction_table
    from headtohead.stats.resampled import ResampledPredictions

    table = build_prediction_table(
        frame, classes=model.classes, positive=model.positive, contenders=tuple(names)
    )
    # drawn as in the verdict, so that intervals of both come from the same resamples
    resamples = make_resamples(table.n_groups, request.n_boot, request.seed)
    return ResampledPredictions(table, resamples, request.level, request.seed)


def _of_model(
    name: str,
    model: DeployedModel,
    answers: ModelAnswers,
    leak: LeakCheck,
    verdict: Verdict,
    predictions: tuple[ResampledPredictions, ResampledPredictions],
    request: EvaluationRequest,
) -> ModelEvaluation:
    resampled, of_images = predictions
    scores = tuple(score for score in verdict.scores if score.contender == name)
    (lines,) = resampled.table.of(name)
    cell = InnerCell(lines.label, lines.group, lines.prob)
    estimate, said = model.estimate_record, answers.predictions
    units = same_units(request.per, estimate.per)
    return ModelEvaluation(
        name=name,
        digest=model.digest,
        leak=leak,
        failed=tuple(FailedImage(sample=a.path, error=a.error) for a in said if a.error is not None),
        flags=dict(Counter(flag for answer in said for flag in answer.flags)),
        expected_flags=model.reference.false_alarms,
        internal=compare_internal(scores, estimate.scores, estimate.calibrated, comparable=units),
        calibration=calibration_shift(scores, cell, recalibrate=request.recalibrate, seed=request.seed),
        conformal=conformal_on_data(of_images, name, model.calibration),
        thresholds=at_thresholds(resampled, name, model.config.thresholds),
        caveats=(*estimate.caveats, *(() if units else (OTHER_UNITS,))),
    )


def _sentences(found: Sequence[ModelEvaluation], metric: str, verdict: Verdict) -> tuple[str, ...]:
    sentences, title = [], METRICS[metric].title if metric in METRICS else metric
    for model in found:
        sentences.append(model.leak.sentence)
        for line in (one for one in model.internal if one.metric == metric):
            if line.difference.value is None:
                sentences.append(
                    f"{model.name}: {title} {line.external} here; cross-validated {line.internal}, not compared."
                )
                continue
            words = "differs from" if line.shifted else "agrees, within its interval, with"
            sentences.append(
                f"{model.name}: {title} {line.external} here {words} the cross-validated {line.internal}."
            )
        sentences.append(f"{model.name}: {model.calibration.sentence}")
        if model.failed:
            sentences.append(
                f"{model.name}: {len(model.failed)} images have no prediction and are in no score."
            )
    if len(found) > 1:
        sentences.append(verdict.sentence)
    return tuple(dict.fromkeys(sentences))
