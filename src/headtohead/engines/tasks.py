"""What an engine runs: parts of the features of a backbone, then cells, in waves that rest on one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headtohead.backbones.features.views import FeatureView
from headtohead.core.progress import Reporter

__all__ = ["CellTask", "FeatureTask", "Work", "WorkPlan"]


@dataclass(frozen=True, slots=True)
class FeatureTask:
    """One part of the features of all images by one backbone.

    Attributes:
        backbone: its name; view: which of its features.
        part: from 0, of `parts` parts of about the same number of distinct images.
    """

    backbone: str
    view: FeatureView
    part: int
    parts: int

    def __str__(self) -> str:
        return f"features of {self.backbone} ({self.view}), part {self.part + 1} of {self.parts}"


@dataclass(frozen=True, slots=True)
class CellTask:
    """One contender on one fold.

    Attributes:
        contender: its name.
        place: of the fold among all folds of the study, from 0.
        trains: a network learns in it, so it needs a GPU or several cores.
        rests_on: contenders whose finished cells of the same fold it needs.
    """

    contender: str
    place: int
    trains: bool = False
    rests_on: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"cell {self.place + 1} of {self.contender}"


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """All that is to be computed.

    Attributes:
        features: parts of frozen features, which rest on nothing.
        waves: cells; those of a wave rest on features and on cells of earlier waves alone.
    """

    features: tuple[FeatureTask, ...]
    waves: tuple[tuple[CellTask, ...], ...]

    @property
    def cells(self) -> tuple[CellTask, ...]:
        """All cells, wave by wave."""
        return tuple(task for wave in self.waves for task in wave)


class Work(Protocol):
    """Computes tasks of one study; finished ones lie in the run folder and in the cache, and are not repeated.

    It can be pickled and then computes in another process, on any machine that sees both folders.
    """

    def features(self, task: FeatureTask, reporter: Reporter) -> None:
        """Compute the rows of one part that the cache lacks."""

    def cells(self, tasks: Sequence[CellTask], reporter: Reporter) -> None:
        """Compute the cells that the run folder lacks, one after the other."""

    def elsewhere(self) -> Work:
        """Return the work for another process."""

    def machine(self) -> str:
        """Return the kind of machine and the versions on which digits depend, as found in this process."""

    def check_folder(self, host: str) -> None:
        """Refuse to work where the study's run folder is not seen."""
