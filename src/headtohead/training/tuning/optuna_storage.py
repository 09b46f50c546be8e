"""Finished trials as an optuna study in SQLite, to be looked at with optuna's own tools.

The store is a record. What is proposed next follows from the seed and the finished trials alone
(`next_settings`), so a killed search goes on to the same proposals whatever the store holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headtohead.core.optional import require
from headtohead.training.settings import FinetuneSettings
from headtohead.training.tuning.hyperparameter_search import Trial, frozen_trial, suppress_optuna_logs

__all__ = ["save_trials"]


def save_trials(store: Path, name: str, trials: Sequence[Trial], stated: FinetuneSettings) -> None:
    """Add the trials that the study `name` does not hold yet; none is ever there twice.

    Args:
        store: an SQLite file; made where it is missing.
        name: of contender, repeat and fold.
        trials: all finished trials of the cell, in order; stated: the settings that proposals vary.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    optuna = require("optuna", "tune", "keep the trials")
    store.parent.mkdir(parents=True, exist_ok=True)
    with suppress_optuna_logs(optuna):
        storage = optuna.storages.RDBStorage(f"sqlite:///{store.resolve()}")
        study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
        for trial in trials[len(study.get_trials(deepcopy=False)) :]:
            study.add_trial(frozen_trial(optuna, trial, stated))
        storage.engine.dispose()  # else its connections keep the file open
