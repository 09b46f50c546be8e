"""Which column of a prediction file plays which part: by its name, or as the caller says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from headtohead.core.errors import ManifestError, UsageError
from headtohead.evaluate.external.files import PredictionFile

__all__ = ["PREFIX", "ROLES", "as_text", "group_unit", "named_by_role", "plain_name"]

PREFIX = "prob_"

ROLES: Mapping[str, tuple[str, ...]] = {
    "sample": (
        "sample", "sample_id", "image", "image_id", "image_name", "filename", "file_name", "file", "path",
        "image_path", "img", "id",
    ),
    "label": (
        "label", "labels", "y_true", "true_label", "true", "truth", "ground_truth", "gt", "target", "class",
        "diagnosis", "dx", "y",
    ),
    "score": (
        "score", "y_score", "probability", "prob", "proba", "y_prob", "y_proba", "pred_prob", "p_positive",
        "predicted_probability",
    ),
    "group": (
        "group", "group_id", "patient", "patient_id", "patientid", "subject", "subject_id", "participant_id", "case",
        "case_id",
    ),
    "model": ("model", "contender", "model_name", "algorithm", "classifier", "method"),
    "repeat": ("repeat",),
    "fold": ("fold", "cv_fold"),
}  # fmt: skip
"""For each role the column names that are taken for it, the likeliest first; letter case does not matter."""

# What may stand before or after the name of a class in the name of its column.


def group_unit(names: Iterable[str], columns: Mapping[str, str]) -> Literal["patient", "group"]:
    """Return what the groups are, by the name of the column that holds them."""
    chosen = _chosen([str(name).strip() for name in names], columns, (), "the file").get("group", "")
    return "patient" if plain_name(chosen).startswith(("patient", "subject", "participant")) else "group"


def as_text(column: pd.Series) -> pd.Series:
    """Return the column as text: whole numbers without ".0", missing values empty."""
    if pd.api.types.is_float_dtype(column):
        known = column.dropna()
        # beyond 2^63 no whole number of 64 bits holds it, and infinity is none
        if ((known == np.floor(known)) & (known.abs() < 2.0**63)).all():
            column = column.astype("Int64")  # pandas makes whole numbers floats where a cell is missing
    return column.astype("object").where(column.notna(), "").astype(str).str.strip()


def plain_name(name: str) -> str:
    """Return a name without letter case, hyphens and double spaces, as names of columns are compared."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def named_by_role(
    file: PredictionFile, columns: Mapping[str, str], keep: Sequence[str], notes: list[str]
) -> pd.DataFrame:
    """Return the frame with roles for names; a column that is not called like its role is noted."""
    frame = file.frame.rename(columns=lambda name: str(name).strip())
    names = [str(name) for name in frame.columns]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ManifestError(f"{file.name} has columns of the same name: {', '.join(repeated)}. Rename them.")
    chosen = _chosen(names, columns, keep, file.name)
    said = [
        f"{role} from {name!r}"
        for role, name in chosen.items()
        if plain_name(name) != role and role not in columns
    ]
    if said:
        notes.append(f"{file.name}: columns were taken by their names: {', '.join(said)}.")
    frame = frame.rename(columns={name: role for role, name in chosen.items()})
    # pandas writes its row numbers under no name; they say nothing of the images.
    numbers = [name for name in frame.columns if name == "" or re.fullmatch(r"Unnamed: \d+", name)]
    frame = frame.drop(columns=numbers)
    return frame.rename(
        columns={
            name: PREFIX + name[len(PREFIX) :]
            for name in map(str, frame.columns)
            if plain_name(name).startswith(PREFIX)
        }
    )


def _chosen(names: list[str], columns: Mapping[str, str], keep: Sequence[str], source: str) -> dict[str, str]:
    if unknown := sorted(set(columns) - set(ROLES)):
        raise UsageError(f"Unknown role(s) {', '.join(unknown)} in columns; known: {', '.join(ROLES)}.")
    if missing := sorted(name for name in columns.values() if name not in names):
        near = difflib.get_close_matches(missing[0], names, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ManifestError(f"{source} has no column {missing[0]!r}{hint}; it has {', '.join(names)}.")
    if len(set(columns.values())) < len(columns):
        raise UsageError(
            f"Two roles share a column in columns={dict(columns)}; expected one column per role."
        )
    chosen = dict(columns)
    plain = {
        plain_name(name): name for name in reversed(names)
    }  # of names that read alike the first one wins
    for role, likely in ROLES.items():
        free = [
            plain[name] for name in likely if name in plain and plain[name] not in {*chosen.values(), *keep}
        ]
        exact = [role] if role in names and role not in chosen.values() else []
        if role not in chosen and (exact or free):
            chosen[role] = (exact or free)[0]
    return chosen
