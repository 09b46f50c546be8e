"""Predictions made elsewhere: read, checked, and turned into what `compute_verdict` takes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from headtohead.core.errors import ManifestError, UnknownNameError, unknown_name
from headtohead.data.listing.class_order import choose_classes, need_positive

__all__ = ["External", "parse_predictions", "read_predictions"]

_TEXT = ("sample", "group", "model", "label")
_PREFIX = "prob_"


@dataclass(frozen=True, slots=True)
class External:
    """Predictions ready for `compute_verdict`, and what was decided on the way.

    Attributes:
        frame: columns sample, group, repeat?, fold?, contender, label, prob_<class>.
        by: further columns asked for, as column -> sample -> value.
        notes: one sentence per decision that the user did not take.
    """

    frame: pd.DataFrame
    classes: tuple[str, ...]
    positive: str | None
    by: dict[str, dict[str, str]]
    notes: tuple[str, ...]


def read_predictions(
    paths: Sequence[Path], *, positive: str | None = None, by: Sequence[str] = ()
) -> External:
    """Read prediction files (CSV or Parquet) with the columns sample, label, score; group, model, repeat, fold.

    `score` is the probability of the positive class; beyond two classes there is one column
    `prob_<class>` each. Without `group` each sample is its own group; without `model` the file's
    name (less its suffix) is the model's.

    Args:
        paths: the files; their lines are put together.
        positive: the positive class; if None, the one whose other reads as negative.
        by: columns whose values are subgroups.

    Raises:
        ManifestError: what cannot be read or used, with the column or line named.
        UsageError: neither of two classes reads as negative, and `positive` is None.
    """
    if not paths:
        raise ManifestError("Got no file; name at least one CSV or Parquet file of predictions.")
    stems = [path.stem for path in paths]
    parts = [_read(path) for path in paths]
    if any("model" not in part.columns for part in parts) and len(set(stems)) < len(stems):
        raise ManifestError(
            f"Two files are called {max(stems, key=stems.count)!r} and have no column 'model' to tell them apart."
        )
    for part, stem in zip(parts, stems, strict=True):
        if "model" not in part.columns:
            part["model"] = stem
    return _external(pd.concat(parts, ignore_index=True), positive, by)


def parse_predictions(
    frame: pd.DataFrame, *, positive: str | None = None, by: Sequence[str] = ()
) -> External:
    """Check predictions in a data frame, whose columns are those of `read_predictions`.

    Args:
        frame: the predictions; left as it is.
        positive: the positive class; if None, the one whose other reads as negative.
        by: columns whose values are subgroups.

    Raises:
        ManifestError: what cannot be used, with the column or line named.
        UsageError: neither of two classes reads as negative, and `positive` is None.
    """
    frame = _plain_columns(frame.copy(), "the data frame")
    if "model" not in frame.columns:
        frame["model"] = "model"
    return _external(frame.reset_index(drop=True), positive, by)


def _external(frame: pd.DataFrame, positive: str | None, by: Sequence[str]) -> External:
    """Return checked predictions from one frame with the column model."""
    notes: list[str] = []
    if "group" not in frame.columns:
        frame["group"] = frame["sample"]
        notes.append(
            "There is no column 'group': each sample was taken as independent. If patients have several "
            "images, the intervals are too short; add the column."
        )
    _full(frame)
    classes, chosen = _classes(frame, positive, notes)
    frame = _probabilities(frame, classes, chosen)
    values = {name: _column(frame, name) for name in by}
    kept = [name for name in ("sample", "group", "repeat", "fold", "label") if name in frame.columns]
    result = frame[[*kept, *(f"{_PREFIX}{name}" for name in classes)]].copy()
    result.insert(0, "contender", frame["model"])
    return External(result, classes, chosen, values, tuple(notes))


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ManifestError(f"There is no file {str(path)!r}; expected a CSV or Parquet file of predictions.")
    try:
        if path.suffix.casefold() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        else:
            separator = "\t" if path.suffix.casefold() in (".tsv", ".tab") else ","
            frame = pd.read_csv(
                path,
                sep=separator,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                skipinitialspace=True,
            )
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        OSError,
        ValueError,
    ) as error:
        raise ManifestError(
            f"{path.name} could not be read as a table ({error}); expected comma-separated text or Parquet."
        ) from error
    return _plain_columns(frame, path.name)


def _plain_columns(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return a frame with the expected column names and text where text is due.

    Args:
        source: names the table in a refusal.
    """
    frame = frame.rename(columns=lambda name: str(name).strip())
    if "model" not in frame.columns and "contender" in frame.columns:
        frame = frame.rename(columns={"contender": "model"})
    _need(frame, source)
    for name in _TEXT:
        if name in frame.columns:
            frame[name] = _text(frame[name])
    return frame


def _text(column: pd.Series) -> pd.Series:
    """Return the column as text: whole numbers without ".0", missing values empty."""
    if pd.api.types.is_float_dtype(column):
        known = column.dropna()
        if (known == np.floor(known)).all():
            column = column.astype("Int64")
    return column.astype("object").where(column.notna(), "").astype(str).str.strip()


def _need(frame: pd.DataFrame, source: str) -> None:
    columns = [str(name) for name in frame.columns]
    scores = [name for name in columns if name == "score" or name.startswith(_PREFIX)]
    missing = [name for name in ("sample", "label") if name not in columns] + ([] if scores else ["score"])
    if not missing:
        return
    hints = []
    for name in missing:
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.6)
        hints.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    raise ManifestError(
        f"{source} lacks the column(s) {', '.join(hints)}; it has {', '.join(columns) or 'none'}. Expected "
        "sample, label, score (probability of the positive class) or prob_<class> columns, and better also "
        "group and model."
    )


def _full(frame: pd.DataFrame) -> None:
    for name in _TEXT:
        empty = frame[name].isna() | (frame[name] == "")
        if empty.any():
            line = int(np.flatnonzero(empty)[0]) + 2
            raise ManifestError(
                f"Column {name!r} is empty in {int(empty.sum())} line(s), first in line {line}; every line needs it."
            )
    if frame.empty:
        raise ManifestError("The predictions hold no line below their header.")


def _classes(
    frame: pd.DataFrame, positive: str | None, notes: list[str]
) -> tuple[tuple[str, ...], str | None]:
    columns = [name.removeprefix(_PREFIX) for name in map(str, frame.columns) if name.startswith(_PREFIX)]
    labels = sorted(set(frame["label"]))
    if "score" in frame.columns and len(labels) > 2 and not columns:
        raise ManifestError(
            f"The labels are {', '.join(labels[:8])}: more than two classes need one column prob_<class> each "
            "instead of 'score'."
        )
    known = sorted(set(columns) | set(labels)) if len(columns) > 1 else labels
    if len(known) == 1:
        raise ManifestError(
            f"Every line has the label {known[0]!r}; telling two classes apart can only be judged on samples of both. "
            "Put the predictions for the other class into the same file."
        )
    if len(columns) > 1 and (outside := sorted(set(labels) - set(columns))):
        raise ManifestError(
            f"The label(s) {', '.join(outside)} have no column prob_{outside[0]}; the columns speak of "
            f"{', '.join(columns)}."
        )
    order = choose_classes(known, positive)
    if positive is None and order.positive is not None:
        samples = frame.drop_duplicates("sample")["label"].value_counts()
        need_positive(order.doubt, {name: int(samples.get(name, 0)) for name in known}, "sample")
        notes.append(order.sentence)
    return order.classes, order.positive


def _probabilities(frame: pd.DataFrame, classes: tuple[str, ...], positive: str | None) -> pd.DataFrame:
    wanted = [f"{_PREFIX}{name}" for name in classes]
    if len(classes) == 2 and "score" in frame.columns and not all(name in frame.columns for name in wanted):
        score = _numbers(frame, "score")
        rest = classes[0] if classes[1] == positive else classes[1]
        return frame.assign(**{f"{_PREFIX}{positive}": score, f"{_PREFIX}{rest}": 1 - score})
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise ManifestError(f"The predictions lack the column(s) {', '.join(missing)}.")
    return frame.assign(**{name: _numbers(frame, name) for name in wanted})


def _numbers(frame: pd.DataFrame, name: str) -> pd.Series:
    numbers = pd.to_numeric(frame[name], errors="coerce").astype(float)
    for bad, what in (
        (~np.isfinite(numbers), "is not a finite number"),
        ((numbers < 0) | (numbers > 1), "lies off [0, 1]"),
    ):
        if bad.any():
            row = frame.loc[bad].iloc[0]
            raise ManifestError(
                f"Column {name!r} {what} in {int(bad.sum())} line(s), first {row[name]!r} for sample "
                f"{row['sample']!r} of {row['model']!r}. Expected probabilities between 0 and 1, not logits."
            )
    return numbers


def _column(frame: pd.DataFrame, name: str) -> dict[str, str]:
    if name not in frame.columns:
        own = {"sample", "group", "model", "label", "score", "repeat", "fold"}
        known = [c for c in map(str, frame.columns) if c not in own and not c.startswith(_PREFIX)]
        raise (
            unknown_name("subgroup column", name, known)
            if known
            else UnknownNameError(
                f"Unknown subgroup column {name!r}; the predictions have no further column."
            )
        )
    text = _text(frame[name])
    counts = text.groupby(frame["sample"]).nunique()
    if (counts > 1).any():
        raise ManifestError(f"Sample {counts.index[counts > 1][0]!r} has more than one value of {name!r}.")
    return dict(zip(frame["sample"], text, strict=True))
