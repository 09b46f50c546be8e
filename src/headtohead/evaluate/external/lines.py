"""Lines of prediction tables: labels of differing spelling, numbers as people write them, incomplete samples."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pandas as pd

from headtohead.core.errors import ManifestError, UnpairedError
from headtohead.core.formatting import pluralize
from headtohead.data.tables.text import decimal_point
from headtohead.evaluate.external.roles import PREFIX
from headtohead.evaluate.external.scales import BOUNDS, NOUNS, Scale

__all__ = ["drop_incomplete", "join_spellings", "need_pairs", "to_numbers"]

# The largest number that is taken for a probability with an error of rounding rather than for a grade.
_JUST_ABOVE = 1.1


def join_spellings(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the frame with labels that differ in letter case only, or are one number, written as the commonest.

    Args:
        frame: with the column label and perhaps `prob_<class>`; columns of one class are joined too.
        notes: gets a sentence on each change.
    """
    counts = Counter(frame["label"])
    spellings: dict[str, list[str]] = defaultdict(list)
    # Equally common spellings by name, so that the order of the lines plays no part.
    for label in sorted(counts, key=lambda label: (-counts[label], label)):
        spellings[_same(label)].append(label)
    changes = {other: names[0] for names in spellings.values() for other in names[1:] if other}
    for other, name in changes.items():
        notes.append(
            f"The label {other!r} ({pluralize(counts[other], 'line')}) was taken as {name!r}: they differ in spelling."
        )
    frame = frame.assign(label=frame["label"].replace(changes)) if changes else frame
    known = {_same(label): PREFIX + label for label in frame["label"].unique() if label}
    for column in [str(name) for name in frame.columns if str(name).startswith(PREFIX)]:
        meant = known.get(_same(column.removeprefix(PREFIX)), column)
        if meant == column:
            continue
        values = frame[column]
        if meant in frame.columns:
            # Files may spell one class in two ways, and each line fills one of the columns.
            values = frame[meant].where(frame[meant].notna(), values)
        frame = frame.drop(columns=column).assign(**{meant: values})
    return frame


def _same(label: str) -> str:
    """Return what spellings of one label share."""
    try:
        return repr(float(label))  # 1, 1.0 and 01 are one label
    except ValueError:
        return label.casefold()


def drop_incomplete(frame: pd.DataFrame, notes: list[str], *, asked: bool) -> pd.DataFrame:
    """Return the frame without samples that lack a label, a number or a model's line, if `asked`.

    Such a sample is left out for all models, so that they stay paired.

    Args:
        frame: with sample, label, model, repeat? and score or `prob_<class>`.
        notes: gets the counts.
    """
    if not asked:
        return frame
    numeric = [name for name in map(str, frame.columns) if name == "score" or name.startswith(PREFIX)]
    blank = pd.DataFrame({name: _is_blank(frame[name]) for name in numeric}).all(axis=1)
    if "score" not in numeric:
        # Of class columns none may be blank; beside a score they may.
        blank |= pd.DataFrame({name: _is_blank(frame[name]) for name in numeric}).any(axis=1)
    unlabelled = set(frame.loc[_is_blank(frame["label"]), "sample"])
    unscored = set(frame.loc[blank, "sample"]) - unlabelled
    unpaired = {name for absent in _absent(frame).values() for name in absent} - unlabelled - unscored
    reasons = [
        f"{len(names)} without {what}"
        for names, what in (
            (unlabelled, "a label"),
            (unscored, "a number"),
            (unpaired, "a prediction of each model"),
        )
        if names
    ]
    out = unlabelled | unscored | unpaired
    total = frame["sample"].nunique()
    if not out:
        notes.append(f"Complete cases were asked for; all {pluralize(total, 'sample')} are complete.")
        return frame
    kept = frame[~frame["sample"].isin(out)]
    lost = frame[frame["sample"].isin(out)].drop_duplicates("sample")["label"].value_counts()
    by_class = ", ".join(f"{name or 'no label'} {count}" for name, count in sorted(lost.items()))
    notes.append(
        f"Complete cases: {len(out)} of {pluralize(total, 'sample')} were left out ({'; '.join(reasons)}; "
        f"by label: {by_class})."
    )
    return kept.reset_index(drop=True)


def _is_blank(column: pd.Series) -> pd.Series:
    text = column.astype("object").where(column.notna(), "").astype(str).str.strip().str.casefold()
    return text.isin(["", "nan", "na", "n/a", "null", "none"])  # what programs write for a missing value


def _absent(frame: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Return (repeat, model) -> samples that other models have in that repeat."""
    repeat = frame["repeat"].astype(str) if "repeat" in frame.columns else pd.Series("", index=frame.index)
    keys = pd.DataFrame(
        {"repeat": repeat, "model": frame["model"], "sample": frame["sample"]}
    ).drop_duplicates()
    n_models = frame["model"].nunique()
    present = keys.groupby(["repeat", "sample"])["model"].transform("size")
    partial = keys[present < n_models]
    found: dict[tuple[str, str], list[str]] = {}
    for number, part in partial.groupby("repeat"):
        samples = set(part["sample"])
        for model in frame["model"].unique():
            if lacking := samples - set(part.loc[part["model"] == model, "sample"]):
                found[str(number), str(model)] = sorted(lacking)
    return found


def need_pairs(frame: pd.DataFrame) -> None:
    """Refuse models that do not cover the same samples, and say what to do.

    Raises:
        UnpairedError: a model lacks samples that another has.
    """
    absent = _absent(frame)
    if not absent:
        return
    (_, model), samples = max(absent.items(), key=lambda item: len(item[1]))
    total = frame["sample"].nunique()
    examples = ", ".join(samples[:3]) + (" …" if len(samples) > 3 else "")
    names = [str(name) for name in frame["model"].unique()]
    alike = [name for name in names if name != model and name.casefold() == model.casefold()]
    if alike:
        advice = (
            f"The names {model!r} and {alike[0]!r} differ in letter case only: write one of them everywhere."
        )
    elif 2 * len(samples) >= total:  # so many differ in name rather than being absent
        advice = "Do the files name the same images in the same way? Models on other images cannot be paired."
    else:
        advice = "Predict them for all, or leave them out for all: --complete-cases."
    raise UnpairedError(
        f"Contender {model!r} has no prediction for {len(samples)} of {total} samples: {examples}. Contenders are "
        f"compared on identical lines only. {advice}"
    )


def to_numbers(frame: pd.DataFrame, name: str, notes: list[str], scale: Scale = "probability") -> pd.Series:
    """Return a column as numbers; a decimal comma and percent signs are understood.

    Args:
        scale: what the numbers are; percentages are divided by 100.

    Raises:
        ManifestError: a cell that is no such number.
    """
    column, signed = frame[name], False
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.astype(float)
    else:
        text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
        pointed = decimal_point(text)
        if pointed is not None:
            notes.append(f"Column {name!r} is written with a decimal comma.")
            text = pd.Series(pointed, index=text.index)
        # All or none: where some cells are percentages, those without the sign cannot be read.
        signed = bool(len(text)) and bool(text.str.endswith("%").all())
        numbers = pd.to_numeric(text.str.removesuffix("%") if signed else text, errors="coerce").astype(float)
    percent = signed or scale == "percent"
    low, high = BOUNDS["percent" if percent else scale]
    for bad, what in (
        (~np.isfinite(numbers), "is not a finite number"),
        ((numbers < low) | (numbers > high), f"is outside {low:g} to {high:g}"),
    ):
        if bad.any():
            row = frame.loc[bad].iloc[0]
            raise ManifestError(
                f"Column {name!r} {what} in {pluralize(int(bad.sum()), 'line')}, first {row[name]!r} for sample "
                f"{row['sample']!r} of {row['model']!r}. {_advice(numbers, int(bad.sum()), scale)}"
            )
    if not percent:
        return numbers
    notes.append(f"Column {name!r} is written in percent; it was divided by 100.")
    return numbers / 100


def _advice(numbers: pd.Series, n_bad: int, scale: Scale) -> str:
    known = numbers[np.isfinite(numbers)]
    low, high = BOUNDS[scale]
    expected = f"Expected {NOUNS[scale]}{f' between {low:g} and {high:g}' if np.isfinite(high) else ''}"
    if len(known) < len(numbers):
        leave = ", or leave such samples out for all models: --complete-cases"
        return f"{expected}{leave if n_bad < len(numbers) else ''}."
    if scale != "probability":
        return f"{expected}, as --score {scale} says."
    if (known >= 0).all() and known.max() > 5 and known.max() <= 100:  # up to 5 they may be grades
        return (
            "Expected probabilities between 0 and 1; these look like percentages: divide them by 100, or give "
            "--score percent."
        )
    if (known < 0).any():
        return "Expected probabilities between 0 and 1, not logits: give --score logit."
    if known.max() < _JUST_ABOVE:
        return (
            "Expected probabilities between 0 and 1; these lie just above 1: the probabilities of one sample must add "
            "up to 1. Correct the rounding or the offset where they are written."
        )
    return (
        "Expected probabilities between 0 and 1, not logits, grades or class numbers: say which with --score logit, or "
        "--score ordinal where only the order counts."
    )
