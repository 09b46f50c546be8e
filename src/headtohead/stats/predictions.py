"""Paired predictions as arrays: the table that every statistic reads (`prediction_builder` makes it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Target

__all__ = ["ContenderPredictions", "PredictionTable", "ScoreKind"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ScoreKind = Literal["probabilities", "labels", "ranks"]
"""What a contender's numbers are: probabilities, answers of 0 or 1, or numbers of which only the order counts."""


@dataclass(frozen=True, slots=True)
class ContenderPredictions:
    """One contender in one repeat: one line per sample, sorted by sample.

    Attributes:
        sample: (n,) index into the table's samples.
        group: (n,) index into the table's groups.
        label: (n,) class index.
        fold: (n,) fold number, 0 where predictions carry none.
        prob: (n, k) probabilities in the order of the table's classes.
    """

    sample: Ints
    group: Ints
    label: Ints
    fold: Ints
    prob: Floats

    def take(self, keep: npt.NDArray[np.bool_]) -> ContenderPredictions:
        """Return the lines where `keep` (n,) is true."""
        return ContenderPredictions(
            self.sample[keep], self.group[keep], self.label[keep], self.fold[keep], self.prob[keep]
        )


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """Paired predictions of several contenders.

    Attributes:
        classes: class names; of two, the positive one is last.
        samples, groups: names, sorted.
        sample_group, sample_label: (n_samples,) what each sample belongs to.
        contenders: in the order in which they are compared.
        repeats: repeat numbers, sorted.
        lines: by (contender, repeat).
        has_folds: whether the predictions say which fold they come from.
        ranks_only: whether only the order of the numbers counts; they are no probabilities then.
    """

    classes: tuple[str, ...]
    samples: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    sample_group: Ints
    sample_label: Ints
    contenders: tuple[str, ...]
    repeats: tuple[int, ...]
    lines: dict[tuple[str, int], ContenderPredictions]
    has_folds: bool
    ranks_only: bool = False

    @property
    def binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.groups)

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.samples)

    @property
    def target(self) -> Target:
        """What a statement on this table is about.

        Methods ("learners") where models of several training samples made the predictions; else the models as fitted.
        """
        lines = self.of(self.contenders[0])
        several = self.has_folds and any(len(np.unique(repeat.fold)) > 1 for repeat in lines)
        return "learners" if several or self.hold_out else "fixed_models"

    @property
    def hold_out(self) -> bool:
        """Whether the repeats test different samples, one part each: repeated hold-out."""
        lines = self.of(self.contenders[0])
        one_part = all(len(np.unique(repeat.fold)) == 1 for repeat in lines)
        return one_part and any(not np.array_equal(repeat.sample, lines[0].sample) for repeat in lines)

    def of(self, contender: str) -> list[ContenderPredictions]:
        """Return the contender's lines, one entry per repeat."""
        return [self.lines[contender, repeat] for repeat in self.repeats]

    def kind(self, contender: str) -> ScoreKind:
        """Return what a contender's numbers are."""
        if self.ranks_only:
            return "ranks"
        answers = (((lines.prob == 0) | (lines.prob == 1)).all() for lines in self.of(contender))
        return "labels" if all(answers) else "probabilities"

    def groups_with(self, label: int) -> int:
        """Return how many groups hold at least one sample of class `label`."""
        return len(np.unique(self.sample_group[self.sample_label == label]))

    def restrict(self, keep: npt.NDArray[np.bool_]) -> PredictionTable:
        """Return the table of the samples where `keep` (n_samples,) is true; names keep their order."""
        new_sample = np.cumsum(keep) - 1
        # Groups without a kept sample go: as units they would be drawn and count for nothing.
        kept_groups, new_group = np.unique(self.sample_group[keep], return_inverse=True)
        group_map = np.full(self.n_groups, -1)
        group_map[kept_groups] = np.arange(len(kept_groups))
        lines = {}
        for key, old in self.lines.items():
            part = old.take(keep[old.sample])
            lines[key] = ContenderPredictions(
                new_sample[part.sample], group_map[part.group], part.label, part.fold, part.prob
            )
        return PredictionTable(
            self.classes, self.samples[keep], self.groups[kept_groups], new_group.astype(np.int64),
            self.sample_label[keep], self.contenders, self.repeats, lines, self.has_folds, self.ranks_only,
        )  # fmt: skip
