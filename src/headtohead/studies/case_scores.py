"""The lines that a comparison scores: one an image, or one a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtohead.evaluate.external.per_case import case_rule, case_values, predictions_per_case

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset

__all__ = ["ScoredLines", "scored_lines"]


@dataclass(frozen=True, slots=True)
class ScoredLines:
    """What `compute_verdict` takes.

    Attributes:
        predictions: of test images or cases. inner: of training images or cases. by: subgroups.
        notes: how the lines were made, if not one an image.
    """

    predictions: pd.DataFrame
    inner: pd.DataFrame
    by: Mapping[str, Mapping[str, str]] | None
    notes: tuple[str, ...] = ()


def scored_lines(
    predictions: pd.DataFrame,
    inner: pd.DataFrame,
    by: Mapping[str, Mapping[str, str]] | None,
    dataset: Dataset,
    per: str | None,
) -> ScoredLines:
    """Return the lines as they are, or one per case (group) by the rule of `per`.

    Args:
        predictions: out-of-fold, one line per image. inner: the same of training images.
        by: subgroup column -> sample -> value, None where none is asked for.
        dataset: whose classes and groups these are.
        per: "case", "case:mean", "case:max" or None.

    Raises:
        UsageError, NoEffectError, ManifestError: as for `predictions_per_case`.
    """
    if per is None:
        return ScoredLines(predictions, inner, by)
    rule = case_rule(per)
    cases, said = predictions_per_case(predictions, dataset.classes, dataset.positive, rule)
    inner_cases = inner
    if len(inner):
        inner_cases, _ = predictions_per_case(inner, dataset.classes, dataset.positive, rule, inner=True)
    group_of = {sample.id: sample.group for sample in dataset.samples}
    values = {name: case_values(found, group_of, name) for name, found in (by or {}).items()}
    return ScoredLines(cases, inner_cases, values, (said,))
