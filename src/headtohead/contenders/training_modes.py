"""The registry of training modes. A new mode is a `TrainingMode` in a module of its own and one entry here."""

from __future__ import annotations

from collections.abc import Mapping

from headtohead.contenders.frozen_modes import MLP, PROBE
from headtohead.contenders.mode import ModeChoice, TrainingMode
from headtohead.contenders.tuned_modes import BITFIT, FINETUNE, LORA, PARTIAL, READER
from headtohead.core.config import TrainConfig
from headtohead.core.errors import UsageError, unknown_name
from headtohead.training.data_loader import get_augmenter

__all__ = ["TRAINING_MODES", "parse_mode", "training_facts"]

TRAINING_MODES: Mapping[str, TrainingMode] = {
    mode.name: mode for mode in (PROBE, MLP, FINETUNE, PARTIAL, BITFIT, LORA, READER)
}


def parse_mode(text: str) -> ModeChoice:
    """Return the mode and the option of a text such as "partial:2".

    Raises:
        UnknownNameError: no such mode, or no such view of the features.
        UsageError: an option that the mode does not take.

    >>> str(parse_mode("probe:layers+flip")), parse_mode("lora").is_tuned
    ('probe:layers+flip', True)
    """
    name, colon, option = text.partition(":")
    if name not in TRAINING_MODES:
        raise unknown_name("mode", text, TRAINING_MODES)
    if colon and not option:
        raise UsageError(f"Got the mode {text!r}; expected something after the colon, or no colon.")
    mode = TRAINING_MODES[name]
    mode.check_option(option)
    return ModeChoice(mode, option)


def training_facts(mode: ModeChoice, train: TrainConfig) -> dict[str, str]:
    """Return what a mode does besides fitting its network: to training images, for a prediction, to choose.

    Two contenders of one mode have these in common; between modes they differ with the mode.

    Args:
        mode: of a single network.
        train: the settings that the study states.

    >>> training_facts(parse_mode("probe"), TrainConfig())["chosen inside the training part"]
    'C, on 5 inner folds'
    """
    images, prediction = "as they are", "from the image"
    if mode.is_tuned:
        augmenter = get_augmenter(train.augment)
        images = images if augmenter.name == "none" else f"augmented ({augmenter.name})"
        flips = train.flip_test and augmenter.flips
        choice = {
            "fixed": "nothing",
            "rate": "the learning rate, on one inner fold of 5",
            "inner": "epochs and rates, on one inner fold of 5",
        }[train.policy]
    else:
        flips = mode.view.flips
        choice = f"{'C' if mode.mode is PROBE else 'weight decay'}, on 5 inner folds"
    return {
        "training images": images,
        "prediction": "from the image and its mirror image" if flips else prediction,
        "chosen inside the training part": choice,
    }
