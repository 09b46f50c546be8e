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
    "Drop",
    "Epochs",
    "GroupFrom",
    "Groups",
    "Ignore",
    "KeepColumns",
    "LabelFrom",
    "Log",
    "MapLabels",
    "Out",
    "Pages",
    "Policy",
    "Positive",
    "Sets",
    "Similar",
    "Slices",
    "Strict",
    "TableColumns",
    "TrialBudget",
    "Tune",
    "Verbose",
    "Workers",
    "data_settings",
    "pairs",
    "train_settings",
    "words",
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
LabelFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        rich_help_panel=SOURCES,
        help="Read the label from the path: the group named 'label', else the first, e.g. '(benign|malignant)'.",
    ),
]
GroupFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        rich_help_panel=SOURCES,
        help=r"Read the patient from the path, e.g. '(p\d+)_' makes p012_slice3.png belong to p012.",
    ),
]
MapLabels = Annotated[
    str | None,
    typer.Option(
        metavar="A=B,…", rich_help_panel=SOURCES, help="Merge or rename labels: old=new, separated by commas."
    ),
]
Drop = Annotated[
    str | None,
    typer.Option(metavar="A,B", rich_help_panel=SOURCES, help="Leave out samples with these labels."),
]
Positive = Annotated[
    str | None,
    typer.Option(metavar="LABEL", rich_help_panel=SOURCES, help="Which of two classes counts as positive."),
]
TableColumns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="ROLE=COLUMN,…",
        rich_help_panel=SOURCES,
        help="Which column of a table is what: path=file,label=dx,group=patient. Guessed and said otherwise.",
    ),
]
KeepColumns = Annotated[
    str | None,
    typer.Option(
        "--keep-columns",
        metavar="A,B",
        rich_help_panel=SOURCES,
        help="Columns of a table to keep although their names look like identifiers (birth_date, accession, …).",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", rich_help_panel=SOURCES, help="Stop at unreadable files instead of leaving them out."
    ),
]
Pages = Annotated[
    str,
    typer.Option(
        rich_help_panel=SOURCES, help="Of files with several pages or frames: first, all, or a number from 0."
    ),
]
Slices = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        rich_help_panel=SOURCES,
        help="Of NIfTI volumes: middle, middle:5, count:9, all or a number; 'coronal:middle:5' cuts another plane.",
    ),
]
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
        help="Also keep pictures together that are possibly of one patient (other slices).",
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
    typer.Option(rich_help_panel=TRAINING, help="Augmentation preset of finetune; auto if not stated."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=0, rich_help_panel=TRAINING, help="Threads that prepare pictures; changes no digit."),
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


def pairs(text: str | None, option: str) -> dict[str, str]:
    """Read "a=b,c=d".

    Raises:
        UsageError: a part has no "=".

    >>> pairs("a=yes,b=no", "--map-labels")
    {'a': 'yes', 'b': 'no'}
    """
    found = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, mark, value = part.partition("=")
        if not mark or not key.strip() or not value.strip():
            raise UsageError(f"{option} got {part!r}; expected NAME=VALUE parts separated by commas.")
        found[key.strip()] = value.strip()
    return found


def reasons(words: Sequence[str] | None) -> dict[str, str]:
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


def words(text: str | None) -> tuple[str, ...]:
    """Read "a,b".

    >>> words(" a, b,")
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
    from headtohead.core.training import read_sets

    found = read_sets(sets or ())
    given = {name: value for name, value in stated.items() if value is not None}
    if twice := sorted(set(found) & set(given)):
        raise UsageError(f"{', '.join(twice)} is stated by an option of its own and by --set; state it once.")
    if given.get("budget") and "policy" not in {*found, *given}:
        given["policy"] = "inner"
    return {**found, **given}


def data_settings(
    *,
    columns: str | None = None,
    label_from: str | None = None,
    group_from: str | None = None,
    map_labels: str | None = None,
    drop: str | None = None,
    positive: str | None = None,
    keep_columns: str | None = None,
    strict: bool = False,
    pages: str = "first",
    slices: str | None = None,
) -> dict[str, Any]:
    """Return the data options as `DataConfig` takes them."""
    return {
        "columns": pairs(columns, "--columns"), "label_from": label_from, "group_from": group_from,
        "map_labels": pairs(map_labels, "--map-labels"), "drop": words(drop), "positive": positive,
        "keep_columns": words(keep_columns), "strict": strict, "pages": pages, "slices": slices,
    }  # fmt: skip
