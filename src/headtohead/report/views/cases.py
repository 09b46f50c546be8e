"""Predictions by image, for the gallery, the confusion matrices and the slider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CaseTable", "build_cases"]

STEPS = 101  # thresholds of the slider, 0 to 1
THOUSAND = 1000
UNSURE = 0.1  # half-width around 0.5 in which a probability is called unsure
# Repeats whose answers the page holds for each image: forty would be half a megabyte that no one reads.
SHOWN = 5
DOUBT = 0.2  # where every contender gives the true class less, the label is doubtful

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CaseTable:
    """Predictions by image.

    Attributes:
        ids, groups: of the n images. labels: (n,) class numbers.
        classes: names. positive: of two, None beyond.
        contenders: names, baselines last.
        probabilities: (contenders, repeats, n, k). predicted: (contenders, repeats, n).
        folds: (repeats, n); -1 where an image is not scored in a repeat.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: Ints
    classes: tuple[str, ...]
    positive: str | None
    contenders: tuple[str, ...]
    probabilities: Floats
    predicted: Ints
    folds: Ints

    @property
    def n_repeats(self) -> int:
        """Number of repeats."""
        return int(self.folds.shape[0])

    def scored(self, repeat: int) -> npt.NDArray[np.bool_]:
        """Return (n,) which images are scored in a repeat."""
        return np.asarray(self.folds[repeat] >= 0)

    def right(self, contender: str, repeat: int) -> npt.NDArray[np.bool_]:
        """Return (n,) which images a contender gets right in a repeat."""
        return np.asarray(self.predicted[self.contenders.index(contender), repeat] == self.labels)

    def confusion(self, contender: str, repeat: int) -> list[list[int]]:
        """Return whole counts, truth in rows and prediction in columns."""
        k, kept = len(self.classes), self.scored(repeat)
        predicted = self.predicted[self.contenders.index(contender), repeat]
        matrix = np.zeros((k, k), np.int64)
        np.add.at(matrix, (self.labels[kept], predicted[kept]), 1)  # += would count a repeated place once
        return [[int(n) for n in row] for row in matrix]

    def discordant(self, a: str, b: str, repeat: int) -> tuple[int, int, int]:
        """Return how many images only a gets right, only b, and neither."""
        kept = self.scored(repeat)
        first, second = self.right(a, repeat)[kept], self.right(b, repeat)[kept]
        return int((first & ~second).sum()), int((~first & second).sum()), int((~first & ~second).sum())

    def sweep(self, contender: str) -> dict[str, list[float]]:
        """Return sensitivity and specificity at 101 thresholds from 0 to 1, all repeats pooled; of two classes."""
        if self.positive is None:
            return {}
        place = self.classes.index(self.positive)
        kept = self.folds >= 0
        scores = self.probabilities[self.contenders.index(contender), :, :, place][kept]
        truth = np.broadcast_to(self.labels == place, kept.shape)[kept]
        at = np.linspace(0, 1, STEPS)
        sensitivity = [float((scores[truth] >= t).mean()) for t in at]
        specificity = [float((scores[~truth] < t).mean()) for t in at]
        return {
            # with fewer digits, rounding twice would show another third digit than the table of scores
            "sensitivity": [round(value, 6) for value in sensitivity],
            "specificity": [round(value, 6) for value in specificity],
        }

    def records(self, more: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return a record for each image, as the page's script reads it; of the repeats the first `SHOWN`.

        Args:
            more: sample -> further fields.
        """
        shown = self._shown()
        return [
            {
                "id": sample,
                "label": int(self.labels[i]),
                "group": self.groups[i],
                "fold": [int(fold) for fold in self.folds[:SHOWN, i]],
                "p": [[round(float(p), 3) for p in row] for row in shown[:, :SHOWN, i]],
                "y": [[int(y) for y in row] for row in self.predicted[:, :SHOWN, i]],
                **more.get(sample, {}),
            }
            for i, sample in enumerate(self.ids)
        ]

    def _shown(self) -> Floats:
        """Return the probability that is shown: of the positive class, or beyond two classes of the true one."""
        if self.positive is not None:
            return np.asarray(self.probabilities[..., self.classes.index(self.positive)])
        return np.take_along_axis(self.probabilities, self.labels[None, None, :, None], axis=3)[..., 0]

    def doubtful(self, baselines: Sequence[str]) -> Ints:
        """Return the images whose label every contender doubts, by mean over repeats."""
        own = [i for i, name in enumerate(self.contenders) if name not in baselines]
        truth = np.take_along_axis(self.probabilities, self.labels[None, None, :, None], axis=3)[..., 0]
        if not own:
            return np.flatnonzero(np.zeros(len(self.ids), bool))
        scored = ~np.isnan(truth[own])
        # an image that was never scored is doubted by nobody
        mean = np.where(scored, truth[own], 0.0).sum(axis=1) / np.maximum(scored.sum(axis=1), 1)
        return np.flatnonzero((scored.any(axis=1) & (mean < DOUBT)).all(axis=0))


def build_cases(
    predictions: Any, classes: Sequence[str], positive: str | None, order: Sequence[str]
) -> CaseTable:
    """Return the predictions by image.

    Args:
        predictions: the content of `predictions.parquet`.
        classes: names, in the order of the columns prob_<class>.
        positive: the positive of two classes.
        order: contenders.
    """
    samples = predictions.drop_duplicates("sample").sort_values("sample", kind="stable")
    ids = tuple(str(sample) for sample in samples["sample"])
    place, names = (
        {sample: i for i, sample in enumerate(ids)},
        {str(name): i for i, name in enumerate(classes)},
    )
    repeats = sorted(set(predictions["repeat"]))
    shape = (len(order), len(repeats), len(ids))
    probabilities = np.full((*shape, len(classes)), np.nan)
    folds = np.full(shape[1:], -1, np.int64)
    columns = [f"prob_{name}" for name in classes]
    for c, contender in enumerate(order):
        for r, repeat in enumerate(repeats):
            rows = predictions[(predictions["contender"] == contender) & (predictions["repeat"] == repeat)]
            at = [place[str(sample)] for sample in rows["sample"]]
            probabilities[c, r, at] = rows[columns].to_numpy(float)
            folds[r, at] = rows["fold"].to_numpy(int)
    # An image that is not scored gets some class, which `scored` leaves out everywhere.
    predicted = np.nan_to_num(probabilities, nan=-1.0).argmax(axis=3)
    if positive is not None and len(classes) == 2:
        column = list(classes).index(positive)
        with np.errstate(invalid="ignore"):
            predicted = np.where(probabilities[..., column] >= 0.5, column, 1 - column)
    return CaseTable(
        ids=ids,
        groups=tuple(str(group) for group in samples["group"]),
        labels=np.array([names[str(label)] for label in samples["label"]], np.int64),
        classes=tuple(map(str, classes)),
        positive=positive,
        contenders=tuple(order),
        probabilities=probabilities,
        predicted=predicted.astype(np.int64),
        folds=folds,
    )
