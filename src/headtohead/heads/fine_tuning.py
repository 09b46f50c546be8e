"""Fine-tuning as a head: the backbone learns with its classifier, on the training part alone.

The fixed policy chooses nothing: it trains the number of epochs that was stated beforehand on the
whole training part. The inner policy chooses on one inner grouped fold and then trains on the whole
training part. The test part is touched once, by the last `predict`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import NoEffectError
from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import FoldJob, FoldResult, TrainingData
from headtohead.training.checkpoint import fingerprint
from headtohead.training.data_loader import DatasetImages, ImageSource, get_augmenter
from headtohead.training.records import fit_metrics
from headtohead.training.settings import FinetuneSettings
from headtohead.training.tuning.hyperparameter_search import Trial, best_trial, next_settings
from headtohead.training.tuning.trial_budget import TrialBudget

if TYPE_CHECKING:
    from torch import nn

    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.recipe import Recipe
    from headtohead.training.trainer import Subset, Trainer

__all__ = ["FineTuningHead", "settings_for_scratch"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
INNER = 5


def settings_for_scratch(record: BackboneRecord, settings: FinetuneSettings) -> FinetuneSettings:
    """Return the settings that make sense for the record's weights.

    Random weights have no statistics to freeze, no features to start a head from, and no reason to
    learn more slowly near the stem.
    """
    if record.source != "scratch":
        return settings
    return settings.model_copy(update={"batch_norm": "train", "head_start": "random", "layer_decay": 1.0})


@dataclass(frozen=True)
class TrainingJob:
    """One training to be done: on what, with what, from which seed, under which name."""

    name: str
    indices: Ints
    settings: FinetuneSettings
    seed: int
    until: int


class FineTuningHead:
    """Fine-tune a backbone in each cell.

    Args:
        record, dataset, recipe: which network, which images, which part of them.
        settings: fixed before any scored image is looked at.
        device: "auto", "cpu", "cuda", "mps"; precision: "auto", "fp32", "bf16".
        build: makes the backbone from (seed, drop_path); by default the record's.
        images: where images come from; by default the data set under the recipe.
        purse: from a cell's work folder to what it may spend on trials; by default what the settings say.
        told: called with the file of the training's lines after each epoch.
        note: called with the cell, its trials so far and the stated settings after each trial.
    """

    def __init__(
        self,
        record: BackboneRecord,
        dataset: Dataset | None,
        recipe: Recipe | None,
        settings: FinetuneSettings | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        build: Callable[[int, float], nn.Module] | None = None,
        images: ImageSource | None = None,
        purse: Callable[[Path], TrialBudget] | None = None,
        told: Callable[[Path], None] | None = None,
        note: Callable[[FoldJob, Sequence[Trial], FinetuneSettings], None] | None = None,
    ) -> None:
        self.record = record
        self._purse, self._told, self._note = purse, told, note
        self.settings = settings_for_scratch(record, settings or FinetuneSettings())
        self._device, self._precision = device, precision
        self._build = build
        self._recipe = recipe.digest() if recipe is not None else ""
        if images is None:
            if dataset is None or recipe is None:
                raise NoEffectError("Give a dataset and a recipe, or images.")
            images = DatasetImages(dataset, record, recipe)
        self._images = images

    def fit_predict(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Train on `cell.train` under the policy, predict `cell.test` once."""
        workdir.mkdir(parents=True, exist_ok=True)
        if isinstance(self._images, DatasetImages):
            self._images.prepare(reporter)
        trial, chosen = self._choose(cell, data, workdir, reporter)
        job = TrainingJob("main", cell.train, trial.settings, cell.seed, trial.epoch)
        training = self._train(job, data, None, workdir, reporter)
        train_rows, test_rows = training.predict(cell.train), training.predict(cell.test)
        inner_rows = trial.rows if trial.rows is not None else self._held_out(cell, data, workdir, reporter)
        labels = data.labels[cell.train]
        lines = tuple(training.lines) if trial.held is None else _joined(training, trial)
        told = {
            **chosen,
            "epochs": trial.epoch,
            "bf16": training.bf16,
            "parameters_trained": sum(p.numel() for p in training.learning),
            "settings": trial.settings.model_dump(mode="json"),
        }
        for left in workdir.glob("*.pt"):
            left.unlink()
        inner = fit_metrics(labels, inner_rows)
        return FoldResult(test_rows, inner_rows, fit_metrics(labels, train_rows), inner, told, lines)

    def _choose(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter
    ) -> tuple[Trial, dict[str, Any]]:
        """Return what to train for how long; under "fixed" that is what was stated."""
        s = self.settings
        if s.policy == "fixed":
            return Trial(s, s.epochs, None, None), {"policy": "fixed: nothing was chosen"}
        from headtohead.data.splits.folds import inner_folds
        from headtohead.training.trainer import Subset

        labels = data.labels[cell.train]
        fit, held = inner_folds(labels, data.groups[cell.train], INNER, cell.seed)[0]
        part = Subset(cell.train[held], labels[held])
        purse = None if self._purse is None else self._purse(workdir)
        trials: list[Trial] = []
        while (settings := next_settings(s, trials, cell.seed)) is not None:
            number, started = len(trials), time.perf_counter()
            if purse is not None and not purse.can_start(number):
                break
            job = TrainingJob(
                f"trial{number}", cell.train[fit], settings, _seed(cell.seed, 1, number), s.epochs
            )
            done = self._train(job, data, part, workdir, reporter)
            trials.append(Trial.of(settings, done.lines, done.held_rows, held, len(cell.train)))
            done.drop_weights(workdir / f"{job.name}.pt", self._key(job, data, part, done))
            if purse is not None:
                purse.record_spent(number, started, done.seconds_before)
            if self._note is not None:
                self._note(cell, trials, s)
        best = best_trial(trials)
        return best, {
            "policy": f"inner: one grouped fold of {INNER}, by log loss",
            "trials": [trial.record() for trial in trials],
            "inner_images": len(held),
        }

    def inner_parts(self, cell: FoldJob, data: TrainingData) -> list[tuple[Ints, Ints]]:
        """Return the (fit, held) places in the training part from which inner probabilities come."""
        from headtohead.data.splits.folds import inner_folds

        labels, groups = data.labels[cell.train], data.groups[cell.train]
        if self.settings.policy == "inner":
            return inner_folds(labels, groups, INNER, cell.seed)[:1]
        folds = self.settings.inner_folds
        return inner_folds(labels, groups, folds, cell.seed) if folds else []

    def refit(
        self,
        fit: Ints,
        asked: Sequence[Ints],
        data: TrainingData,
        chosen: Mapping[str, Any],
        *,
        seed: int,
        name: str,
        workdir: Path,
        reporter: Reporter,
    ) -> list[Floats]:
        """Train on samples `fit` from another seed as was chosen; return what it says of what is asked."""
        if isinstance(self._images, DatasetImages):
            self._images.prepare(reporter)
        settings = FinetuneSettings.model_validate(chosen["settings"])
        job = TrainingJob(
            name, fit, settings.model_copy(update={"workers": self.settings.workers}), seed, chosen["epochs"]
        )
        training = self._train(job, data, None, workdir, reporter)
        return [training.predict(indices) for indices in asked]

    def _held_out(self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter) -> Floats:
        """Return (n_train, k) probabilities from repeating the fixed policy on inner folds, or NaN."""
        rows = np.full((len(cell.train), len(data.classes)), np.nan)
        for number, (fit, held) in enumerate(self.inner_parts(cell, data)):
            seed = _seed(cell.seed, 2, number)
            job = TrainingJob(f"inner{number}", cell.train[fit], self.settings, seed, self.settings.epochs)
            rows[held] = self._train(job, data, None, workdir, reporter).predict(cell.train[held])
        return rows

    def _train(
        self, job: TrainingJob, data: TrainingData, held: Subset | None, workdir: Path, reporter: Reporter
    ) -> Trainer:
        """Return a finished training; it goes on from its checkpoint where there is one."""
        from headtohead.training.setup import loader, start_training
        from headtohead.training.trainer import Subset

        training = start_training(
            self._build or loader(self.record),
            self._images,
            get_augmenter(job.settings.augment),
            Subset(job.indices, data.labels[job.indices]),
            job.settings,
            seed=job.seed,
            k=len(data.classes),
            device=self._device,
            precision=self._precision,
            reporter=reporter,
        )
        training.on_epoch_end = self._told
        key = self._key(job, data, held, training)
        training.run(job.until, held, workdir / f"{job.name}.pt", key, reporter)
        return training

    def _key(self, job: TrainingJob, data: TrainingData, held: Subset | None, training: Trainer) -> str:
        return fingerprint(
            {
                "record": self.record.model_dump(mode="json"),
                "recipe": self._recipe,
                "settings": job.settings.model_dump(mode="json", exclude={"workers"}),
                "seed": job.seed,
                "images": [self._images.number(int(index)) for index in job.indices],
                "labels": hashlib.sha256(data.labels[job.indices].tobytes()).hexdigest(),
                "held": [] if held is None else held.indices.tolist(),
                "bf16": training.bf16,
                "network": [list(p.shape) for p in training.net.parameters()],
            }
        )


def _joined(training: Trainer, trial: Trial) -> tuple[Any, ...]:
    """Return the final training's curve with the inner figures of the trial that chose its length."""
    told = trial.lines[: len(training.lines)]
    return tuple(
        replace(line, inner_loss=inner.inner_loss, inner_accuracy=inner.inner_accuracy)
        for line, inner in zip(training.lines, told, strict=True)
    )


def _seed(seed: int, kind: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, kind, number]).generate_state(1, np.uint32)[0])
