"""What an evaluation reads and scores as a model was trained: channels and volume, images or cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtohead.core.errors import UsageError
from headtohead.core.progress import Reporter
from headtohead.core.records import Sample
from headtohead.data.options import LoadOptions
from headtohead.evaluate.external.per_case import case_rule, case_values, predictions_per_case

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.deploy.model import DeployedModel

__all__ = ["OTHER_UNITS", "ScoreLines", "same_units", "score_lines", "warn_of_readings"]

OTHER_UNITS = (
    "The cross-validated scores count images and those here cases, or the other way round, or another rule makes one "
    "score of a case, so they are shown next to each other and not compared."
)


@dataclass(frozen=True, slots=True)
class ScoreLines:
    """What is scored.

    Attributes:
        frame: one line per model and image, or case. by: subgroup column -> image, or case -> value.
        notes: how the lines were made, if not one an image.
    """

    frame: pd.DataFrame
    by: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...] = ()


def score_lines(
    frame: pd.DataFrame,
    samples: Sequence[Sample],
    model: DeployedModel,
    columns: Sequence[str],
    per: str | None,
) -> ScoreLines:
    """Return the lines as they are, or one per case (group) by the rule of `per`.

    Args:
        frame: one line per model and scored image.
        samples: of the data. model: whose classes these are. columns: that scores are split by.
        per: "case", "case:mean", "case:max" or None.

    Raises:
        UsageError: the data have no such column.
        UsageError, NoEffectError, ManifestError: as for `predictions_per_case`.
    """
    by = {column: {s.id: s.extra[column] for s in samples if column in s.extra} for column in columns}
    if empty := [column for column, values in by.items() if not values]:
        raise UsageError(f"The data have no column {empty[0]!r} for --by.")
    if per is None:
        return ScoreLines(frame, by)
    cases, said = predictions_per_case(frame, model.classes, model.positive, case_rule(per))
    group_of = {sample.id: sample.group for sample in samples}
    return ScoreLines(
        cases, {name: case_values(found, group_of, name) for name, found in by.items()}, (said,)
    )


def same_units(here: str | None, trained: str | None) -> bool:
    """Tell whether scores here and in training count the same: images, or cases by the same rule."""
    rules = [None if per is None else case_rule(per) for per in (here, trained)]
    return rules[0] == rules[1]


def warn_of_readings(models: Sequence[DeployedModel], options: LoadOptions, reporter: Reporter) -> None:
    """Warn where a model was trained on channels or a volume that are not stated here."""
    for model in models:
        taken = model.preprocessing
        for name, trained, here in (
            ("--channels", ",".join(map(str, taken.channels)), ",".join(map(str, options.channels))),
            ("--volume", str(taken.volume or ""), str(options.volume or "")),
        ):
            if trained and trained != here:
                reporter.warning(
                    f"{model.name} was trained with {name} {trained}; give the same here if the files are such."
                )
