"""Training modes in which the network itself learns: whole, its last blocks, adapters, or a transformer on its map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.mode import BuildContext, ModeChoice, PlannedContender, TrainingMode
from headtohead.core.config import TrainConfig
from headtohead.core.errors import UsageError
from headtohead.core.formatting import is_whole
from headtohead.heads.base import Head
from headtohead.training.lr_schedule import network_factor
from headtohead.training.settings import FinetuneSettings

__all__ = [
    "BITFIT",
    "ENSEMBLE_FOLDS",
    "FINETUNE",
    "LORA",
    "PARTIAL",
    "READER",
    "network_builder",
    "settings_for",
]

# Inner folds of a fine-tuned member whose ensemble learns weights: the fewest that leave two thirds of
# the training part to learn from, since each costs a whole training.
ENSEMBLE_FOLDS = 3
# Adapters start from nothing, and vectors are few: both take larger steps than matrices.
ADAPTER_FACTOR = 5.0
# The same factors for every contender, wide enough to hold what the choice of a family's factor gets wrong.
RATE_SHARES = (1 / 3, 1.0, 3.0)
SCRATCH_EPOCHS = 3  # random weights have more to learn: so many times the stated epochs
MAX_TRIALS = 200  # of a budget in minutes, which ends them long before


def settings_for(
    train: TrainConfig,
    mode: ModeChoice,
    records: Sequence[BackboneRecord],
    *,
    inner_folds: int = 0,
    cycles: int = 1,
) -> FinetuneSettings:
    """Return how a mode fine-tunes a network, or several that are joined.

    The rate is that of the head. Joined networks share a head, which learns at the smallest rate among
    them; each network's own factor is applied to its own blocks (`parameter_groups`).

    Args:
        train: the settings that the study states.
        mode: one of the modes in which the network learns.
        records: the network, or those of a hybrid in any order.
        inner_folds: inner folds that an ensemble needs; more may be stated in `train`.
        cycles: snapshots to be taken.

    Raises:
        UsageError: a mode in which the network does not learn.
        NoEffectError: a setting that would change nothing.
    """
    if not mode.is_tuned:
        raise _unexpected(str(mode))
    scratch = any(record.source == "scratch" for record in records)
    # The factor of random weights says already that they take larger steps.
    factor = min(network_factor(record) for record in records) * (1.0 if scratch else mode.mode.rate_factor)
    rates = train.learning_rates
    if train.policy == "rate" and not rates:
        rates = tuple(train.learning_rate * share for share in RATE_SHARES)
    stated = train.model_dump(exclude={"budget"})
    changed = {
        "epochs": train.epochs * (SCRATCH_EPOCHS if scratch else 1),
        "learning_rate": train.learning_rate * factor,
        "learning_rates": tuple(rate * factor for rate in rates),
        "trials": train.effective_budget.trials or MAX_TRIALS,
        "inner_folds": train.inner_folds or inner_folds,
        "cycles": cycles,
    }
    return FinetuneSettings.model_validate({**stated, **changed, **mode.mode.overrides(mode.option)})


def network_builder(contender: PlannedContender) -> Callable[[int, float], Any] | None:
    """Return what makes a joined network from (seed, drop_path); None where one backbone makes itself.

    Raises:
        UsageError: more backbones than the mode can join.
    """
    records = contender.records
    if contender.mode is not None and contender.mode.mode.name == "reader":
        if len(records) > 1:
            raise UsageError(
                f"{contender.name!r}: the reader reads one network's feature map; name one backbone."
            )
        return lambda seed, drop_path: _with_map_transformer(records[0], seed, drop_path)
    if len(records) == 1:
        return None
    if len(records) > 2:
        raise UsageError(
            f"{contender.name!r}: a hybrid that is fine-tuned joins two backbones; got {len(records)}."
        )

    def load_joined(seed: int, drop_path: float) -> Any:
        from headtohead.backbones.hybrid import load_hybrid

        if drop_path:
            raise UsageError(
                f"{contender.name!r}: stochastic depth is not supported in a hybrid of two backbones."
            )
        return load_hybrid(records[0], records[1], seed=seed)

    return load_joined


def _with_map_transformer(record: BackboneRecord, seed: int, drop_path: float) -> Any:
    from headtohead.backbones.load import load_backbone
    from headtohead.training.network.map_transformer import FeatureMapTransformer

    backbone = load_backbone(record, seed=seed, drop_path=drop_path)
    return FeatureMapTransformer(backbone, record.input_size, seed=seed)


def _build(contender: PlannedContender, context: BuildContext) -> Head:
    """Return the head of one network or hybrid, or of the snapshots of one."""
    from headtohead.heads.fine_tuning import FineTuningHead, settings_for_scratch
    from headtohead.heads.network_training import NetworkTraining

    if contender.mode is None:
        raise _unexpected("")
    settings = settings_for(
        context.config.train,
        contender.mode,
        contender.records,
        inner_folds=ENSEMBLE_FOLDS if contender.needs_inner else 0,
        cycles=contender.cycles,
    )
    record, recipe = contender.records[0], context.features.recipe
    random = [one for one in contender.records if one.source == "scratch"]
    networks = NetworkTraining(
        record,
        context.images_for(record),
        recipe_digest=recipe.digest(),
        device=context.config.device,
        precision=context.config.precision,
        build=network_builder(contender),
        on_epoch_end=context.on_epoch_end,
    )
    return FineTuningHead(
        networks,
        settings_for_scratch((random or [record])[0], settings),
        trial_budget=context.trial_budget(),
        on_trial_end=context.trial_recorder(contender.name),
    )


def _check_none(name: str) -> Callable[[str], None]:
    """Return what refuses any option of a mode that takes none."""

    def check(option: str) -> None:
        if option:
            raise _unexpected(f"{name}:{option}")

    return check


def _check_blocks(option: str) -> None:
    """Refuse a number of blocks that is none."""
    # "0" and "007" are whole numbers too, which the settings refuse; so are digits of other scripts.
    if not (option.isascii() and is_whole(option)) or option.startswith("0"):
        raise _unexpected(f"partial:{option}" if option else "partial")


def _unexpected(mode: str) -> UsageError:
    return UsageError(f"Got the mode {mode!r}; expected finetune, partial:<k>, bitfit, lora or reader.")


FINETUNE = TrainingMode(
    "finetune", "all weights of the network learn", _build, _check_none("finetune"), is_tuned=True
)
PARTIAL = TrainingMode(
    "partial",
    "the last k blocks of the network learn (partial:2)",
    _build,
    _check_blocks,
    is_tuned=True,
    overrides=lambda option: {"depth": f"partial:{option}"},
)
BITFIT = TrainingMode(
    "bitfit",
    "biases and normalisations learn, all matrices of the network stay",
    _build,
    _check_none("bitfit"),
    is_tuned=True,
    rate_factor=ADAPTER_FACTOR,
    # a thousandth of the numbers at every depth: slowing the lower ones would leave little that moves
    overrides=lambda option: {"depth": "bitfit", "layer_decay": 1.0},  # noqa: ARG005
)
LORA = TrainingMode(
    "lora",
    "low-rank adapters learn, the network stays as it is",
    _build,
    _check_none("lora"),
    is_tuned=True,
    rate_factor=ADAPTER_FACTOR,
    # adapters lie at every depth and start from nothing, so there is no reason to slow the lower ones
    overrides=lambda option: {"depth": "lora", "layer_decay": 1.0},  # noqa: ARG005
)
READER = TrainingMode(
    "reader",
    "a small transformer on the feature map learns with the network",
    _build,
    _check_none("reader"),
    is_tuned=True,
)
