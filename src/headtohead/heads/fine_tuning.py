"""The fine-tuning head: the backbone learns with its classifier, on the training part alone.

The fixed policy chooses nothing: it trains the number of epochs that was stated beforehand on the
whole training part. The policies "rate" and "inner" choose on one inner grouped fold (the learning
rate; the epoch and more) and then train on the whole training part. The test part is touched once, by
the last `predict`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import FoldJob, FoldResult, RefitJob, SampleLabels
from headtohead.heads.network_training import NetworkTraining, TrainingJob
from headtohead.training.records import EpochRecord, Floats, Ints, fit_metrics
from headtohead.training.settings import INNER_FOLDS, FinetuneSettings
from headtohead.training.tuning.hyperparameter_search import (
    Trial,
    best_trial,
    next_settings,
    rate_choice,
)
from headtohead.training.tuning.trial_budget import TrialBudget

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord
    from headtohead.training.trainer import Trainer

__all__ = ["FineTuningHead", "settings_for_scratch"]

# What sets the seeds of trials and of inner trainings apart from that of the final training.
TRIAL_STREAM, INNER_STREAM = 1, 2


def settings_for_scratch(record: BackboneRecord, settings: FinetuneSettings) -> FinetuneSettings:
    """Return the settings that apply to the record's weights.

    Random weights have no statistics to freeze, no features to start a head from, and no reason to
    learn more slowly near the stem.
    """
    if record.source != "scratch":
        return settings
    return settings.model_copy(update={"batch_norm": "train", "head_start": "random", "layer_decay": 1.0})


class FineTuningHead:
    """Fine-tune a backbone in each cell.

    Args:
        networks: which network, on which images and where.
        settings: fixed before any scored image is looked at.
        trial_budget: from a cell's work folder to its budget of trials; by default what the settings say.
        on_trial_end: called with the job, its trials so far and the stated settings after each trial.
    """

    def __init__(
        self,
        networks: NetworkTraining,
        settings: FinetuneSettings | None = None,
        *,
        trial_budget: Callable[[Path], TrialBudget] | None = None,
        on_trial_end: Callable[[FoldJob, Sequence[Trial], FinetuneSettings], None] | None = None,
    ) -> None:
        self.record = networks.record
        self.networks = networks
        self.settings = settings_for_scratch(self.record, settings or FinetuneSettings())
        self._trial_budget, self._on_trial_end = trial_budget, on_trial_end

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Train on `job.train` under the policy, predict `job.test` once."""
        return self.fit(job, data, workdir, reporter)[1]

    def fit(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> tuple[Trainer, FoldResult]:
        """Do what `fit_predict` does and return the finished training too; `job.test` may be empty."""
        from headtohead.training.network.classifier import describe_layers

        workdir.mkdir(parents=True, exist_ok=True)
        self.networks.prepare(reporter)
        trial, chosen = self._choose(job, data, workdir, reporter)
        main = TrainingJob("main", job.train, trial.settings, job.seed, trial.epoch)
        training = self.networks.train(main, data, None, workdir, reporter)
        train_rows, test_rows = training.predict(job.train), training.predict(job.test)
        inner_rows = self._inner_predictions(trial, job, data, workdir, reporter)
        # The fold that chose, at no further cost.
        if trial.rows is not None and not self.settings.inner_folds:
            inner_rows = trial.rows
        labels = data.labels[job.train]
        curve = tuple(training.lines) if trial.held is None else _with_inner_metrics(training, trial)
        chosen = {
            **chosen,
            "epochs": trial.epoch,
            "bf16": training.bf16,
            "layers": describe_layers(training.net, trial.settings),
            "parameters_trained": sum(p.numel() for p in training.learning),
            "settings": trial.settings.model_dump(mode="json"),
        }
        for checkpoint in workdir.glob("*.pt"):
            checkpoint.unlink()
        inner = fit_metrics(labels, inner_rows)
        train = fit_metrics(labels, train_rows)
        return training, FoldResult(test_rows, inner_rows, train, inner, chosen, curve)

    def _choose(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter
    ) -> tuple[Trial, dict[str, Any]]:
        """Return what to train for how long, and the record of the choice; under "fixed" nothing is chosen."""
        stated = self.settings
        if stated.policy == "fixed":
            return Trial(stated, stated.epochs, None, None), {"policy": "fixed: nothing was chosen"}
        from headtohead.data.splits.folds import inner_folds
        from headtohead.training.trainer import Subset

        labels = data.labels[job.train]
        # One fold of them, since each trial is a whole training.
        fit, validation = inner_folds(labels, data.groups[job.train], INNER_FOLDS, job.seed)[0]
        held_out = Subset(job.train[validation], labels[validation])
        budget = None if self._trial_budget is None else self._trial_budget(workdir)
        trials: list[Trial] = []
        while (settings := next_settings(stated, trials, job.seed)) is not None:
            number, started = len(trials), time.perf_counter()
            if budget is not None and not budget.can_start(number):
                break
            seed = _derived_seed(job.seed, TRIAL_STREAM, number)
            training_job = TrainingJob(f"trial{number}", job.train[fit], settings, seed, stated.epochs)
            done = self.networks.train(training_job, data, held_out, workdir, reporter)
            last = stated.policy == "rate"  # judged where the final training will end
            trials.append(
                Trial.of(settings, done.lines, done.held_rows, validation, len(job.train), last=last)
            )
            key = self.networks.key(training_job, data, held_out, done)
            done.drop_weights(workdir / f"{training_job.name}.pt", key)
            if budget is not None:
                budget.record_spent(number, started, done.seconds_before)
            if self._on_trial_end is not None:
                self._on_trial_end(job, trials, stated)
        best = best_trial(trials)
        what = "inner" if stated.policy == "inner" else "rate after the last epoch"
        return best if stated.policy == "inner" else replace(best, held=None, rows=None), {
            "policy": f"{what}: one grouped fold of {INNER_FOLDS}, by log loss",
            "trials": [trial.record() for trial in trials],
            "inner_images": len(validation),
            **rate_choice(best, stated),
        }

    def inner_folds(self, job: FoldJob, data: SampleLabels) -> list[tuple[Ints, Ints]]:
        """Return the (fit, validation) places in the training part from which inner probabilities come."""
        from headtohead.data.splits.folds import inner_folds

        labels, groups = data.labels[job.train], data.groups[job.train]
        folds = self.settings.inner_folds
        if self.settings.policy == "inner":  # the first fold chose; only the others may be weighed
            chosen_on = inner_folds(labels, groups, INNER_FOLDS, job.seed)
            return chosen_on[1 : 1 + folds] if folds else chosen_on[:1]
        return inner_folds(labels, groups, folds, job.seed) if folds else []

    def refit(
        self,
        job: RefitJob,
        queries: Sequence[Ints],
        data: SampleLabels,
        *,
        workdir: Path,
        reporter: Reporter,
    ) -> list[Floats]:
        """Train again with the chosen settings; return (n, k) probabilities for each array of samples."""
        training = self.fitted(job, data, workdir, reporter)
        return [training.predict(indices) for indices in queries]

    def fitted(self, job: RefitJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> Trainer:
        """Return the finished training on the samples `job.fit` with the chosen settings."""
        self.networks.prepare(reporter)
        settings = FinetuneSettings.model_validate(job.chosen["settings"])
        # The number of threads is this machine's affair; no digit depends on it.
        settings = settings.model_copy(update={"workers": self.settings.workers})
        training_job = TrainingJob(job.name, job.fit, settings, job.seed, job.chosen["epochs"])
        return self.networks.train(training_job, data, None, workdir, reporter)

    def _inner_predictions(
        self, trial: Trial, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter
    ) -> Floats:
        """Return (n_train, k) probabilities from repeating the final training on inner folds, or NaN."""
        rows = np.full((len(job.train), len(data.classes)), np.nan)
        if not self.settings.inner_folds:
            return rows
        for number, (fit, validation) in enumerate(self.inner_folds(job, data)):
            seed = _derived_seed(job.seed, INNER_STREAM, number)
            training_job = TrainingJob(f"inner{number}", job.train[fit], trial.settings, seed, trial.epoch)
            training = self.networks.train(training_job, data, None, workdir, reporter)
            rows[validation] = training.predict(job.train[validation])
        return rows


def _with_inner_metrics(training: Trainer, trial: Trial) -> tuple[EpochRecord, ...]:
    """Return the final training's curve with the inner figures of the trial that chose its length."""
    trial_curve = trial.lines[: len(training.lines)]
    return tuple(
        replace(line, inner_loss=inner.inner_loss, inner_accuracy=inner.inner_accuracy)
        for line, inner in zip(training.lines, trial_curve, strict=True)
    )


def _derived_seed(seed: int, stream: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, stream, number]).generate_state(1, np.uint32)[0])
