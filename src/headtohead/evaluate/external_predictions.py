"""Predictions made elsewhere: read, checked, and turned into what `compute_verdict` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict, Unpack

import numpy as np
import pandas as pd

from headtohead.core.errors import ManifestError, UnknownNameError, UsageError, unknown_name
from headtohead.data.listing.class_order import choose_classes, need_positive
from headtohead.evaluate.external.columns import long_table
from headtohead.evaluate.external.files import PredictionFile, read_prediction_file
from headtohead.evaluate.external.lines import drop_incomplete, join_spellings, need_pairs, to_numbers
from headtohead.evaluate.external.per_case import case_rule, case_values, predictions_per_case
from headtohead.evaluate.external.roles import PREFIX, as_text, group_unit
from headtohead.evaluate.external.scales import Scale, class_probabilities, positive_probabilities

__all__ = ["External", "ReadArguments", "parse_predictions", "per_case", "read_predictions"]

_TEXT = ("sample", "group", "model", "label")
_REST: dict[Scale, str] = {"probability": "1 - {}", "percent": "100 - {}", "logit": "-{}", "ordinal": "-{}"}
"""What the column of the other class is taken for."""


@dataclass(frozen=True, slots=True)
class External:
    """Predictions ready for `compute_verdict`, and what was decided on the way.

    Attributes:
        frame: columns sample, group, repeat?, fold?, contender, label, prob_<class>.
        by: further columns asked for, as column -> sample -> value.
        notes: one sentence per decision that the user did not take.
        unit: what a group is, by the name of its column.
    """

    frame: pd.DataFrame
    classes: tuple[str, ...]
    positive: str | None
    by: dict[str, dict[str, str]]
    notes: tuple[str, ...]
    unit: Literal["patient", "group"] = "group"


class ReadArguments(TypedDict, total=False):
    """How predictions are read.

    Attributes:
        positive: the positive class; guessed from the labels if absent, as for images.
        by: columns whose values are subgroups.
        columns: role (sample, label, score, group, model, repeat, fold) -> column; the others are found by name.
        complete_cases: leave out samples that lack a label, a number or a model's line, for all models.
        score: what the numbers are: probability (the default), percent, logit, or ordinal (only their order counts).
    """

    positive: str | None
    by: Sequence[str]
    columns: Mapping[str, str]
    complete_cases: bool
    score: Scale


def read_predictions(paths: Sequence[Path], **how: Unpack[ReadArguments]) -> External:
    """Read prediction files: CSV, Parquet, JSON (lines) or XLSX with the columns sample, label, score; group, model, …

    `score` is the probability of the positive class; beyond two classes there is one column
    `prob_<class>` each. Without `group` each sample is its own group; without `model` the file's
    name (less its suffix) is the model's. Wide tables hold a column of probabilities per model.

    Args:
        paths: the files; their lines are put together.
        how: as in `ReadArguments`.

    Raises:
        ManifestError: what cannot be read or used, with the column or line named.
        UsageError: neither of two classes reads as negative, and `positive` is None.
    """
    if not paths:
        raise ManifestError("Got no file; name at least one CSV or Parquet file of predictions.")
    stems = [path.stem for path in paths]
    parts, notes, units = [], [], set()
    for path in paths:
        file = read_prediction_file(path)
        part, said = _lines(file, how, alone=len(paths) == 1)
        units.add(group_unit(file.frame.columns, how.get("columns", {})))
        parts.append(part)
        notes += said
    if any("model" not in part.columns for part in parts) and len(set(stems)) < len(stems):
        raise ManifestError(
            f"Two files are called {max(stems, key=stems.count)!r} and have no column 'model' that distinguishes them."
        )
    for part, stem in zip(parts, stems, strict=True):
        if "model" not in part.columns:
            part["model"] = stem
    found = _external(pd.concat(parts, ignore_index=True), how, notes)
    return replace(found, unit="patient" if units == {"patient"} else "group")


def parse_predictions(frame: pd.DataFrame, **how: Unpack[ReadArguments]) -> External:
    """Check predictions in a data frame, whose columns are those of `read_predictions`.

    Args:
        frame: the predictions; left as it is.
        how: as in `ReadArguments`.

    Raises:
        ManifestError: what cannot be used, with the column or line named.
        UsageError: neither of two classes reads as negative, and `positive` is None.
    """
    plain = PredictionFile("the data frame", frame.reset_index(drop=True))
    table, notes = _lines(plain, how, alone=True)
    if "model" not in table.columns:
        table["model"] = "model"
    return replace(_external(table, how, notes), unit=group_unit(frame.columns, how.get("columns", {})))


def per_case(found: External, per: str) -> External:
    """Return the predictions with one line per case (group): "case", "case:mean" or "case:max".

    Raises:
        UsageError, NoEffectError, ManifestError: as for `predictions_per_case`.
    """
    frame, said = predictions_per_case(found.frame, found.classes, found.positive, case_rule(per))
    group_of = dict(zip(found.frame["sample"], found.frame["group"], strict=True))
    by = {name: case_values(values, group_of, name) for name, values in found.by.items()}
    return replace(found, frame=frame, by=by, notes=(said, *found.notes))


def _lines(file: PredictionFile, how: ReadArguments, *, alone: bool) -> tuple[pd.DataFrame, list[str]]:
    scale = how.get("score", "probability")
    return long_table(file, how.get("columns", {}), how.get("by", ()), alone=alone, scale=scale)


def _external(frame: pd.DataFrame, how: ReadArguments, notes: list[str]) -> External:
    """Return checked predictions from one frame with the column model."""
    if "group" not in frame.columns:
        frame["group"] = frame["sample"]
        notes.append(
            "There is no column 'group': each sample was taken as independent. If patients have several "
            "images, the intervals are too short; add the column."
        )
    # Before `_full`, which refuses what is left out here.
    frame = drop_incomplete(frame, notes, asked=how.get("complete_cases", False))
    _full(frame)
    frame = join_spellings(frame, notes)  # before classes are counted: each spelling would be one
    classes, chosen = _classes(frame, how.get("positive"), notes)
    frame = _probabilities(frame, classes, chosen, notes, how.get("score", "probability"))
    need_pairs(frame)
    values = {name: _column(frame, name) for name in how.get("by", ())}
    kept = [name for name in ("sample", "group", "repeat", "fold", "label") if name in frame.columns]
    result = frame[[*kept, *(f"{PREFIX}{name}" for name in classes)]].copy()
    result.insert(0, "contender", frame["model"])
    return External(result, classes, chosen, values, tuple(dict.fromkeys(notes)))


def _full(frame: pd.DataFrame) -> None:
    for name in _TEXT:
        empty = frame[name].isna() | (frame[name] == "")
        if empty.any():
            # by name: several files, or one with a column per model, have no common count of lines
            row = frame.iloc[int(np.flatnonzero(empty)[0])]
            first = ", ".join(
                f"{key} {row[key]!r}" for key in ("sample", "model") if key != name and row[key]
            )
            advice = {
                "label": " Or leave such samples out for all models: --complete-cases.",
                "group": " Where no patient is known, write the sample's own name.",
            }.get(name, "")
            raise ManifestError(
                f"Column {name!r} is empty in {int(empty.sum())} line(s), first of {first}; every line needs "
                f"it.{advice}"
            )
    if frame.empty:
        raise ManifestError("The predictions hold no line below their header.")


def _classes(
    frame: pd.DataFrame, positive: str | None, notes: list[str]
) -> tuple[tuple[str, ...], str | None]:
    columns = [name.removeprefix(PREFIX) for name in map(str, frame.columns) if name.startswith(PREFIX)]
    labels = sorted(set(frame["label"]))
    if "score" in frame.columns and len(labels) > 2 and not columns:
        raise ManifestError(
            f"The labels are {', '.join(labels[:8])}: more than two classes need one column prob_<class> each "
            "instead of 'score'."
        )
    # Beside a single column of probabilities, that of one class, the labels name both.
    known = sorted(set(columns) | set(labels)) if len(columns) > 1 else labels
    if len(known) == 1:
        raise ManifestError(
            f"Every line has the label {known[0]!r}; telling two classes apart can only be judged on samples of both. "
            "Put the predictions for the other class into the same file."
        )
    if len(columns) > 1 and (outside := sorted(set(labels) - set(columns))):
        raise ManifestError(
            f"The label(s) {', '.join(outside)} have no column prob_{outside[0]}; the columns are those of "
            f"{', '.join(columns)}."
        )
    order = choose_classes(known, positive)
    if positive is None and order.positive is not None:
        samples = frame.drop_duplicates("sample")["label"].value_counts()
        need_positive(order.doubt, {name: int(samples.get(name, 0)) for name in known}, "sample")
        notes.append(order.sentence)
    return order.classes, order.positive


def _probabilities(
    frame: pd.DataFrame, classes: tuple[str, ...], positive: str | None, notes: list[str], scale: Scale
) -> pd.DataFrame:
    wanted = [f"{PREFIX}{name}" for name in classes]
    given = [name for name in wanted if name in frame.columns]
    if scale == "ordinal" and len(classes) > 2:
        raise UsageError(
            f"Got --score ordinal with {len(classes)} classes; expected two, since grades of different classes cannot "
            "be compared. Give probabilities, percentages or logits of each class."
        )
    if len(classes) == 2 and (source := _single_column(frame, given, positive, scale)):
        known = f"{PREFIX}{positive}" if source == "score" else source
        (other,) = set(wanted) - {known}
        if other in given:
            notes.append(f"Of two columns of grades only {source!r} was read.")
        elif source != "score":
            notes.append(f"There is no column {other!r}: it was taken as {_REST[scale].format(source)}.")
        numbers = to_numbers(frame, source, notes, scale)
        notes += [f"Column {source!r} was read as logits: 1 / (1 + exp(-logit))."] if scale == "logit" else []
        first, rest = positive_probabilities(numbers, frame["model"], scale, notes)
        return frame.assign(**{known: first, other: rest})
    if missing := [name for name in wanted if name not in given]:
        raise ManifestError(f"The predictions lack the column(s) {', '.join(missing)}.")
    if scale == "logit":
        notes.append(f"The columns {', '.join(wanted)} were read as logits: the softmax over them.")
    numbers_of = pd.DataFrame({name: to_numbers(frame, name, notes, scale) for name in wanted})
    return frame.assign(**class_probabilities(numbers_of, scale))


def _single_column(frame: pd.DataFrame, given: Sequence[str], positive: str | None, scale: Scale) -> str:
    """Return the one column that the scores of two classes come from, "" where each class has its own."""
    if "score" in frame.columns and len(given) < 2:
        return "score"
    if len(given) == 1:
        return given[0]
    # Grades of two columns share no scale.
    return f"{PREFIX}{positive}" if scale == "ordinal" and given else ""


def _column(frame: pd.DataFrame, name: str) -> dict[str, str]:
    if name not in frame.columns:
        own = {"sample", "group", "model", "label", "score", "repeat", "fold"}
        known = [c for c in map(str, frame.columns) if c not in own and not c.startswith(PREFIX)]
        raise (
            unknown_name("subgroup column", name, known)
            if known
            else UnknownNameError(
                f"Unknown subgroup column {name!r}; the predictions have no further column."
            )
        )
    text = as_text(frame[name])
    counts = text.groupby(frame["sample"]).nunique()
    if (counts > 1).any():
        raise ManifestError(f"Sample {counts.index[counts > 1][0]!r} has more than one value of {name!r}.")
    return dict(zip(frame["sample"], text, strict=True))
