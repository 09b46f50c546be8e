"""Building a table of predictions from a frame: checked once, sorted once, paired once.

The order of the rows that come in never matters: samples and groups are sorted by name, so the same
predictions give the same digits however they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from headtohead.core.errors import DataError, InsufficientDataError, ManifestError, UnpairedError
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["build_prediction_table"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Probabilities written with three or four digits still add up to 1 within this.
_SUM_TOLERANCE = 1e-3


def build_prediction_table(
    predictions: pd.DataFrame,
    *,
    classes: tuple[str, ...],
    positive: str | None = None,
    contenders: Sequence[str] | None = None,
    ranks_only: bool = False,
) -> PredictionTable:
    """Check predictions and turn them into a `PredictionTable`.

    Args:
        predictions: columns sample, group, contender, label and prob_<class> for each class; repeat
            and fold are optional (one repeat, one fold then).
        classes: the class names, at least two.
        positive: the positive one of two classes; the last if None.
        contenders: their order; by default that of first appearance.
        ranks_only: whether only the order of the numbers counts.

    Raises:
        ManifestError: a column is missing or holds values that cannot be used.
        DataError: a sample has two labels or two groups.
        InsufficientDataError: fewer than two classes.
        UnpairedError: contenders do not cover the same samples, repeats and folds.
    """
    if len(classes) < 2:
        raise InsufficientDataError(f"Got the classes {list(classes)}; a comparison needs at least two.")
    if positive is not None and positive not in classes:
        raise ManifestError(f"The positive class {positive!r} is not among the classes {list(classes)}.")
    # All statistics take the last of two classes as positive.
    if len(classes) == 2 and positive == classes[0]:
        classes = (classes[1], classes[0])
    _need_columns(predictions, classes)
    frame = _plain(predictions, classes)
    _check_probabilities(frame, classes)
    order = list(contenders) if contenders is not None else list(pd.unique(frame["contender"]))
    frame = frame.sort_values(["sample", "repeat"], kind="stable").reset_index(drop=True)
    _one_value_each(frame, "label", classes)
    _one_value_each(frame, "group", classes)
    first = frame.drop_duplicates("sample")
    samples = first["sample"].to_numpy(dtype=str)
    groups, sample_group = np.unique(first["group"].to_numpy(dtype=str), return_inverse=True)
    repeats = tuple(int(r) for r in np.unique(frame["repeat"]))
    lines = _lines(frame, samples, sample_group.astype(np.int64), classes, order)
    _need_pairs(lines, order, repeats, samples)
    table = PredictionTable(
        classes, samples, groups, sample_group.astype(np.int64), first["label"].to_numpy(dtype=np.int64),
        tuple(order), repeats, lines, "fold" in predictions.columns and frame["fold"].nunique() > 1, ranks_only,
    )  # fmt: skip
    # Each repeat of a hold-out is one fold for the tests over folds.
    return replace(table, has_folds=True) if table.hold_out else table


def _need_columns(frame: pd.DataFrame, classes: tuple[str, ...]) -> None:
    required = ["sample", "group", "contender", "label", *(f"prob_{name}" for name in classes)]
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise ManifestError(
            f"The predictions lack the column(s) {', '.join(missing)}; "
            f"got {', '.join(map(str, frame.columns))}. "
            "One line per sample, repeat and contender is expected, with one probability column per class."
        )
    if frame.empty:
        raise InsufficientDataError("The predictions hold no line; at least two groups are needed.")


def _plain(predictions: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(index=range(len(predictions)))
    for name in ("sample", "group", "contender"):
        column = predictions[name]
        if column.isna().any():
            raise ManifestError(f"Column {name!r} is empty in {int(column.isna().sum())} line(s).")
        frame[name] = column.astype(str).to_numpy(dtype=object)
    for name in ("repeat", "fold"):
        frame[name] = _whole_numbers(predictions, name)
    frame["label"] = _label_index(predictions["label"], classes)
    for name in classes:
        # Text becomes NaN, which `_check_probabilities` reports with its sample.
        values = pd.to_numeric(predictions[f"prob_{name}"], errors="coerce")
        frame[f"prob_{name}"] = values.to_numpy(dtype=np.float64)
    return frame


def _whole_numbers(predictions: pd.DataFrame, name: str) -> Ints:
    if name not in predictions.columns:
        return np.zeros(len(predictions), dtype=np.int64)
    numbers = pd.to_numeric(predictions[name], errors="coerce").to_numpy(dtype=np.float64)
    # Beyond 2**53 doubles skip whole numbers, and infinity is none.
    if not (np.abs(numbers) <= 2**53).all() or (numbers != np.floor(numbers)).any():
        raise ManifestError(f"Column {name!r} must hold whole numbers in every line.")
    return numbers.astype(np.int64)


def _label_index(column: pd.Series, classes: tuple[str, ...]) -> Ints:
    index = {name: position for position, name in enumerate(classes)}
    text = column.astype(str)
    indices = text.map(index)
    if indices.isna().any():
        unknown = sorted(set(text[indices.isna()]))[:5]
        raise ManifestError(f"Unknown label(s) {', '.join(unknown)}; the classes are {', '.join(classes)}.")
    return np.asarray(indices, dtype=np.int64)


def _check_probabilities(frame: pd.DataFrame, classes: tuple[str, ...]) -> None:
    prob = frame[[f"prob_{name}" for name in classes]].to_numpy(dtype=np.float64)
    for bad, what in (
        (~np.isfinite(prob).all(axis=1), "is not a finite number"),
        (((prob < 0) | (prob > 1)).any(axis=1), "lies outside [0, 1]"),
        (np.abs(prob.sum(axis=1) - 1) > _SUM_TOLERANCE, "does not add up to 1 over the classes"),
    ):
        if bad.any():
            row = frame.iloc[int(np.flatnonzero(bad)[0])]
            raise ManifestError(
                f"A probability {what} in {int(bad.sum())} line(s), first for sample {row['sample']!r}, "
                f"contender {row['contender']!r}. Give probabilities, not logits or class numbers."
            )


def _one_value_each(frame: pd.DataFrame, column: str, classes: tuple[str, ...]) -> None:
    counts = frame.groupby("sample")[column].nunique()
    if (counts > 1).any():
        sample = counts.index[counts > 1][0]
        values = sorted(set(frame.loc[frame["sample"] == sample, column]))
        names = [classes[int(v)] if column == "label" else str(v) for v in values]
        raise DataError(
            f"{int((counts > 1).sum())} sample(s) carry more than one {column}; sample {sample!r} has "
            f"{' and '.join(names)}. Each sample needs one {column} in all lines."
        )


def _lines(
    frame: pd.DataFrame,
    samples: npt.NDArray[np.str_],
    sample_group: Ints,
    classes: tuple[str, ...],
    order: list[str],
) -> dict[tuple[str, int], ContenderPredictions]:
    where = {name: position for position, name in enumerate(samples)}
    result = {}
    for key, part in frame.groupby(["contender", "repeat"], sort=True):
        contender, repeat = str(key[0]), int(str(key[1]))
        if contender not in order:
            continue
        twice = part["sample"].duplicated()
        if twice.any():
            raise ManifestError(
                f"Sample {part['sample'][twice].iloc[0]!r} appears more than once for contender "
                f"{contender!r} in repeat {repeat}; one line per sample, repeat and contender is expected."
            )
        sample = part["sample"].map(where).to_numpy(dtype=np.int64)
        prob = part[[f"prob_{name}" for name in classes]].to_numpy(dtype=np.float64)
        label, fold = part["label"].to_numpy(dtype=np.int64), part["fold"].to_numpy(dtype=np.int64)
        result[contender, repeat] = ContenderPredictions(sample, sample_group[sample], label, fold, prob)
    return result


def _need_pairs(
    lines: dict[tuple[str, int], ContenderPredictions],
    order: list[str],
    repeats: tuple[int, ...],
    samples: npt.NDArray[np.str_],
) -> None:
    for repeat in repeats:
        covered = {
            name: set(lines[name, repeat].sample) if (name, repeat) in lines else set() for name in order
        }
        union = set().union(*covered.values())
        for name in order:
            if missing := sorted(union - covered[name]):
                examples = ", ".join(samples[missing[:3]]) + (" …" if len(missing) > 3 else "")
                raise UnpairedError(
                    f"Contender {name!r} has no prediction for {len(missing)} of {len(union)} samples in "
                    f"repeat {repeat}: {examples}. Contenders are compared on identical lines only; predict "
                    "them for all or drop them for all."
                )
        folds = [lines[name, repeat].fold for name in order]
        for name, fold in zip(order, folds, strict=True):
            if (fold != folds[0]).any():
                sample = samples[lines[name, repeat].sample[np.flatnonzero(fold != folds[0])[0]]]
                raise UnpairedError(
                    f"Contenders {order[0]!r} and {name!r} put sample {sample!r} into different folds of "
                    f"repeat {repeat}; contenders must be tested on the same folds."
                )
