"""The settings of the coverage study, and their true metrics under the binormal model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NORMAL = NormalDist()
ROPE = 0.05


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting: groups, samples per group, share of positive groups, AUROC of the first contender."""

    groups: int
    size: int
    prevalence: float
    auroc: float


def grid() -> list[Cell]:
    """Return the settings: every number of groups with every AUROC, sizes and prevalences spread over them."""
    small = [Cell(g, 1, p, a) for g, p, a in product((30, 60), (0.3, 0.5), (0.6, 0.9, 0.99))]
    rare = [Cell(g, m, 0.1, a) for g, m, a in product((100, 200, 500), (1, 3), (0.75, 0.9))]
    clustered = [
        Cell(g, m, p, a) for g, m, p, a in product((50, 200), (3, 10), (0.3, 0.5), (0.75, 0.9, 0.99))
    ]
    large = [Cell(500, m, 0.3, a) for m, a in product((1, 3), (0.6, 0.99))]
    few = [Cell(30, 3, 0.1, 0.9), Cell(50, 1, 0.1, 0.9), Cell(30, 10, 0.5, 0.9), Cell(60, 3, 0.1, 0.99)]
    return small + clustered + rare + large + few


def separation(auroc: float) -> float:
    """Return the distance of the two score means, in standard deviations, that gives this AUROC."""
    return math.sqrt(2) * NORMAL.inv_cdf(auroc)


def truths(cell: Cell) -> dict[str, float]:
    """Return the true metrics of contender a, from the binormal model (numerically where needed)."""
    d, p = separation(cell.auroc), cell.prevalence
    shift = math.log(p / (1 - p))
    cut = d / 2 - shift / d
    sensitivity, specificity = 1 - NORMAL.cdf(cut - d), NORMAL.cdf(cut)
    z = np.linspace(-9, 9, 40_001)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    risk = 1 / (1 + np.exp(-(d * (z - d / 2) + shift)))
    risk_up = 1 / (1 + np.exp(-(d * (z + d / 2) + shift)))
    brier = float(p * ((1 - risk_up) ** 2 * density).sum() + (1 - p) * (risk**2 * density).sum())
    losses = -p * (np.log(risk_up) * density).sum() - (1 - p) * (np.log(1 - risk) * density).sum()
    above, above_up = 1 - _cdf(z + d), 1 - _cdf(z)
    precision = p * above_up / (p * above_up + (1 - p) * above + 1e-300)
    return {
        "auroc": cell.auroc,
        "accuracy": p * sensitivity + (1 - p) * specificity,
        "sensitivity": sensitivity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "f1": 2 * p * sensitivity / (p * (1 + sensitivity) + (1 - p) * (1 - specificity)),
        "brier": brier,
        "log_loss": float(losses),
        "average_precision": float((precision * density).sum()),
    }


def _cdf(z: Floats) -> Floats:
    return np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in z])
