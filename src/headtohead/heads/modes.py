"""From a study's training options and a contender's mode to the settings of its fine-tuning."""

from __future__ import annotations

from headtohead.backbones.catalog import BackboneRecord
from headtohead.core.config import TrainConfig
from headtohead.core.errors import UsageError
from headtohead.heads.settings import FinetuneSettings

__all__ = ["FINETUNE_MODES", "settings_for"]

FINETUNE_MODES = ("finetune", "partial", "lora", "reader")
# A stated rate is that of a transformer. A convolutional network, and adapters that start from
# nothing, take larger steps; the factors are fixed beforehand and the same for every study.
CNN_FACTOR = 5.0
ADAPTER_FACTOR = 5.0
SCRATCH_FACTOR = 10.0
SCRATCH_EPOCHS = 3


def settings_for(
    train: TrainConfig, mode: str, record: BackboneRecord, *, inner_folds: int = 0
) -> FinetuneSettings:
    """Return how `mode` trains the record's network.

    Args:
        mode: "finetune", "partial:<k>", "lora" or "reader".
        inner_folds: inner folds on which the fixed policy is repeated to get inner probabilities.

    Raises:
        UsageError: another mode, or a number of blocks that is none.
    """
    word, colon, number = mode.partition(":")
    if word not in FINETUNE_MODES or (word == "partial") != bool(colon) or (colon and not number.isdigit()):
        raise UsageError(f"Got the mode {mode!r}; expected finetune, partial:<k>, lora or reader.")
    scratch = record.source == "scratch"
    rate = train.learning_rate * (CNN_FACTOR if record.family == "cnn" else 1.0)
    if scratch:
        rate = train.learning_rate * SCRATCH_FACTOR
    elif word == "lora":
        rate = train.learning_rate * ADAPTER_FACTOR
    return FinetuneSettings(
        epochs=train.epochs * (SCRATCH_EPOCHS if scratch else 1),
        batch=train.batch,
        learning_rate=rate,
        layer_decay=1.0 if word == "lora" else train.layer_decay,
        label_smoothing=train.label_smoothing,
        augment=train.augment,
        policy=train.policy,
        flip_test=train.flip_test,
        trials=train.trials if train.policy == "inner" else 1,
        inner_folds=inner_folds if train.policy == "fixed" else 0,
        workers=train.workers,
        depth=mode if word in ("partial", "lora") else "all",
    )
