"""Every error that a user can meet.

    HeadToHeadError
    ├── UsageError            the command or call itself is wrong (exit status 2)
    │   ├── UnknownNameError  a name that is not in a catalogue; carries "did you mean"
    │   └── NoEffectError     a setting that would change nothing is refused, not ignored
    ├── DataError             the images or their table cannot be used
    │   ├── ManifestError     the table of samples is malformed
    │   ├── MissingDataError  nothing is at the path of the data
    │   ├── UnreadableError   one file is refused, with the reason (the run may go on without it)
    │   └── InsufficientDataError       no images, one class only, a class or its groups too small
    ├── LeakageError          train and test share a group, a pixel hash or a path
    ├── WeightsError          pretrained weights are not available, or are not what they should be
    ├── PrecisionError        a fast path disagrees with fp32
    ├── RunFolderError        the run folder belongs to another configuration, or is in use
    │   ├── ChangedConfigError
    │   ├── ChangedDataError
    │   └── ChangedWeightsError
    ├── UndefinedMetricError       a statistic has no value on this data
    ├── UnpairedError         contenders do not cover the same samples and folds
    ├── BundleError           a deployed model's folder is damaged, changed, or of a newer format
    ├── ProcessLostError      a worker process was killed, or none can be started
    └── MissingExtraError     an optional dependency is not installed

A message says what was got, what was expected, and what to do, in that order.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BundleError",
    "ChangedConfigError",
    "ChangedDataError",
    "ChangedWeightsError",
    "DataError",
    "HeadToHeadError",
    "InsufficientDataError",
    "LeakageError",
    "ManifestError",
    "MissingDataError",
    "MissingExtraError",
    "NoEffectError",
    "PrecisionError",
    "ProcessLostError",
    "RunFolderError",
    "UndefinedMetricError",
    "UnknownNameError",
    "UnpairedError",
    "UnreadableError",
    "UsageError",
    "WeightsError",
    "unknown_name",
]


class HeadToHeadError(Exception):
    """Base of all explained errors; the command prints it as one line and exits with `exit_status`."""

    exit_status = 1


class UsageError(HeadToHeadError):
    """The command or call itself is wrong."""

    exit_status = 2


class UnknownNameError(UsageError):
    """A name that is not in a catalogue."""


class NoEffectError(UsageError):
    """A setting that would change nothing."""


class DataError(HeadToHeadError):
    """The images or their table cannot be used."""


class MissingDataError(DataError):
    """There is no file or folder where the data should be."""


class ManifestError(DataError):
    """The table of samples is malformed."""


class UnreadableError(DataError):
    """One file is refused, with the reason."""


class InsufficientDataError(DataError):
    """There are too few images, classes or groups for what was asked."""


class LeakageError(HeadToHeadError):
    """Train and test share a group, a pixel hash or a path."""


class WeightsError(HeadToHeadError):
    """Pretrained weights are not available, or are not what they should be."""


class PrecisionError(HeadToHeadError):
    """A fast path disagrees with fp32 beyond its tolerance."""


class RunFolderError(HeadToHeadError):
    """The run folder belongs to something else, or is in use."""


class ChangedConfigError(RunFolderError):
    """The run folder was made with another configuration."""


class ChangedDataError(RunFolderError):
    """The run folder was made from other images."""


class ChangedWeightsError(RunFolderError):
    """The run folder was made with other weights under the same name."""


class UndefinedMetricError(HeadToHeadError):
    """A statistic has no value on this data."""


class UnpairedError(HeadToHeadError):
    """Contenders do not cover the same samples and folds."""


class BundleError(HeadToHeadError):
    """The folder of a deployed model is damaged, changed, or of a newer format."""


class ProcessLostError(HeadToHeadError):
    """A worker process was killed, or none can be started."""


class MissingExtraError(HeadToHeadError):
    """An optional dependency is not installed."""


def unknown_name(kind: str, got: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error for a name outside a catalogue, with the nearest known names.

    Args:
        kind: what is named, as the user would say it ("contender", "metric").
        got: the name given.
        known: the catalogue's names.

    >>> str(unknown_name("metric", "auc", ["auroc", "accuracy"]))
    "Unknown metric 'auc'; did you mean 'auroc'? Known: accuracy, auroc."
    """
    names = sorted(known)
    # "AUROC" is as near to "auroc" as can be.
    plain = {name.casefold(): name for name in names}
    # Likeness takes the product of both lengths; no known name is longer.
    near = [plain[name] for name in difflib.get_close_matches(got[:100].casefold(), plain, n=3, cutoff=0.5)]
    hint = f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else "."
    shown = got if len(got) <= 200 else f"{got[:200]}…"
    return UnknownNameError(f"Unknown {kind} {shown!r}{hint} Known: {', '.join(names)}.")
