"""Prediction files brought to one line per sample and model, whatever the shape of their table."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from headtohead.core.errors import ManifestError
from headtohead.evaluate.external.files import PredictionFile
from headtohead.evaluate.external.roles import PREFIX, ROLES, as_text, named_by_role, plain_name
from headtohead.evaluate.external.scales import BOUNDS, NOUNS, Scale

__all__ = ["long_table"]

_AROUND = re.compile(
    r"^(?:prob|proba|probability|score|p|pred)[_ .-]?(?P<after>.+)$|^(?P<before>.+)_(?:prob|proba|score|p)$"
)
_ONE_NUMBER: dict[Scale, str] = {
    "probability": "probability of the positive class",
    "percent": "probability of the positive class, in percent",
    "logit": "logit of the positive class",
    "ordinal": "score (the higher, the more likely positive)",
}
_NAMED_WELL = (
    "sample, label, score (probability of the positive class) or prob_<class> columns, and better also group and "
    "model"
)
_FIGURES = frozenset((
    "acc", "accuracy", "auc", "auroc", "roc_auc", "f1", "f1_score", "loss", "val_loss", "log_loss", "test_loss",
    "kappa", "mcc", "dice", "sensitivity", "specificity", "precision", "recall", "average_precision",
    "balanced_accuracy", "brier",
))  # fmt: skip
"""Columns of tables that hold what was computed of predictions."""


def long_table(
    file: PredictionFile,
    columns: Mapping[str, str],
    keep: Sequence[str],
    *,
    alone: bool,
    scale: Scale = "probability",
) -> tuple[pd.DataFrame, list[str]]:
    """Return one line per sample and model with the columns of `ROLES` and `prob_<class>`, and what was assumed.

    A wide table (a column of probabilities per model) becomes long; columns named like the labels become
    `prob_<label>`.

    Args:
        file: as read.
        columns: role -> column, as the caller says.
        keep: columns that stay under their own names, such as subgroups.
        alone: whether it is the only file, so that its lines may be numbered where no sample is named.
        scale: what the numbers are.

    Raises:
        UsageError: a role that does not exist.
        ManifestError: a column that is not there.
    """
    notes = list(file.notes)
    frame = _without_foreign_prefix(named_by_role(file, columns, keep, notes))
    if not {"score"} & set(frame.columns) and not _class_columns(frame):
        # Before wide tables: both hold numbers on the scale, and only classes are known by name.
        frame = _from_labels(frame, keep, notes)
    if not {"score"} & set(frame.columns) and not _class_columns(frame) and "label" in frame.columns:
        frame = _melted(frame, keep, notes, scale)
    _number_lines(frame, file.name, notes, alone=alone)
    _need(frame, file)
    _refuse_repeated_lines(frame, file.name)
    for name in ("sample", "label", "group", "model"):
        if name in frame.columns:
            frame[name] = as_text(frame[name])
            if frame[name].str.contains("\0", regex=False).any():
                raise ManifestError(
                    f"{file.name}: column {name!r} holds a NUL character, which no name has. The file is damaged."
                )
    return frame, notes


def _class_columns(frame: pd.DataFrame) -> list[str]:
    return [name for name in map(str, frame.columns) if name.startswith(PREFIX)]


def _without_foreign_prefix(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with `prob_<model>` called `<model>` where no such column is that of a label."""
    found = _class_columns(frame)
    if "label" not in frame.columns or not found:
        return frame
    labels = {plain_name(label) for label in as_text(frame["label"]).unique()}
    if any(plain_name(name.removeprefix(PREFIX)) in labels for name in found):
        return frame
    return frame.rename(columns={name: name.removeprefix(PREFIX) for name in found})


def _others(frame: pd.DataFrame, keep: Iterable[str]) -> list[str]:
    known = {*ROLES, *keep}
    return [name for name in map(str, frame.columns) if name not in known]


def _from_labels(frame: pd.DataFrame, keep: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """Return the frame with columns that are named like the labels called `prob_<label>`."""
    if "label" not in frame.columns:
        return frame
    labels = {plain_name(label): label for label in as_text(frame["label"]).unique() if label}
    found: dict[str, str] = {}
    for name in _others(frame, keep):
        match = _AROUND.match(plain_name(name))
        core = (match["after"] or match["before"]) if match else ""
        label = labels.get(plain_name(name)) or labels.get(plain_name(core))
        if label is not None and label not in found.values():
            found[name] = label
    # Of many classes one column says too little; of two, one implies the other.
    if not found or len(found) < min(len(labels), 3) - 1 or (len(labels) > 2 and len(found) < len(labels)):
        return frame
    said = ", ".join(f"{label!r} from {name!r}" for name, label in found.items())
    notes.append(f"Probabilities of classes were taken from the columns named like them: {said}.")
    return frame.rename(columns={name: PREFIX + label for name, label in found.items()})


def _melted(frame: pd.DataFrame, keep: Sequence[str], notes: list[str], scale: Scale) -> pd.DataFrame:
    """Return a wide table, one column of scores per model, as one line per sample and model."""
    others = _others(frame, keep)
    models = [name for name in others if _is_on_scale(frame[name], scale)]
    if not models or "model" in frame.columns:  # a table that names its models is long already
        return frame
    rest = [name for name in others if name not in models]
    notes.append(
        f"Wide table: each of the columns {', '.join(map(repr, models))} was taken as one model's "
        f"{_ONE_NUMBER[scale]}"
        + (f"; {', '.join(map(repr, rest))} hold no {NOUNS[scale]}" if rest else "")
        + "."
    )
    frame = _with_sample(frame)
    stays = [name for name in frame.columns if name not in models]
    return frame.melt(id_vars=stays, value_vars=models, var_name="model", value_name="score")


def _with_sample(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its lines numbered from 1 where no column names the sample."""
    if "sample" in frame.columns:
        return frame
    return frame.assign(sample=[f"line {number}" for number in range(1, len(frame) + 1)])


def _is_on_scale(column: pd.Series, scale: Scale) -> bool:
    """Return whether a column holds numbers, all of them in the range of the scale (missing ones aside)."""
    text = as_text(column).str.replace(",", ".", regex=False)
    known = text[text != ""]
    numbers = pd.to_numeric(known, errors="coerce")
    return bool(len(known)) and bool(numbers.between(*BOUNDS[scale]).all())


def _number_lines(frame: pd.DataFrame, source: str, notes: list[str], *, alone: bool) -> None:
    """Number the lines of a single model's only file as samples, or say so of a wide table."""
    # As `_with_sample` names the lines of a wide table.
    wide = "sample" in frame.columns and bool(frame["sample"].astype(str).str.fullmatch(r"line \d+").all())
    has_scores = "score" in frame.columns or bool(_class_columns(frame))
    several = {"model", "repeat", "fold"} & set(frame.columns)  # there a sample has more than one line
    if "sample" not in frame.columns and alone and has_scores and "label" in frame.columns and not several:
        frame["sample"] = [f"line {number}" for number in range(1, len(frame) + 1)]
        wide = True
    if wide and len(frame):
        notes.append(f"{source} names no samples: each of its lines was taken as one sample.")


def _refuse_repeated_lines(frame: pd.DataFrame, source: str) -> None:
    """Refuse lines of one sample and model that differ in another column, and say which role to give that column.

    Where no column does, the lines are plain duplicates, which are refused once all files are together.
    """
    keys = [name for name in ("sample", "model", "repeat") if name in frame.columns]
    if not frame.duplicated(keys).any():
        return
    free = [name for name in map(str, frame.columns) if name not in ROLES and not name.startswith(PREFIX)]
    for name in free:
        text = as_text(frame[name])
        # A run holds many samples; numbers that hardly ever repeat are measurements.
        if 2 * text.nunique() > len(frame) or frame[keys].assign(apart=text).duplicated().any():
            continue
        role = "repeat" if text.str.fullmatch(r"\d+").all() and "repeat" not in keys else "model"
        raise ManifestError(
            f"{source}: samples have several lines, which differ in the column {name!r}. If these are repeats of one "
            f"model or several models, say so: --columns {role}={name}."
        )


def _need(frame: pd.DataFrame, file: PredictionFile) -> None:
    columns = [str(name).strip() for name in file.frame.columns]
    has_scores = "score" in frame.columns or bool(_class_columns(frame))
    missing = [name for name in ("sample", "label") if name not in frame.columns] + (
        [] if has_scores else ["score"]
    )
    if not missing:
        return
    hints = []
    for name in missing:
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.6)
        hints.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    free = [name for name in columns if name in frame.columns and name not in ROLES]
    if len(missing) == 3 and (figures := [name for name in columns if name.lower() in _FIGURES]):
        raise ManifestError(
            f"{file.name} holds figures ({', '.join(figures)}), not predictions; it has {', '.join(columns[:20])}. "
            f"Figures of folds or runs do not tell on which cases two models differ. Expected {_NAMED_WELL}: save the "
            "predictions of each fold. A published figure is judged by `headtohead claim`."
        )
    advice = f" Say which column it is: --columns {missing[0]}={free[0]!r}." if free else ""
    shown = ", ".join(columns[:20]) + (f" … ({len(columns)} columns)" if len(columns) > 20 else "")
    raise ManifestError(
        f"{file.name} lacks the column(s) {', '.join(hints)}; it has {shown or 'none'}. Expected {_NAMED_WELL}.{advice}"
    )
