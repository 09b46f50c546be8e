"""Recalibration fitted on inner lines and judged on test lines, before against after; and calibration curves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize

from headtohead.stats.calibration.venn_abers import VennAbers
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions
from headtohead.stats.metrics.probabilistic import brier_parts, equal_mass_bins, fit_logistic, logit
from headtohead.stats.metrics.ranking import group_sums, ratio
from headtohead.stats.predictions import ContenderPredictions
from headtohead.stats.resampled import ResampledPredictions, bootstrap_interval, proportion_interval

__all__ = ["calibration_curve", "isotonic", "platt", "recalibration", "temperature"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Map = Callable[[Floats], Floats]

_ENOUGH_FOR_ISOTONIC = 300
_REPORTED = ("brier", "log_loss", "ece", "calibration_slope", "calibration_intercept")


def temperature(cell: InnerCell) -> Map:
    """Return the map p -> softmax(log p / T), T fitted by inner log loss (Guo et al. 2017, ICML).

    One parameter, keeps the order of the scores and the most probable class.
    """
    logs = np.log(np.clip(cell.prob, 1e-12, 1.0))
    rows = np.arange(len(cell.label))

    def loss(log_t: float) -> float:
        return float(-_log_softmax(logs / math.exp(log_t))[rows, cell.label].mean())

    best = math.exp(float(optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
    return lambda prob: np.exp(_log_softmax(np.log(np.clip(prob, 1e-12, 1.0)) / best))


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
    if beta is None:
        return lambda prob: prob
    return lambda prob: _two(1 / (1 + np.exp(-(beta[0] + beta[1] * logit(prob[:, 1])))))


def isotonic(cell: InnerCell) -> Map:
    """Return isotonic recalibration, linear between the fitted points (Zadrozny and Elkan 2002, KDD).

    Ends are drawn in to 1/(n + 2), so that a probability of exactly 0 or 1 is never claimed.
    """
    levels, which, count = np.unique(cell.prob[:, 1], return_inverse=True, return_counts=True)
    mean = np.bincount(which, weights=(cell.label == 1).astype(float)) / count
    fitted = np.asarray(optimize.isotonic_regression(mean, weights=count).x)
    margin = 1 / (len(cell.label) + 2)
    return lambda prob: _two(np.clip(np.interp(prob[:, 1], levels, fitted), margin, 1 - margin))


def _two(positive: Floats) -> Floats:
    return np.stack([1 - positive, positive], axis=1)


def recalibration(setting: ResampledPredictions, inner: InnerPredictions) -> dict[str, Any]:
    """Return, per contender, probability scores before and after each method, cross-fitted in inner folds."""
    table = setting.table
    methods: dict[str, Callable[[InnerCell], Map]] = {"temperature": temperature}
    if table.binary:
        methods |= {"platt": platt, "isotonic": isotonic, "venn_abers": VennAbers}
    names = [name for name in _REPORTED if table.binary or not name.startswith("calibration")]
    result: dict[str, Any] = {}
    for contender in table.contenders:
        before = setting.values(table.of(contender), names)
        entry: dict[str, Any] = {"before": setting.scores(contender, before)}
        for method, fit in methods.items() if inner.has(contender) else ():
            after = setting.values(_mapped(setting, inner, contender, fit), names)
            entry[method] = setting.scores(contender, after)
            entry[f"{method}_log_loss_change"] = bootstrap_interval(
                after["log_loss"] - before["log_loss"], setting.resamples, setting.level
            )
        if "venn_abers" in entry:
            entry["venn_abers_width"] = _width(setting, inner, contender)
        entry["notes"] = _notes(setting, inner, contender)
        result[contender] = entry
    return result


def _notes(setting: ResampledPredictions, inner: InnerPredictions, contender: str) -> list[str]:
    if not inner.has(contender):
        return ["no inner predictions, so nothing was recalibrated"]
    sizes = [len(cell.label) for key, cell in inner.cells.items() if key[0] == contender]
    notes = []
    if setting.table.binary and min(sizes) < _ENOUGH_FOR_ISOTONIC:
        notes.append(
            f"isotonic regression was fitted on {min(sizes)} samples; below {_ENOUGH_FOR_ISOTONIC} it tends to overfit"
        )
    return notes


def _width(setting: ResampledPredictions, inner: InnerPredictions, contender: str) -> float:
    """Return the mean distance of Venn-Abers' two probabilities on the test lines: how well calibration is known."""
    gaps = []
    for repeat, lines in zip(setting.table.repeats, setting.table.of(contender), strict=True):
        for fold in np.unique(lines.fold):
            predictor = VennAbers(inner.cells[contender, repeat, int(fold)])
            low, high = predictor.pair(lines.prob[lines.fold == fold, 1])
            gaps.append(high - low)
    return float(np.concatenate(gaps).mean())


def _mapped(
    setting: ResampledPredictions, inner: InnerPredictions, contender: str, fit: Callable[[InnerCell], Map]
) -> list[ContenderPredictions]:
    result = []
    for repeat, lines in zip(setting.table.repeats, setting.table.of(contender), strict=True):
        prob = lines.prob.copy()
        for fold in np.unique(lines.fold):
            mine = lines.fold == fold
            prob[mine] = fit(inner.cells[contender, repeat, int(fold)])(lines.prob[mine])
        result.append(ContenderPredictions(lines.sample, lines.group, lines.label, lines.fold, prob))
    return result


def calibration_curve(setting: ResampledPredictions, contender: str) -> dict[str, Any]:
    """Return calibration bins with bands, and the Brier score's parts.

    All repeats are pooled into equal-mass bins; the band of each bin's observed share is the cluster
    bootstrap's. Beyond two classes the top label's confidence is set against correctness, and the parts are
    summed over the classes.
    """
    table = setting.table
    repeats = table.of(contender)
    if table.binary:
        prob = np.concatenate([lines.prob[:, 1] for lines in repeats])
        truth = np.concatenate([(lines.label == 1).astype(float) for lines in repeats])
    else:
        prob = np.concatenate([lines.prob.max(axis=1) for lines in repeats])
        truth = np.concatenate(
            [(lines.prob.argmax(axis=1) == lines.label).astype(float) for lines in repeats]
        )
    group = np.concatenate([lines.group for lines in repeats])
    bins = equal_mass_bins(prob, 10 if len(truth) // len(repeats) >= 200 else 5)
    member = np.eye(int(bins.max()) + 1)[bins]
    weights = setting.resamples.weights
    mass = group_sums(member, group, len(weights)).T @ weights
    seen = ratio(group_sums(member * truth[:, None], group, len(weights)).T @ weights, mass)
    rows = []
    for number in range(len(mass)):
        inside = bins == number
        row: dict[str, Any] = {
            "mean_probability": float(prob[inside].mean()),
            "n_lines": int(inside.sum()),
            "n_groups": len(np.unique(group[inside])),
        }
        observed = proportion_interval(seen[number], setting.resamples, setting.level, row["n_groups"])
        rows.append(row | {"observed": observed})
    note = "" if table.n_groups >= 100 else f"{table.n_groups} groups are few for a calibration curve"
    parts = brier_parts(prob, truth, bins) if table.binary else _parts_of_classes(repeats)
    return {"bins": rows, "brier_parts": parts, "note": note}


def _parts_of_classes(repeats: list[ContenderPredictions]) -> dict[str, float]:
    """Return the parts of the Brier score summed over the classes, each against the rest."""
    prob, label = (np.concatenate([getattr(lines, name) for lines in repeats]) for name in ("prob", "label"))
    each = [
        brier_parts(prob[:, c], (label == c).astype(float), equal_mass_bins(prob[:, c]))
        for c in range(prob.shape[1])
    ]
    return {name: float(sum(one[name] for one in each)) for name in each[0]}
