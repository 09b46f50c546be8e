"""Metrics of the probabilities themselves: proper scores and calibration, for many resamples at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.core.tables.probability import BrierParts
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.predictions import ContenderPredictions

__all__ = ["brier_parts", "equal_mass_bins", "fit_logistic", "logit", "probability_metrics"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLIP = 1e-15
_LOGIT_CLIP = 1e-6


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
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1].astype(np.int64)


def probability_metrics(
    lines: ContenderPredictions, weights: Floats, names: frozenset[str]
) -> dict[str, Floats]:
    """Return the named metrics of each replicate, (n_replicates,).

    brier: mean squared error of the positive class's probability for two classes; the sum over
    classes beyond two (Brier 1950). log_loss: mean of -ln p(true class), p >= 1e-15. ece: top-label
    confidence against correctness in equal-mass bins, weighted by mass (Guo et al. 2017). ace: the
    same per class on its own probability, bins and classes averaged alike (Nixon et al. 2019). Bins
    are cut once on all lines and kept for all replicates. calibration_slope and
    calibration_intercept: see `_cox`.
    """
    result: dict[str, Floats] = {}
    if "brier" in names:
        result["brier"] = _mean(_squared_error(lines), lines.group, weights)
    if "log_loss" in names:
        picked = lines.prob[np.arange(len(lines.label)), lines.label]
        result["log_loss"] = _mean(-np.log(np.clip(picked, CLIP, 1.0)), lines.group, weights)
    if "ece" in names:
        confidence, right = lines.prob.max(axis=1), lines.prob.argmax(axis=1) == lines.label
        result["ece"] = _binned_gap(confidence, right.astype(float), lines.group, weights, by_mass=True)
    if "ace" in names:
        result["ace"] = _class_gaps(lines, weights)
    if names & {"calibration_slope", "calibration_intercept"}:
        result |= {name: values for name, values in _cox(lines, weights).items() if name in names}
    return result


def _squared_error(lines: ContenderPredictions) -> Floats:
    truth = np.eye(lines.prob.shape[1])[lines.label]
    squared = (lines.prob - truth) ** 2
    return squared[:, 1] if squared.shape[1] == 2 else squared.sum(axis=1)


def _mean(values: Floats, group: Ints, weights: Floats) -> Floats:
    sums = group_sums(np.stack([values, np.ones_like(values)], axis=1), group, len(weights)).T @ weights
    return ratio(sums[0], sums[1])


def _class_gaps(lines: ContenderPredictions, weights: Floats) -> Floats:
    """Return the mean over classes; of two, the second class says it all, since its gaps are mirrored."""
    k = lines.prob.shape[1]
    gaps = [
        _binned_gap(lines.prob[:, c], (lines.label == c).astype(float), lines.group, weights, by_mass=False)
        for c in ([1] if k == 2 else range(k))
    ]
    return np.asarray(np.mean(gaps, axis=0))


def _binned_gap(prob: Floats, truth: Floats, group: Ints, weights: Floats, *, by_mass: bool) -> Floats:
    bins = equal_mass_bins(prob)
    member = np.eye(int(bins.max()) + 1)[bins]
    columns = np.concatenate([member * (truth - prob)[:, None], member], axis=1)
    gaps, mass = np.split(group_sums(columns, group, len(weights)).T @ weights, 2)
    if by_mass:
        return ratio(np.abs(gaps).sum(axis=0), mass.sum(axis=0))
    filled = (mass > 0).sum(axis=0).astype(float)
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
    brier = float(((prob - truth) ** 2).mean())
    return BrierParts(
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within_bin=brier - (reliability - resolution + uncertainty),
        brier=brier,
    )


def _cox(lines: ContenderPredictions, weights: Floats) -> dict[str, Floats]:
    """Return slope and intercept of logit P(y = 1) = a + b logit(p) (Cox 1958, Biometrika 45:562).

    The intercept is calibration-in-the-large: a with b held at 1 (Van Calster et al. 2016, J Clin
    Epidemiol 74:167). The fit is Newton's to convergence on all lines; each replicate then takes one
    Newton step from there, which is linear in the weights and first-order exact (the k-step
    bootstrap: Davidson and MacKinnon 1999, Int Econ Rev 40:487). NaN where there is no finite fit.
    """
    x, y = logit(lines.prob[:, 1]), (lines.label == 1).astype(float)
    nothing = np.full(weights.shape[1], np.nan)
    if y.min() == y.max():
        return {"calibration_slope": nothing, "calibration_intercept": nothing}
    design = np.stack([np.ones_like(x), x], axis=1)
    full, only = fit_logistic(design, y, np.zeros_like(x)), fit_logistic(design[:, :1], y, x)
    slope = nothing if full is None else _one_step(full, design, y, np.zeros_like(x), lines.group, weights)[1]
    intercept = nothing if only is None else _one_step(only, design[:, :1], y, x, lines.group, weights)[0]
    return {"calibration_slope": slope, "calibration_intercept": intercept}


def fit_logistic(design: Floats, y: Floats, offset: Floats) -> Floats | None:
    """Return the logistic regression of y (n,) in [0, 1] on design (n, q) with an offset, or None.

    Newton's method (McCullagh and Nelder 1989); None where it does not converge to a finite fit (separated
    classes, a constant).
    """
    beta = np.zeros(design.shape[1])
    for _ in range(60):
        mean = 1 / (1 + np.exp(-np.clip(design @ beta + offset, -500, 500)))
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-10:
            return np.asarray(beta)
    return None


def _one_step(
    beta: Floats, design: Floats, y: Floats, offset: Floats, group: Ints, weights: Floats
) -> Floats:
    """Return (q, n_replicates): beta after one Newton step under each replicate's weights."""
    q = len(beta)
    mean = 1 / (1 + np.exp(-np.clip(design @ beta + offset, -500, 500)))
    score = design * (y - mean)[:, None]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(y), q * q) * (mean * (1 - mean))[:, None]
    sums = group_sums(np.concatenate([score, products], axis=1), group, len(weights)).T @ weights
    information = np.moveaxis(sums[q:].reshape(q, q, -1), -1, 0)
    determinant = np.linalg.det(information)
    singular = ~(np.abs(determinant) > 1e-12)
    information[singular] = np.eye(q)
    steps = np.linalg.solve(information, np.moveaxis(sums[:q], -1, 0)[..., None])[..., 0]
    steps[singular] = np.nan
    return np.asarray((beta + steps).T)
