"""From a study's training options and a contender's mode to the settings of its fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence, Set

from headtohead.backbones.catalog import resolve
from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.expression import ContenderSpec
from headtohead.core.errors import NoEffectError, UsageError
from headtohead.core.optional import require
from headtohead.core.training_config import TrainConfig
from headtohead.training.data_loader import get_augmenter
from headtohead.training.settings import FinetuneSettings

__all__ = ["FINETUNE_MODES", "check_settings", "settings_for"]

FINETUNE_MODES = ("finetune", "partial", "lora", "reader")
# A stated rate is that of a transformer. A convolutional network, and adapters that start from
# nothing, take larger steps; the factors are fixed beforehand and the same for every study.
CNN_FACTOR = 5.0
ADAPTER_FACTOR = 5.0
SCRATCH_FACTOR = 10.0
SCRATCH_EPOCHS = 3
MOST_TRIALS = 200  # of a budget in minutes


def settings_for(
    train: TrainConfig, mode: str, record: BackboneRecord, *, inner_folds: int = 0, cycles: int = 1
) -> FinetuneSettings:
    """Return how `mode` trains the record's network.

    Args:
        mode: "finetune", "partial:<k>", "lora" or "reader".
        inner_folds: inner folds that an ensemble needs; more may be stated in `train`. Only the fixed
            policy repeats itself on them, since "inner" has its own.
        cycles: snapshots to be taken.

    Raises:
        UsageError: another mode, or a number of blocks that is none.
        NoEffectError: a setting that would change nothing.
    """
    word, colon, number = mode.partition(":")
    if word not in FINETUNE_MODES or (word == "partial") != bool(colon) or (colon and not number.isdigit()):
        raise UsageError(f"Got the mode {mode!r}; expected finetune, partial:<k>, lora or reader.")
    scratch = record.source == "scratch"
    stated = train.model_dump(exclude={"budget"})
    changed = {
        "epochs": train.epochs * (SCRATCH_EPOCHS if scratch else 1),
        "learning_rate": train.learning_rate * _factor(word, record),
        "learning_rates": tuple(rate * _factor(word, record) for rate in train.learning_rates),
        "layer_decay": 1.0 if word == "lora" else train.layer_decay,
        "clip": train.clip or None,
        "trials": train.effective_budget.trials or MOST_TRIALS,
        "inner_folds": train.inner_folds or (inner_folds if train.policy == "fixed" else 0),
        "cycles": cycles,
        "depth": mode if word in ("partial", "lora") else "all",
    }
    return FinetuneSettings.model_validate({**stated, **changed})


def _factor(mode: str, record: BackboneRecord) -> float:
    """Return the factor of a stated learning rate."""
    if record.source == "scratch":
        return SCRATCH_FACTOR
    return (CNN_FACTOR if record.family == "cnn" else 1.0) * (ADAPTER_FACTOR if mode == "lora" else 1.0)


def check_settings(specs: Sequence[ContenderSpec], train: TrainConfig) -> None:
    """Refuse what was stated of training and would change nothing for these contenders.

    Args:
        specs: with the members of ensembles.

    Raises:
        NoEffectError: names the settings. UnknownNameError: the augmentation preset.
        MissingExtraError: the tuner is not installed.
    """
    changed = {
        name for name, field in TrainConfig.model_fields.items() if getattr(train, name) != field.default
    }
    tuned = [spec for spec in specs if spec.mode.partition(":")[0] in FINETUNE_MODES]
    records = [resolve(name) for spec in tuned for name in spec.backbones]
    get_augmenter(train.augment)
    if not any(spec.mode == "lora" for spec in tuned):
        _refuse(changed & {"lora_rank"}, "no contender is trained by lora")
    if not tuned:
        idle = changed - {"budget"} - ({"policy"} if train.budget else set())
        flips = any("flip" in spec.mode for spec in specs)
        _refuse(idle - ({"augment"} if flips else set()), "no contender is fine-tuned (write NAME@finetune)")
    for spec in specs:
        for single, cycles in [(spec, 1)] if spec in tuned else [(m, spec.count) for m in _snapshots(spec)]:
            settings_for(train, single.mode, resolve(single.backbones[0]), cycles=cycles)
    if tuned and train.tuner == "optuna":
        require("optuna", "tune", "propose trials by optuna")
    if tuned and all(record.source == "scratch" for record in records):
        _refuse(changed & {"batch_norm", "head_start", "layer_decay"}, "networks from scratch have their own")


def _snapshots(spec: ContenderSpec) -> tuple[ContenderSpec, ...]:
    return spec.members if spec.kind == "snapshots" else ()


def _refuse(idle: Set[str], why: str) -> None:
    if idle:
        raise NoEffectError(f"{', '.join(sorted(idle))} would have no effect: {why}.")
