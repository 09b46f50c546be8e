"""From a finished run to a bundle: fit on all images, calibrate on out-of-fold predictions, describe, write."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import HeadToHeadError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.data.dataset import CHOSEN_CHANNELS
from headtohead.deploy.bundle.card import model_card
from headtohead.deploy.bundle.files import check_free, write_bundle
from headtohead.deploy.bundle.records import (
    BundleCalibration,
    BundleConfig,
    GuardReference,
    NamedThreshold,
    PreprocessorConfig,
)
from headtohead.deploy.guard.guard import GUARD, PRINTS
from headtohead.deploy.network.load import NETWORK
from headtohead.deploy.training.calibrate import fit_calibration, out_of_fold_lines
from headtohead.deploy.training.estimate import estimate_of, fidelity_of
from headtohead.deploy.training.fit import FittedContender, fit_contender
from headtohead.deploy.training.shipped_text import without_folders, without_names
from headtohead.deploy.training.source import RunSource

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset

__all__ = ["TrainRequest", "train_bundle"]


@dataclass(frozen=True)
class TrainRequest:
    """What is to be trained and where to.

    Attributes:
        run: folder of the finished run. out: folder of the bundle.
        contender: of the run; the verdict's winner if None.
        data: where the images are now; as in the run if None.
        name: of the model; the contender's if None.
        accept_refused: train although the verdict was refused, which goes into the card.
        self_contained: put the weights of frozen networks into the bundle too.
        calibration: "temperature" or "venn-abers".
        cache: of features.
    """

    run: Path
    out: Path
    contender: str | None = None
    data: str | None = None
    name: str | None = None
    accept_refused: bool = False
    self_contained: bool = True
    calibration: str = "temperature"
    cache: Path | None = None


def train_bundle(request: TrainRequest, reporter: Reporter = QUIET) -> str:
    """Train a contender of a finished run on all its images, write the bundle, return its digest.

    Raises:
        RunFolderError: no finished run.
        ChangedDataError: the images are not those of the run.
        UsageError: no such contender, or one that no bundle can hold.
        BundleError: the folder of the bundle holds other files.
        HeadToHeadError: the verdict was refused, and that was not accepted.
    """
    check_free(request.out)  # before a training that may take hours
    source = RunSource.open(request.run)
    contender = source.contender(request.contender)
    refused = source.refusal(contender)
    if refused and not request.accept_refused:
        raise HeadToHeadError(
            f"The run refused a verdict on {contender} ({refused}) A model made from it carries the same doubt. "
            "Repair the data and compare again, or train anyway with --accept-refused, which the model card will state."
        )
    dataset = source.dataset(request.data, reporter)
    # Before the training, since it refuses a method that the classes do not allow.
    calibration, thresholds = _calibration(source, contender, dataset, request.calibration)
    work = request.out.with_name(f".{request.out.name}.work")  # an interrupted training goes on there
    fitted = _fitted(source, contender, dataset, request, work, reporter)
    if not request.self_contained:
        kept = fitted.parts.leave_out_frozen()
        if kept:
            reporter.info(
                f"The weights of {', '.join(kept)} stay in the model: no other machine could load them."
            )
    config = BundleConfig(
        name=request.name or contender,
        contender=contender,
        classes=dataset.classes,
        positive=dataset.positive,
        thresholds=thresholds,
        default_threshold="half" if thresholds else None,
        bodies=tuple(fitted.parts.bodies),
        members=tuple(fitted.parts.members),
        combination=fitted.combination,
        refused=without_names(refused, dataset.samples),
    )
    digest = _write(request.out, source, dataset, config, calibration, fitted, reporter)
    shutil.rmtree(work, ignore_errors=True)
    return digest


def _calibration(
    source: RunSource, contender: str, dataset: Dataset, method: str
) -> tuple[BundleCalibration, tuple[NamedThreshold, ...]]:
    lines = out_of_fold_lines(source.folder.table("predictions.parquet"), contender)
    return fit_calibration(lines, dataset.classes, method=method)


def _fitted(
    source: RunSource, contender: str, dataset: Dataset, request: TrainRequest, work: Path, reporter: Reporter
) -> FittedContender:
    from headtohead.contenders.mode import BuildContext, FeatureSource
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.core.cache_home import cache_home
    from headtohead.heads.base import FoldJob, FoldResult, SampleLabels

    def no_cells(name: str, job: FoldJob) -> FoldResult:
        raise HeadToHeadError(f"The cell of {name} (fold {job.fold}) was asked for outside a run.")

    config = source.config.model_copy(update={"precision": "fp32"})  # in which a bundle computes
    features = FeatureSource(
        dataset,
        source.recipe(),
        config,
        request.cache or cache_home() / "features",
        lambda *_: None,
        reporter,
    )
    plan = ContenderPlan.parse([contender], source.config.mode)
    data = SampleLabels(dataset.labels(), dataset.groups(), dataset.classes)
    reporter.info(f"{contender} is trained on all {len(dataset)} images.")
    return fit_contender(plan, contender, BuildContext(features, no_cells), data, work, reporter)


def _write(
    out: Path,
    source: RunSource,
    dataset: Dataset,
    config: BundleConfig,
    calibration: BundleCalibration,
    fitted: FittedContender,
    reporter: Reporter,
) -> str:
    from safetensors.torch import save

    options = source.config.data_options
    taken = {
        "channels": options.channels,
        "plain_formats": plain_formats(dataset.samples),
        "volume": options.volume,
    }
    preprocessing = fitted.parts.preprocessing().model_copy(update=taken)
    reference, guard = _guard(source, dataset, config, preprocessing, fitted, reporter)
    fidelity = fidelity_of(source.config, config)
    estimate = estimate_of(source, config.contender, fidelity, dataset.samples, method=calibration.method)
    # safetensors refuses tensors that share memory
    tensors = {NETWORK + name: t.detach().contiguous().clone() for name, t in fitted.parts.tensors.items()}
    tensors |= {GUARD + name: _tensor(rows) for name, rows in guard.items()}
    records = {
        "config.json": config,
        "preprocessor_config.json": preprocessing,
        "calibration.json": calibration,
        "reference.json": reference,
        "estimate.json": estimate,
    }
    documents = {name: record.model_dump(mode="json") for name, record in records.items()}
    documents["provenance.json"] = _provenance(source, dataset, fitted)
    files = {name: _json(content) for name, content in without_folders(documents).items()}
    card = model_card(config, preprocessing, calibration, reference, estimate)
    files["README.md"] = without_folders(card).encode()
    files["model.safetensors"] = save(tensors, metadata={"format": "pt"})
    return write_bundle(out, files)


def plain_formats(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the formats of files that were read as stored where channels of others were chosen.

    >>> plain_formats([])
    ()
    """
    # Of a run without any mark it is not known.
    if not any(CHOSEN_CHANNELS in sample.extra for sample in samples):
        return ()
    return tuple(sorted({sample.format for sample in samples if CHOSEN_CHANNELS not in sample.extra}))


def _guard(
    source: RunSource,
    dataset: Dataset,
    config: BundleConfig,
    preprocessing: PreprocessorConfig,
    fitted: FittedContender,
    reporter: Reporter,
) -> tuple[GuardReference, dict[str, Any]]:
    """Return the guard's limits and arrays, from the training images as the finished network sees them."""
    from headtohead.deploy.network.graph import build_network
    from headtohead.deploy.network.runtime import TorchRuntime
    from headtohead.deploy.predict.prepare import Preprocessor
    from headtohead.deploy.training.reference import (
        guard_reference,
        prints_of,
        training_pass,
        with_prints,
    )

    network = build_network(config, [spec.input_size for spec in preprocessing.inputs])
    network.load_state_dict(fitted.parts.tensors, strict=all(body.stored for body in config.bodies))
    runtime = TorchRuntime(network)
    seen = training_pass(dataset, Preprocessor(preprocessing), runtime.forward_features, reporter)
    tuned = any(body.tuned for body in config.bodies)
    reference, guard = guard_reference(dataset, seen, seed=source.config.seed, tuned=tuned)
    prints, of_copies = prints_of(dataset, reporter)
    return with_prints(reference, of_copies), {**guard, PRINTS: prints}


def _provenance(source: RunSource, dataset: Dataset, fitted: FittedContender) -> dict[str, Any]:
    """Return from what the model was made: versions, data, recipe, settings and chosen parameters."""
    from headtohead.core.provenance import collect

    about = collect()
    del about["command"]  # its words may name folders and patients; the settings below repeat what it stated
    return {
        "format": 1,
        **about,
        "seed": source.config.seed,
        "data": dataset.digest(),
        # places on this machine, which may name people
        "settings": source.config.model_dump(mode="json", exclude={"data", "groups"}),
        "recipe_digest": source.recipe().digest(),
        "chosen": {name: dict(chosen) for name, chosen in fitted.chosen.items()},
    }


def _tensor(rows: Any) -> Any:
    import torch

    return torch.from_numpy(rows).contiguous()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
