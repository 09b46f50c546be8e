"""Confusion matrices and ROC curves for the report."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.comparison import ConfusionTable, RocCurve
from headtohead.stats.metrics.confusion_matrix import confusion, predicted_labels
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

__all__ = ["confusion_tables", "roc_curves", "roc_points"]

Floats = npt.NDArray[np.float64]

# More points than a figure has pixels in width change nothing but the size of verdict.json.
_MOST_POINTS = 200


def confusion_tables(table: PredictionTable) -> dict[str, ConfusionTable]:
    """Return counts per contender, truth in rows: of each repeat and averaged over repeats."""
    ones = np.ones((table.n_groups, 1))
    k = len(table.classes)
    tables = {}
    for name in table.contenders:
        counts = [
            confusion(lines.label, predicted_labels(lines, None), lines.group, k, ones)[..., 0]
            for lines in table.of(name)
        ]
        tables[name] = ConfusionTable(
            classes=table.classes,
            mean=np.mean(counts, axis=0).tolist(),
            repeats=tuple(matrix.tolist() for matrix in counts),
        )
    return tables


def roc_points(score: Floats, positive: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return (false positive rate, true positive rate, threshold), from (0, 0) to (1, 1), ties as one step."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    true = np.append(0, np.cumsum(positive[order])[last]) / max(1, int(positive.sum()))
    false = np.append(0, np.cumsum(~positive[order])[last]) / max(1, int((~positive).sum()))
    return false, true, np.append(np.inf, score[order][last])  # above every score nothing is called positive


def roc_curves(table: PredictionTable) -> dict[str, dict[str, RocCurve]]:
    """Return, per contender, the ROC curve averaged over repeats, at most 200 points.

    Sensitivities of the repeats are averaged at common false positive rates (vertical averaging:
    Fawcett 2006, Pattern Recognit Lett 27:861). Beyond two classes one curve per class against the rest.
    """
    which = [1] if table.binary else list(range(len(table.classes)))
    return {
        name: {table.classes[c]: _mean_curve(table.of(name), c) for c in which} for name in table.contenders
    }


def _mean_curve(repeats: list[ContenderPredictions], which: int) -> RocCurve:
    curves = [roc_points(lines.prob[:, which], lines.label == which)[:2] for lines in repeats]
    if len(curves) == 1:
        false, true = _thin(*curves[0])
        return RocCurve(false_positive_rate=false.tolist(), true_positive_rate=true.tolist())
    # One point less, since (0, 0) is put in front: at a rate of 0 the curve may already have risen.
    grid = np.linspace(0, 1, _MOST_POINTS - 1)
    mean = np.mean([_at(grid, *curve) for curve in curves], axis=0)
    return RocCurve(false_positive_rate=(0.0, *grid.tolist()), true_positive_rate=(0.0, *mean.tolist()))


def _at(grid: Floats, false: Floats, true: Floats) -> Floats:
    """Return the curve's height at each rate of the grid: the top of the step where it rises."""
    top = np.append(np.flatnonzero(np.diff(false)), len(false) - 1)
    return np.asarray(np.interp(grid, false[top], true[top]))


def _thin(false: Floats, true: Floats) -> tuple[Floats, Floats]:
    """Return at most 200 of the points, both ends among them; corners of the staircase first."""
    inner = np.arange(1, len(false) - 1)
    straight = (false[inner - 1] == false[inner]) & (false[inner] == false[inner + 1])
    straight |= (true[inner - 1] == true[inner]) & (true[inner] == true[inner + 1])
    keep = np.concatenate([[0], inner[~straight], [len(false) - 1]])
    if len(keep) > _MOST_POINTS:
        keep = keep[np.unique(np.linspace(0, len(keep) - 1, _MOST_POINTS).round().astype(int))]
    return false[keep], true[keep]
