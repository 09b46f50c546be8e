"""Recalibration fitted on inner lines and judged on test lines, before against after; and calibration curves.

Isotonic regression is scikit-learn's. Its Platt and temperature scaling are reached through CalibratedClassifierCV
alone, which wants an estimator and a cross-validation of its own; here the folds are given, and both are one fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize
from sklearn.isotonic import IsotonicRegression

from headtohead.core.tables.probability import (
    BrierParts,
    CalibrationBin,
    CalibrationCurve,
    RecalibratedScores,
    Recalibration,
)
from headtohead.stats.calibration.venn_abers import VennAbers
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.metrics.probabilistic import brier_parts, equal_mass_bins, fit_logistic, logit
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.metrics.registry import METRICS
from headtohead.stats.metrics.weight_blocks import weighted_sums
from headtohead.stats.predictions import ContenderPredictions
from headtohead.stats.resampled import Replicates, ResampledPredictions

__all__ = ["calibration_curve", "fit_temperature", "isotonic", "platt", "recalibration", "temperature"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Map = Callable[[Floats], Floats]

# Keeps the logarithm of a probability of 0 finite.
_SMALLEST = 1e-12
# Temperatures from 1/20 to 20; a network's logits are off by far less.
_LOG_TEMPERATURES = (-3, 3)
# Platt's method does better than isotonic regression below some 200 to 1000 calibration cases (Niculescu-Mizil and
# Caruana 2005, ICML).
_ENOUGH_FOR_ISOTONIC = 300
# Collins, Ogundimu and Altman 2016 (Stat Med 35:214): at least 100 events, and as many non-events, for calibration.
_ENOUGH_FOR_A_CURVE = 100
# Twenty lines or more in each of ten bins.
_ENOUGH_FOR_TEN_BINS = 200
# The loss that every method of recalibration here is fitted by or judged on.
_FITTED_LOSS = "log_loss"


def temperature(cell: InnerCell) -> Map:
    """Return the map p -> softmax(log p / T), T fitted by inner log loss (Guo et al. 2017, ICML).

    One parameter, keeps the order of the scores and the most probable class.
    """
    best = fit_temperature(cell)
    return lambda prob: np.exp(_log_softmax(np.log(np.clip(prob, _SMALLEST, 1.0)) / best))


def fit_temperature(cell: InnerCell) -> float:
    """Return the T of `temperature`."""
    logs = np.log(np.clip(cell.prob, _SMALLEST, 1.0))
    rows = np.arange(len(cell.label))

    def loss(log_t: float) -> float:
        return float(-_log_softmax(logs / math.exp(log_t))[rows, cell.label].mean())

    return math.exp(float(optimize.minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded").x))


def _log_softmax(logs: Floats) -> Floats:
    shifted = logs - logs.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def platt(cell: InnerCell) -> Map:
    """Return logistic recalibration on the log odds, with Platt's smoothed targets (Platt 1999).

    Targets (n+ + 1)/(n+ + 2) and 1/(n- + 2) keep the fit finite when the inner lines are separated.
    """
    positive = cell.label == 1
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    x = logit(cell.prob[:, 1])
    beta = fit_logistic(np.stack([np.ones_like(x), x], axis=1), target, np.zeros_like(x))
    if beta is None:  # with smoothed targets only scores that hardly vary have no finite fit
        return lambda prob: prob
    return lambda prob: _two(1 / (1 + np.exp(-(beta[0] + beta[1] * logit(prob[:, 1])))))


def isotonic(cell: InnerCell) -> Map:
    """Return isotonic recalibration, linear between the fitted points (Zadrozny and Elkan 2002, KDD).

    Ends are drawn in to 1/(n + 2), so that a probability of exactly 0 or 1 is never claimed.
    """
    # By default scikit-learn gives NaN for scores outside those that it was fitted on.
    regression = IsotonicRegression(out_of_bounds="clip").fit(cell.prob[:, 1], cell.label == 1)
    margin = 1 / (len(cell.label) + 2)
    return lambda prob: _two(np.clip(regression.predict(prob[:, 1]), margin, 1 - margin))


def _two(positive: Floats) -> Floats:
    return np.stack([1 - positive, positive], axis=1)


def recalibration(
    resampled: ResampledPredictions, inner: InnerPredictions, replicates: Replicates
) -> dict[str, Recalibration]:
    """Return, per contender, probability scores before and after each method, cross-fitted in inner folds.

    Args:
        replicates: of all metrics, before recalibration.
    """
    table = resampled.table
    fits: dict[str, Callable[[InnerCell], Map]] = {"temperature": temperature}
    if table.binary:
        fits |= {"platt": platt, "isotonic": isotonic, "venn_abers": VennAbers}
    names = [m.name for m in METRICS.values() if m.recalibrated and (table.binary or not m.binary_only)]
    tables = {}
    for contender in table.contenders:
        before = {name: replicates[contender][name] for name in names}
        methods = {}
        for method, fit in fits.items() if inner.has(contender) else ():
            after = resampled.values(_mapped(resampled, inner, contender, fit), names)
            change = after[_FITTED_LOSS] - before[_FITTED_LOSS]
            methods[method] = RecalibratedScores(
                scores=resampled.scores(contender, after), log_loss_change=resampled.interval(change)
            )
        tables[contender] = Recalibration(
            before=resampled.scores(contender, before),
            methods=methods,
            venn_abers_width=_width(resampled, inner, contender) if "venn_abers" in methods else None,
            notes=_notes(resampled, inner, contender),
        )
    return tables


def _notes(resampled: ResampledPredictions, inner: InnerPredictions, contender: str) -> tuple[str, ...]:
    if not inner.has(contender):
        return ("no inner predictions, so nothing was recalibrated",)
    fewest = min(len(cell.label) for key, cell in inner.cells.items() if key[0] == contender)
    if not resampled.table.binary or fewest >= _ENOUGH_FOR_ISOTONIC:
        return ()
    return (
        f"isotonic regression was fitted on {fewest} samples; below {_ENOUGH_FOR_ISOTONIC} it tends to overfit",
    )


def _width(resampled: ResampledPredictions, inner: InnerPredictions, contender: str) -> float:
    """Return the mean distance of Venn-Abers' two probabilities on the test lines: how well calibration is known."""
    gaps = []
    for repeat, lines in zip(resampled.table.repeats, resampled.table.of(contender), strict=True):
        for fold in np.unique(lines.fold):
            predictor = VennAbers(inner.cells[contender, repeat, int(fold)])
            low, high = predictor.pair(lines.prob[lines.fold == fold, 1])
            gaps.append(high - low)
    return float(np.concatenate(gaps).mean())


def _mapped(
    resampled: ResampledPredictions, inner: InnerPredictions, contender: str, fit: Callable[[InnerCell], Map]
) -> list[ContenderPredictions]:
    result = []
    for repeat, lines in zip(resampled.table.repeats, resampled.table.of(contender), strict=True):
        prob = lines.prob.copy()
        for fold in np.unique(lines.fold):
            in_fold = lines.fold == fold
            prob[in_fold] = fit(inner.cells[contender, repeat, int(fold)])(lines.prob[in_fold])
        result.append(ContenderPredictions(lines.sample, lines.group, lines.label, lines.fold, prob))
    return result


def calibration_curve(resampled: ResampledPredictions, contender: str) -> CalibrationCurve:
    """Return calibration bins with intervals, and the parts of the Brier score.

    All repeats are pooled into equal-mass bins; the interval of each bin's observed share is the cluster
    bootstrap's. Beyond two classes the confidence of the top label is set against its correctness, and the parts
    are summed over the classes.
    """
    table = resampled.table
    repeats = table.of(contender)
    prob, truth = _calibrated_event(repeats, binary=table.binary)
    group = np.concatenate([lines.group for lines in repeats])
    # Counted in one repeat: further repeats predict the same samples again.
    bins = equal_mass_bins(prob, 10 if len(truth) // len(repeats) >= _ENOUGH_FOR_TEN_BINS else 5)
    member = np.eye(int(bins.max()) + 1)[bins]
    weights = resampled.resamples.weights
    mass = weighted_sums(group_sums(member, group, len(weights)), weights)
    happened = group_sums(member * truth[:, None], group, len(weights))
    observed = ratio(weighted_sums(happened, weights), mass)
    rows = []
    for number in range(len(mass)):
        inside = bins == number
        n_groups = len(np.unique(group[inside]))
        rows.append(
            CalibrationBin(
                mean_probability=float(prob[inside].mean()),
                n_lines=int(inside.sum()),
                n_groups=n_groups,
                observed=resampled.proportion(observed[number], n_groups),
            )
        )
    few = table.n_groups < _ENOUGH_FOR_A_CURVE
    return CalibrationCurve(
        bins=tuple(rows),
        brier_parts=brier_parts(prob, truth, bins) if table.binary else _parts_of_classes(repeats),
        note=f"{table.n_groups} groups are few for a calibration curve" if few else "",
    )


def _calibrated_event(repeats: list[ContenderPredictions], *, binary: bool) -> tuple[Floats, Floats]:
    """Return (probability, whether it happened): of the positive class, or of the top label being right."""
    if binary:
        prob = [lines.prob[:, 1] for lines in repeats]
        truth = [lines.label == 1 for lines in repeats]
    else:
        prob = [lines.prob.max(axis=1) for lines in repeats]
        truth = [lines.prob.argmax(axis=1) == lines.label for lines in repeats]
    return np.concatenate(prob), np.concatenate(truth).astype(float)


def _parts_of_classes(repeats: list[ContenderPredictions]) -> BrierParts:
    """Return the parts of the Brier score summed over the classes, each against the rest."""
    prob = np.concatenate([lines.prob for lines in repeats])
    label = np.concatenate([lines.label for lines in repeats])
    by_class = [
        brier_parts(prob[:, c], (label == c).astype(float), equal_mass_bins(prob[:, c]))
        for c in range(prob.shape[1])
    ]
    return BrierParts(
        **{name: float(sum(getattr(parts, name) for parts in by_class)) for name in BrierParts.model_fields}
    )
