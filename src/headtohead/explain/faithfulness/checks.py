"""Two checks that a map must pass before it is shown in colour, each against a control on the same images.

Labels: a map that stays the same when the head is fitted on permuted labels shows the image, not what was learned
(Adebayo et al. 2018). Compared by rank correlation on signed raw maps, never after min-max scaling; two heads fitted on
different halves of the training groups say how much maps agree at all.

Deletion: hiding the places with the most evidence must lower the log-odds more than hiding random places.

Differences are judged by a bootstrap over groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CheckedDifference", "judge", "rank_correlation", "sanity_words", "top_cells"]

Floats = npt.NDArray[np.float64]
N_BOOT = 1000  # resamples: chance moves the ends of a 95 % interval by about 2 % of its width
LEVEL = 0.95  # of every interval here
HIDDEN = 0.15  # share of the area that is hidden: as much as half of the evidence usually takes


@dataclass(frozen=True)
class CheckedDifference:
    """A mean difference over images that has to be above zero, with its interval over groups.

    Attributes:
        value, low, high: mean and 95 % percentile interval; n_images, n_groups: what it rests on.
        passed: the interval lies above zero.
    """

    value: float
    low: float
    high: float
    n_images: int
    n_groups: int

    @property
    def passed(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields and whether it passed."""
        return {**{k: round(v, 4) for k, v in asdict(self).items()}, "passed": self.passed}


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's correlation of two signed maps on one grid; 0 where one of them is constant."""
    from scipy.stats import rankdata

    x, y = (rankdata(one.ravel()) for one in (a, b))
    if x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def top_cells(grid: Floats, share: float = HIDDEN) -> npt.NDArray[np.bool_]:
    """Return the cells with the greatest values that take this share of the area, at least one."""
    count = max(1, round(share * grid.size))
    chosen = np.zeros(grid.size, bool)
    chosen[np.argsort(-grid, axis=None, kind="stable")[:count]] = True  # equal maps choose equal cells
    return chosen.reshape(grid.shape)


def judge(differences: Floats, groups: Sequence[Any], *, seed: int = 0) -> CheckedDifference:
    """Return the mean of differences (n,) of images with an interval from resampled groups.

    Args:
        differences: one per image.
        groups: of each image.
        seed: of the resampling.
    """
    names, which = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sums = np.bincount(which, weights=differences, minlength=len(names))
    sizes = np.bincount(which, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(len(names), size=(N_BOOT, len(names)))
    # a ratio of sums, since the value is a mean over images and groups differ in size
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return CheckedDifference(float(differences.mean()), float(low), float(high), len(differences), len(names))


def sanity_words(labels: CheckedDifference, deletion: CheckedDifference) -> str:
    """Return "passed", or "failed: " with the reasons."""
    reasons = []
    if not labels.passed:
        reasons.append("maps from halves of the training groups agree no more than with permuted labels")
    if not deletion.passed:
        reasons.append(
            "hiding the places with the most evidence changes the log-odds no more than random places"
        )
    return f"failed: {'; '.join(reasons)}" if reasons else "passed"
