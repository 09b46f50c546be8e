"""Options that several commands share, each written once: its words, its help, its type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from headtohead.core.errors import UsageError

__all__ = [
    "AsJson",
    "Augment",
    "Data",
    "Epochs",
    "Groups",
    "Ignore",
    "Log",
    "Out",
    "Policy",
    "Sets",
    "Similar",
    "TrialBudget",
    "Tune",
    "Verbose",
    "Workers",
    "split_list",
    "train_settings",
]

SOURCES = "Data"

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="A folder with a folder per class (or train/val/test folders of them), a table (CSV, TSV, Parquet), "
        "an .npz, a zip or tar (scans.zip/labels.csv is a table inside one), or kaggle:owner/set.",
    ),
]
Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER", show_default=False, help="Where to write; made if needed."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for scripts.")]
Groups = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=SOURCES,
        help="Your own groups.csv (path,group), as the audit writes it and you corrected it.",
    ),
]
Similar = Annotated[
    bool,
    typer.Option(
        "--group-similar",
        rich_help_panel=SOURCES,
        help="Also keep images together that are possibly of one patient (other slices).",
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE=REASON",
        rich_help_panel=SOURCES,
        help="Set a check aside, with the reason kept in the run; may be repeated.",
    ),
]
TRAINING = "Training"

Epochs = Annotated[
    int | None, typer.Option(min=1, rich_help_panel=TRAINING, help="Epochs of finetune; 20 if not stated.")
]
Policy = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=TRAINING,
        help="fixed (choose nothing) or inner (choose on inner folds); fixed if no budget is stated.",
    ),
]
TrialBudget = Annotated[
    str | None,
    typer.Option(
        metavar="N|TIME",
        rich_help_panel=TRAINING,
        help="What each contender may spend on choosing: trials per cell (8) or time in all (90s, 10min, 1.5h).",
    ),
]
Tune = Annotated[
    str | None,
    typer.Option(
        "--tune",
        metavar="random|optuna",
        rich_help_panel=TRAINING,
        help="Who proposes the trials of finetune: a seeded draw, or optuna (extra 'tune').",
    ),
]
Augment = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=TRAINING,
        help="Augmentation preset of finetune: auto (the same as light), light, mri, xray, ultrasound, histology, "
        "photo, study or none; augment-preview shows them.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=0, rich_help_panel=TRAINING, help="Threads that prepare images; changes no digit."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="finetune.NAME=VALUE",
        rich_help_panel=TRAINING,
        help="Any other setting of finetune, e.g. finetune.learning_rate=3e-4 or finetune.ema=0.99; may be repeated.",
    ),
]
Log = Annotated[
    str | None,
    typer.Option(
        metavar="A,B",
        rich_help_panel=TRAINING,
        help="Boards that show the curves: tensorboard, mlflow (extras of these names); files in the run folder.",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Say decisions and a line per finished cell on stderr, piped or not."),
]


def parse_reasons(words: Sequence[str] | None) -> dict[str, str]:
    """Read "--ignore CODE=REASON", repeated.

    Raises:
        UsageError: a reason is missing.
    """
    found = {}
    for word in words or ():
        code, mark, reason = word.partition("=")
        if not mark or not reason.strip():
            raise UsageError(
                f"--ignore got {word!r}; expected CODE=REASON, for example H2H203='copies are wanted'."
            )
        found[code.strip()] = reason.strip()
    return found


def split_list(text: str | None) -> tuple[str, ...]:
    """Read "a,b".

    >>> split_list(" a, b,")
    ('a', 'b')
    """
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def train_settings(sets: Sequence[str] | None, **stated: Any) -> dict[str, Any]:
    """Return the training options as `TrainConfig` takes them: what was stated, and no more.

    Raises:
        UsageError: a setting that is stated by an option of its own and by --set too.

    >>> train_settings(["finetune.batch=8"], epochs=3, policy=None, budget="8")
    {'batch': 8, 'epochs': 3, 'budget': '8', 'policy': 'inner'}
    """
    from headtohead.core.training_config import parse_overrides

    found = parse_overrides(sets or ())
    given = {name: value for name, value in stated.items() if value is not None}
    if twice := sorted(set(found) & set(given)):
        raise UsageError(f"{', '.join(twice)} is stated by an option of its own and by --set; state it once.")
    if given.get("budget") and "policy" not in {*found, *given}:
        given["policy"] = "inner"
    return {**found, **given}
