"""From a verdict to use: train a model, load it, evaluate it on other data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from headtohead.api.arguments import names_of, path_of, reporter_for, source_of
from headtohead.core.atomic_io import check_writable
from headtohead.core.errors import NoEffectError, UsageError, unknown_name

if TYPE_CHECKING:
    from pathlib import Path

    from headtohead.data.options import LoadOptions
    from headtohead.deploy.evaluation.evaluate import EvaluationResult
    from headtohead.deploy.model import DeployedModel

__all__ = ["evaluate", "load_model", "train"]


def train(
    data: str | os.PathLike[str] | None = None,
    contender: str | None = None,
    *,
    out: str | os.PathLike[str],
    run: str | os.PathLike[str] | None = None,
    name: str | None = None,
    accept_refused: bool = False,
    self_contained: bool = True,
    calibration: str = "temperature",
    quiet: bool = False,
    **settings: Any,
) -> DeployedModel:
    """Train a contender on all images and write it as a model that can be used elsewhere.

    Calibration, conformal sets, thresholds and the estimate come from cross-validated predictions on whole groups:
    those of the finished run, or of a run that is made first, beside the model.

    Args:
        data: the images; with `run` only where they lie elsewhere now.
        contender: what to train; with `run` the verdict's winner if None.
        out: folder of the model.
        run: folder of a finished run of `compare`, whose recipe, settings and estimate are taken.
        name: of the model; the contender's if None.
        accept_refused: train although the run refused a verdict, which goes into the model card.
        self_contained: put the weights of frozen networks into the model too.
        calibration: "temperature", or "venn-abers" for two classes.
        quiet: show no progress.
        **settings: of `compare`, where no run is given.

    Returns:
        the model, loaded from its folder.

    Raises:
        NoEffectError: settings beside a run that has its own.
        UsageError: neither a run nor data and contender.
        HeadToHeadError: whatever else headtohead explains.
    """
    from headtohead.deploy.training.calibrate import check_method
    from headtohead.deploy.training.train import TrainRequest, train_bundle

    reporter = reporter_for(quiet)
    folder = check_writable(path_of(out, "out"), folder=True)
    # Before a run that may take hours; how many classes there are is looked at later.
    check_method(calibration, ("", ""))
    request = TrainRequest(
        _run_beside(folder, data, contender, settings, quiet=quiet)
        if run is None
        else _given_run(run, settings),
        folder,
        contender,
        data=None if data is None else source_of(data),
        name=name,
        accept_refused=accept_refused,
        self_contained=self_contained,
        calibration=calibration,
    )
    train_bundle(request, reporter)
    return load_model(folder)


def _given_run(run: str | os.PathLike[str], settings: Mapping[str, Any]) -> Path:
    """Return the folder of the run that was given; settings are refused.

    Raises:
        NoEffectError: there are settings.
    """
    if settings:
        raise NoEffectError(
            f"{', '.join(sorted(settings))} would have no effect: the run has its own settings. Leave them out, or "
            "train without a run."
        )
    return path_of(run, "run")


def _run_beside(
    out: Path,
    data: str | os.PathLike[str] | None,
    contender: str | None,
    settings: Mapping[str, Any],
    *,
    quiet: bool,
) -> Path:
    """Return a finished run of this one contender, made in `<out>.run`.

    Raises:
        UsageError: no data or no contender.
    """
    from headtohead.api.studies import compare

    if data is None or contender is None:
        raise UsageError("Give the images and a contender, or a finished run with `run`.")
    folder = out.with_name(f"{out.name}.run")
    compare(source_of(data), contender, out=folder, quiet=quiet, **settings)
    return folder


def load_model(
    path: str | os.PathLike[str], *, strict: bool = False, runtime: str | None = None
) -> DeployedModel:
    """Load a model after each of its files was compared with its checksum.

    Args:
        path: the folder that `train` wrote, or a file that `export` wrote.
        strict: refuse to predict an image that the guard flags.
        runtime: "torch", "openvino", "onnxruntime", or "auto" for the fastest that agrees with torch; torch, or
            the exported file's own, if None.

    Returns:
        the model; `predict(files)` yields a record per image.

    Raises:
        BundleError: no model, or a file is missing or was changed.
        PrecisionError: the runtime asked for does not agree with torch.
        MissingExtraError: the runtime asked for is not installed.
    """
    from headtohead.deploy.load import load_model as load

    return load(path_of(path, "path"), strict=strict, runtime=runtime, reporter=reporter_for(quiet=False))


def evaluate(
    models: DeployedModel | str | os.PathLike[str] | Iterable[DeployedModel | str | os.PathLike[str]],
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    metric: str = "auroc",
    map_labels: Mapping[str, str] | None = None,
    drop: str | Iterable[str] = (),
    by: str | Iterable[str] = (),
    recalibrate: bool = False,
    keep_training: bool = False,
    per: str | None = None,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
    quiet: bool = False,
    **reading: Any,
) -> EvaluationResult:
    """Evaluate models on labelled images that they were not trained on.

    Images that were in training are found by the hashes in the model and left out, with their copies.

    Args:
        models: a model, its folder, or several; several are compared in pairs, as the fixed models that they are.
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set.
        out: folder of the results: evaluation.json, scores.json, verdict.json, predictions.csv.
        metric: the primary metric, fixed beforehand.
        map_labels: label of the data -> class of the model.
        drop: labels to leave out, a list or one text with commas.
        by: columns that scores are split by, such as the site; likewise.
        recalibrate: fit a temperature here too, and say by cross-fitting what it would change.
        keep_training: score images that were in training too; then no verdict is given.
        per: "case" (or "case:mean") scores each case (group) once, by the mean probability of its images; "case:max" by
            that of the image with the highest probability of the positive class.
        level: confidence of the intervals.
        n_boot: bootstrap resamples of groups.
        seed: of the resampling.
        quiet: show no progress.
        **reading: further options for reading the data, those of `LoadOptions`: columns, label_from, group_from,
            label_has, against, drop_unlabelled, include, exclude, pages, slices, channels, volume, max_megapixels, ….

    Returns:
        what was found, and the verdict behind it.

    Raises:
        HeadToHeadError: anything that headtohead explains: labels, leaks, unreadable data, a damaged model.
    """
    from headtohead.deploy.evaluation.evaluate import EvaluationRequest, evaluate_models
    from headtohead.deploy.model import DeployedModel as Model

    folder = check_writable(path_of(out, "out"), folder=True)
    given = [models] if isinstance(models, (str, os.PathLike, Model)) else list(models)
    loaded = [one if isinstance(one, Model) else load_model(one) for one in given]
    columns = names_of(by, "by") if by else ()
    left = frozenset(names_of(drop, "drop")) if drop else frozenset()
    options = _load_options(reading, map_labels=dict(map_labels or {}), drop=left, by=columns)
    request = EvaluationRequest(
        source_of(data), folder, options, metric, columns, recalibrate, keep_training, level, n_boot,
        seed, per,
    )  # fmt: skip
    return evaluate_models(loaded, request, reporter_for(quiet))


def _load_options(reading: Mapping[str, Any], **own: Any) -> LoadOptions:
    """Return the options for reading the data.

    Args:
        reading: further options, by name. own: those that have a parameter of their own.

    Raises:
        UnknownNameError: an option that does not exist, or the positive class, which is the model's.
    """
    from headtohead.data.options import LoadOptions as Options

    known = {field.name for field in fields(Options)} - {*own, "positive"}
    for name in reading:
        if name not in known:
            raise unknown_name("option", name, known)
    return Options(**own, **reading)
