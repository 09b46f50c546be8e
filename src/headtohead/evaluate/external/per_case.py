"""One prediction a case: the probabilities of a case's images become one before anything is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headtohead.core.errors import ManifestError, NoEffectError, UsageError
from headtohead.core.formatting import pluralize
from headtohead.evaluate.external.roles import PREFIX

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["case_rule", "case_values", "predictions_per_case"]

RULES = ("mean", "max")
"""Mean probability of a case's images, or that of the image with the highest probability of the positive class."""

_LINE = ("contender", "repeat", "fold")


def case_rule(per: str) -> str:
    """Return how the images of a case become one: "mean" for "case" and "case:mean", "max" for "case:max".

    Raises:
        UsageError: anything else.
    """
    word, _, rule = per.partition(":")
    if word != "case" or (rule or "mean") not in RULES:
        raise UsageError(f"Got --per {per}; expected case, case:mean or case:max.")
    return rule or "mean"


def predictions_per_case(
    frame: pd.DataFrame, classes: Sequence[str], positive: str | None, rule: str, *, inner: bool = False
) -> tuple[pd.DataFrame, str]:
    """Return one line per case, contender and repeat, and the sentence that says so.

    `mean` is the mean of the probabilities over the images of the case; `max` takes the image with the highest
    probability of the positive class (two classes only). A case is a group.

    Args:
        frame: columns contender, sample, group, label, prob_<class>, and repeat and fold if known.
        classes: class names.
        positive: the positive one of two classes; the last if None.
        rule: "mean" or "max".
        inner: the lines are of training images, which a repeat predicts once in each of its folds.

    Raises:
        UsageError: `max` beyond two classes.
        NoEffectError: every case has one image.
        ManifestError: a case whose images have several labels, or lie in several folds of a repeat.
    """
    if rule == "max" and len(classes) != 2:
        raise UsageError(
            f"Got --per case:max with {len(classes)} classes; the highest probability needs a positive one of two. "
            "Take --per case:mean."
        )
    if not inner and frame["group"].nunique() == frame["sample"].nunique():
        raise NoEffectError(
            "Scoring per case has no effect: every group has one image. Give the cases (a column group, or "
            "--group-from for images), or leave it out."
        )
    keys = [name for name in _LINE if name in frame.columns]
    _one_value(frame, ["group"], "label", "labels")
    if "fold" in frame.columns and not inner:
        _one_value(frame, [*(name for name in keys if name != "fold"), "group"], "fold", "folds")
    probabilities = [f"{PREFIX}{name}" for name in classes]
    by_case = frame.groupby([*keys, "group"], sort=True, observed=True)
    if rule == "mean":
        found = by_case[probabilities].mean()
    else:
        target = f"{PREFIX}{positive if positive is not None else classes[-1]}"
        found = frame.loc[by_case[target].idxmax(), [*keys, "group", *probabilities]].set_index(
            [*keys, "group"]
        )
    kept = by_case[["label"]].first()
    table = found.join(kept).reset_index()
    table["sample"] = table["group"]  # a case is scored as one sample
    how = "mean" if rule == "mean" else "highest"
    n_images, n_cases = frame["sample"].nunique(), frame["group"].nunique()
    said = (
        f"Scored per case: the {how} probability over the images of each case, {pluralize(n_images, 'image')} of "
        f"{pluralize(n_cases, 'case')} (groups). All figures are of cases, not of images."
    )
    return table[[name for name in frame.columns if name in table.columns]], said


def case_values(values: Mapping[str, str], group_of: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a subgroup's value per case.

    Args:
        values: sample -> value. group_of: sample -> case. name: of the subgroup column.

    Raises:
        ManifestError: images of one case have several values.
    """
    found: dict[str, str] = {}
    for sample, value in values.items():
        case = group_of[sample]
        if found.setdefault(case, value) != value:
            raise ManifestError(
                f"The images of case {case!r} have several values of {name!r}; a subgroup of cases needs one each."
            )
    return found


def _one_value(frame: pd.DataFrame, keys: list[str], column: str, words: str) -> None:
    counts = frame.groupby(keys, observed=True)[column].nunique()
    several = counts[counts > 1]
    if len(several):
        first = several.index[0]
        case = first[-1] if isinstance(first, tuple) else first
        raise ManifestError(
            f"{pluralize(len(several), 'case', 'has', 'have')} several {words}, such as {case!r}; one of each is "
            "expected where a case is scored as one."
        )
