"""The registry of training modes. A new mode is a `TrainingMode` in a module of its own and one entry here."""

from __future__ import annotations

from collections.abc import Mapping

from headtohead.contenders.frozen_modes import MLP, PROBE
from headtohead.contenders.mode import ModeChoice, TrainingMode
from headtohead.contenders.tuned_modes import FINETUNE, LORA, PARTIAL, READER
from headtohead.core.errors import UsageError, unknown_name

__all__ = ["TRAINING_MODES", "parse_mode"]

TRAINING_MODES: Mapping[str, TrainingMode] = {
    mode.name: mode for mode in (PROBE, MLP, FINETUNE, PARTIAL, LORA, READER)
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
