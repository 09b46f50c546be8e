"""One prediction per group: the mean or the largest of a patient's images, so that each patient counts once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import pandas as pd

from headtohead.core.errors import ManifestError, UsageError, unknown_name
from headtohead.core.formatting import pluralize

__all__ = ["PerGroup", "as_per_group", "join_groups"]

PerGroup = Literal["mean", "max"]
_WAYS: tuple[PerGroup, ...] = get_args(PerGroup)
_NAMED = 3


def as_per_group(name: str | None) -> PerGroup | None:
    """Return the way of that name, None for none.

    Raises:
        UnknownNameError: there is no such way.
    """
    for way in _WAYS:
        if way == name:
            return way
    if name is None:
        return None
    raise unknown_name("way for --per-group", name, _WAYS)


def join_groups(
    frame: pd.DataFrame, probabilities: Sequence[str], way: PerGroup, further: Sequence[str], notes: list[str]
) -> pd.DataFrame:
    """Return one line per group, repeat and model: the mean of the samples' probabilities, or the largest.

    Args:
        frame: checked lines with sample, group, model, label, repeat? and fold?.
        probabilities: the columns of probabilities; with "max" two, the positive class last.
        way: how a group's numbers become one.
        further: columns of subgroups, kept.
        notes: gets the sentence on what was done.

    Raises:
        ManifestError: a group with several labels, folds or subgroups.
        UsageError: "max" with more than two classes.
    """
    if way == "max" and len(probabilities) != 2:
        raise UsageError(
            f"Got --per-group max with {len(probabilities)} classes; the largest probability is taken of the positive "
            "one of two. Give --per-group mean."
        )
    for name in ("label", *further):
        _one_value(frame, ["group"], name)
    keys = ["model", "group", *(["repeat"] if "repeat" in frame.columns else [])]
    if "fold" in frame.columns:
        _one_value(frame, keys[1:], "fold")
    by_group = frame.groupby(keys, sort=False)
    kept = [name for name in ("label", "fold", *further) if name in frame.columns]
    joined = by_group[kept].first()
    if way == "mean":
        joined[list(probabilities)] = by_group[list(probabilities)].mean()
    else:
        rest, positive = probabilities
        joined[positive] = by_group[positive].max()
        joined[rest] = 1 - joined[positive]
    joined = joined.reset_index()
    joined["sample"] = joined["group"]
    words = "mean" if way == "mean" else "largest probability"
    notes.append(
        f"Each group counts once: the {words} of its samples ({pluralize(frame['sample'].nunique(), 'sample')} in "
        f"{pluralize(joined['group'].nunique(), 'group')}; --per-group {way})."
    )
    return joined


def _one_value(frame: pd.DataFrame, keys: list[str], name: str) -> None:
    counts = frame.groupby(keys)[name].nunique()
    several = counts[counts > 1]
    if several.empty:
        return
    names = sorted({str(key[0] if isinstance(key, tuple) else key) for key in several.index})
    shown = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
    raise ManifestError(
        f"Got --per-group, but {pluralize(len(names), 'group')} with more than one {name} ({shown}); one prediction "
        f"per group needs one {name} each. Leave --per-group out, or correct the column {name!r} or 'group'."
    )
