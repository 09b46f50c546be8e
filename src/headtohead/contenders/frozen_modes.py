"""Training modes on frozen features: the linear probe and the MLP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from headtohead.backbones.features.views import FeatureView
from headtohead.contenders.mode import BuildContext, PlannedContender, TrainingMode
from headtohead.core.errors import UsageError
from headtohead.heads.base import Head
from headtohead.heads.linear_probe import C_GRID, ProbeHead
from headtohead.training.data_loader import get_augmenter
from headtohead.training.tuning.trial_budget import subsample_grid

__all__ = ["MLP", "PROBE"]


def _check_view(option: str) -> None:
    """Refuse a view of the features that does not exist."""
    FeatureView.parse(f":{option}" if option else "")


def _joined_features(
    contender: PlannedContender, context: BuildContext
) -> Callable[[], npt.NDArray[np.float32]]:
    """Return what gives the features of all the contender's backbones side by side.

    Raises:
        UsageError: the view flips images, and the augmentation preset says that flips are not sound.
    """
    view = FeatureView() if contender.mode is None else contender.mode.view
    augment = context.config.train.augment
    if view.flips and not get_augmenter(augment).flips:
        raise UsageError(
            f"{contender.name!r}: the augmentation preset {augment!r} says that flipped images are not sound for "
            "this kind of image; leave out flip and symmetry, or choose a preset that flips."
        )
    source = context.features
    return lambda: np.concatenate([source.matrix(record, view) for record in contender.records], axis=1)


def _build_probe(contender: PlannedContender, context: BuildContext) -> Head:
    grid = subsample_grid(C_GRID, context.budget.trials)
    balanced = context.config.train.balance != "none"
    return ProbeHead(_joined_features(contender, context), grid, balanced=balanced)


def _build_mlp(contender: PlannedContender, context: BuildContext) -> Head:
    from headtohead.heads.mlp import MlpHead, MlpSettings

    decays = subsample_grid(MlpSettings().decays, context.budget.trials)
    features = _joined_features(contender, context)
    # Full batches draw no images, so "sampler" weighs classes here.
    balance: Literal["none", "loss"] = "none" if context.config.train.balance == "none" else "loss"
    settings = MlpSettings(decays=decays, balance=balance)
    return MlpHead(features, settings, trial_budget=context.trial_budget())


PROBE = TrainingMode("probe", "logistic regression on frozen features", _build_probe, _check_view)
MLP = TrainingMode("mlp", "one hidden layer on frozen features", _build_mlp, _check_view)
