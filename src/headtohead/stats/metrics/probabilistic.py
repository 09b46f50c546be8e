"""Metrics of the probabilities themselves: proper scores and calibration, for many resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.probability import BrierParts
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.predictions import ContenderPredictions

__all__ = [
    "FromProbabilities",
    "adaptive_calibration_error",
    "brier",
    "brier_parts",
    "calibration_intercept",
    "calibration_slope",
    "equal_mass_bins",
    "expected_calibration_error",
    "fit_logistic",
    "log_loss",
    "logit",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# scikit-learn's former bound: a certain error costs 34.5 nats instead of infinity.
_CLIP = 1e-15
# Log odds of at most 13.8: one line predicted with certainty must not decide a calibration slope alone.
_LOGIT_CLIP = 1e-6
# Newton's method gives up here: a fit that has not converged by then is of separated classes.
_MOST_STEPS = 60
# Log odds and coefficients beyond these are infinite in double precision, or the sign of separation.
_LARGEST_EXPONENT = 500
_LARGEST_STEP = 5
_WORST_CONDITION = 1e12


def logit(prob: Floats) -> Floats:
    """Return the log odds of probabilities, clipped to [1e-6, 1 - 1e-6] so that 0 and 1 stay finite."""
    inside = np.clip(prob, _LOGIT_CLIP, 1 - _LOGIT_CLIP)
    return np.asarray(np.log(inside / (1 - inside)))


def equal_mass_bins(values: Floats, n_bins: int = 10) -> Ints:
    """Return (n,) bin numbers with about equally many values each; equal values share a bin.

    Bins of equal mass: Nguyen and O'Connor 2015 (EMNLP). Below 10 values per bin the number of bins is
    lowered (at least one).

    >>> equal_mass_bins(np.linspace(0, 1, 20)).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    bins = max(1, min(n_bins, len(values) // 10))
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]) if bins > 1 else np.empty(0)
    # Numbered without gaps: ties may leave a bin between two quantiles empty.
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True, slots=True)
class FromProbabilities:
    """A metric of the probabilities, (n_replicates,) from (lines, weights (n_groups, n_replicates))."""

    compute: Callable[[ContenderPredictions, Floats], Floats]


def brier(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return the mean squared error: of the positive class for two classes, summed over classes beyond two.

    Brier 1950 (Mon Weather Rev 78:1).
    """
    truth = np.eye(lines.prob.shape[1])[lines.label]
    squared = (lines.prob - truth) ** 2
    errors = squared[:, 1] if squared.shape[1] == 2 else squared.sum(axis=1)
    return _mean(errors, lines.group, weights)


def log_loss(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return the mean of -ln p(true class), p at least 1e-15."""
    of_truth = lines.prob[np.arange(len(lines.label)), lines.label]
    return _mean(-np.log(np.clip(of_truth, _CLIP, 1.0)), lines.group, weights)


def expected_calibration_error(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return top-label confidence against correctness in equal-mass bins, weighted by mass.

    Nguyen and O'Connor 2015 (EMNLP); Guo et al. 2017 take bins of equal width, whose value is another.
    Bins are cut once on all lines and are the same in all replicates.
    """
    confidence, right = lines.prob.max(axis=1), lines.prob.argmax(axis=1) == lines.label
    return _binned_gap(confidence, right.astype(float), lines.group, weights, by_mass=True)


def adaptive_calibration_error(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return each class's calibration error on its own probability, bins and classes alike (Nixon et al. 2019).

    For two classes the positive class suffices: the errors are symmetric.
    """
    k = lines.prob.shape[1]
    gaps = [
        _binned_gap(lines.prob[:, c], (lines.label == c).astype(float), lines.group, weights, by_mass=False)
        for c in ([1] if k == 2 else range(k))
    ]
    return np.asarray(np.mean(gaps, axis=0))


def calibration_slope(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return the slope b of logit P(y = 1) = a + b logit(p) (Cox 1958, Biometrika 45:562).

    The fit is Newton's to convergence on all lines; each replicate then takes one Newton step from there, which is
    linear in the weights and first-order exact (the k-step bootstrap: Davidson and MacKinnon 1999, Int Econ Rev
    40:487). NaN where there is no finite fit.
    """
    x = logit(lines.prob[:, 1])
    return _logistic_coefficient(lines, _design(x), np.zeros_like(x), weights)


def calibration_intercept(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return calibration-in-the-large: a in logit P(y = 1) = a + logit(p), fitted as the slope is.

    Van Calster et al. 2016 (J Clin Epidemiol 74:167).
    """
    x = logit(lines.prob[:, 1])
    # A view of two columns, not an array of one: BLAS sums the two in another order, which would move the last bit.
    return _logistic_coefficient(lines, _design(x)[:, :1], x, weights)


def _design(x: Floats) -> Floats:
    return np.stack([np.ones_like(x), x], axis=1)


def _logistic_coefficient(
    lines: ContenderPredictions, design: Floats, offset: Floats, weights: Floats
) -> Floats:
    """Return the last coefficient of the logistic regression of the positive class, (n_replicates,)."""
    y = (lines.label == 1).astype(float)
    beta = None if y.min() == y.max() else fit_logistic(design, y, offset)  # of one class it is infinite
    if beta is None:
        return np.full(weights.shape[1], np.nan)
    return np.asarray(_one_step(beta, design, y, offset, lines.group, weights)[-1])


def _mean(values: Floats, group: Ints, weights: Floats) -> Floats:
    sums = group_sums(np.stack([values, np.ones_like(values)], axis=1), group, len(weights)).T @ weights
    return ratio(sums[0], sums[1])


def _binned_gap(prob: Floats, truth: Floats, group: Ints, weights: Floats, *, by_mass: bool) -> Floats:
    bins = equal_mass_bins(prob)
    member = np.eye(int(bins.max()) + 1)[bins]
    columns = np.concatenate([member * (truth - prob)[:, None], member], axis=1)
    gaps, mass = np.split(group_sums(columns, group, len(weights)).T @ weights, 2)
    if by_mass:
        return ratio(np.abs(gaps).sum(axis=0), mass.sum(axis=0))
    filled = (mass > 0).sum(axis=0).astype(float)  # a bin that a replicate lacks is left out of its mean
    return ratio(np.nansum(np.abs(ratio(gaps, mass)), axis=0), filled)


def brier_parts(prob: Floats, truth: Floats, bins: Ints) -> BrierParts:
    """Split the Brier score into reliability - resolution + uncertainty + within-bin terms.

    Murphy 1973 (J Appl Meteor 12:595) for forecasts that are constant within a bin; Stephenson,
    Coelho and Jolliffe 2008 (Weather Forecast 23:752) add the within-bin variance and covariance
    that make the sum exact for any bins.

    Args:
        prob: (n,) probabilities. truth: (n,) 0 or 1. bins: (n,) bin numbers.

    >>> parts = brier_parts(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1, 1, 1]), np.array([0, 0, 1, 1]))
    >>> parts.reliability, parts.resolution, parts.uncertainty, parts.within_bin, parts.brier
    (0.125, 0.0625, 0.1875, 0.0, 0.25)
    """
    n, base = len(truth), truth.mean()
    count = np.bincount(bins)
    used = count > 0
    mass = count[used] / n
    mean_p = np.bincount(bins, weights=prob)[used] / count[used]
    mean_y = np.bincount(bins, weights=truth)[used] / count[used]
    reliability = float((mass * (mean_p - mean_y) ** 2).sum())
    resolution = float((mass * (mean_y - base) ** 2).sum())
    uncertainty = float(base * (1 - base))
    total = float(((prob - truth) ** 2).mean())
    return BrierParts(
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within_bin=total - (reliability - resolution + uncertainty),
        brier=total,
    )


def fit_logistic(design: Floats, y: Floats, offset: Floats) -> Floats | None:
    """Return the logistic regression of y (n,) in [0, 1] on design (n, q) with an offset, or None.

    Newton's method (McCullagh and Nelder 1989); None where it does not converge to a finite fit (separated
    classes, a constant).
    """
    beta = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        mean = 1 / (1 + np.exp(-np.clip(design @ beta + offset, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)))
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        if np.linalg.cond(information) > _WORST_CONDITION:
            return None
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)  # damped: far off, a full step overshoots
        if np.abs(step).max() < 1e-10:  # convergence is quadratic: another step is below double precision
            return np.asarray(beta)
    return None


def _one_step(
    beta: Floats, design: Floats, y: Floats, offset: Floats, group: Ints, weights: Floats
) -> Floats:
    """Return (q, n_replicates): beta after one Newton step under each replicate's weights."""
    q = len(beta)
    mean = 1 / (1 + np.exp(-np.clip(design @ beta + offset, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)))
    score = design * (y - mean)[:, None]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(y), q * q) * (mean * (1 - mean))[:, None]
    sums = group_sums(np.concatenate([score, products], axis=1), group, len(weights)).T @ weights
    information = np.moveaxis(sums[q:].reshape(q, q, -1), -1, 0)
    determinant = np.linalg.det(information)
    # One singular matrix would make `solve` fail for all replicates; the negation also catches NaN.
    singular = ~(np.abs(determinant) > 1e-12)
    information[singular] = np.eye(q)
    steps = np.linalg.solve(information, np.moveaxis(sums[:q], -1, 0)[..., None])[..., 0]
    steps[singular] = np.nan
    return np.asarray((beta + steps).T)
