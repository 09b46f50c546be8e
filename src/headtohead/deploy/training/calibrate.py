"""Temperature, conformal quantiles and thresholds from out-of-fold predictions of a run, never in-sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError, RunFolderError
from headtohead.deploy.bundle.records import BundleCalibration, NamedThreshold
from headtohead.deploy.predict.calibrated import calibrate
from headtohead.stats.inner_predictions import InnerCell

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cross_fitted_calibration", "fit_calibration", "out_of_fold", "out_of_fold_lines"]

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-12  # a probability of 0 has no logarithm; far below any calibrated one
FROM = "out-of-fold predictions of the run, on grouped folds"


def out_of_fold_lines(predictions: pd.DataFrame, contender: str) -> pd.DataFrame:
    """Return the out-of-fold lines of one contender, sorted by repeat, fold and sample.

    Raises:
        RunFolderError: the run has no such contender.
    """
    lines = predictions[predictions["contender"] == contender]
    if lines.empty:
        names = ", ".join(dict.fromkeys(predictions["contender"]))
        raise RunFolderError(f"The run has no contender {contender!r}; it compared {names}.")
    return lines.sort_values(["repeat", "fold", "sample"], kind="stable").reset_index(drop=True)


def out_of_fold(lines: pd.DataFrame, classes: tuple[str, ...]) -> InnerCell:
    """Return the lines of `out_of_fold_lines` as arrays: label, group and uncalibrated probabilities."""
    index = {name: place for place, name in enumerate(classes)}
    label = np.asarray(lines["label"].astype(str).map(index), dtype=np.int64)
    group = np.unique(lines["group"].astype(str).to_numpy(dtype=str), return_inverse=True)[1]
    prob = lines[[f"prob_{name}" for name in classes]].to_numpy(dtype=np.float64)
    return InnerCell(label, group.astype(np.int64), prob)


def cross_fitted_calibration(lines: pd.DataFrame, cell: InnerCell) -> Floats:
    """Return (n, k) probabilities, each calibrated with a temperature fitted without its own fold.

    A group lies in one fold of a repeat, so no line's temperature has seen its group.
    """
    from headtohead.stats.calibration.recalibration import fit_temperature

    repeat, fold = lines["repeat"].to_numpy(), lines["fold"].to_numpy()
    out = np.empty_like(cell.prob)
    for r in np.unique(repeat):
        for f in np.unique(fold[repeat == r]):
            here, others = (repeat == r) & (fold == f), (repeat == r) & (fold != f)
            if not others.any():
                # A single split has no other fold; its one test part is divided by group.
                out[here] = _split_by_group(cell, here)
                continue
            t = fit_temperature(InnerCell(cell.label[others], cell.group[others], cell.prob[others]))
            out[here] = calibrate(_logs(cell.prob[here]), t)
    return out


def _split_by_group(cell: InnerCell, here: npt.NDArray[np.bool_]) -> Floats:
    from headtohead.stats.calibration.recalibration import fit_temperature

    places = np.flatnonzero(here)
    odd = cell.group[places] % 2 == 1
    out = np.empty((len(places), cell.prob.shape[1]))
    for part in (odd, ~odd):
        others = places[~part]
        t = (
            fit_temperature(InnerCell(cell.label[others], cell.group[others], cell.prob[others]))
            if len(others)
            else 1.0
        )
        out[part] = calibrate(_logs(cell.prob[places[part]]), t)
    return out


def fit_calibration(
    lines: pd.DataFrame, classes: tuple[str, ...], *, alpha: float = 0.1
) -> tuple[BundleCalibration, tuple[NamedThreshold, ...]]:
    """Return calibration and, for two classes, thresholds of a contender from its out-of-fold lines.

    Quantiles and thresholds are learnt on probabilities that were calibrated without their own fold.
    """
    from headtohead.stats.calibration.recalibration import fit_temperature
    from headtohead.stats.decision.conformal import conformal_threshold
    from headtohead.stats.decision.operating_points import RULES, choose_threshold

    cell = out_of_fold(lines, classes)
    fitted = InnerCell(cell.label, cell.group, cross_fitted_calibration(lines, cell))
    quantiles: dict[str, float] | None = None
    refused = ""
    try:
        quantiles = {name: conformal_threshold(fitted, c, alpha) for c, name in enumerate(classes)}
    except InsufficientDataError as error:
        refused = str(error)
    calibration = BundleCalibration(
        temperature=fit_temperature(cell),
        alpha=alpha,
        quantiles=quantiles,
        refused=refused,
        learnt_from=FROM,
        n_lines=len(cell.label),
        n_groups=len(np.unique(cell.group)),
    )
    if len(classes) != 2:
        return calibration, ()
    half = NamedThreshold(name="half", value=0.5, chosen_for="fixed beforehand at 0.5", chosen_on="nothing")
    chosen = (
        NamedThreshold(
            name=rule.name,
            value=min(1.0, max(0.0, choose_threshold(rule, fitted))),
            chosen_for=rule.purpose,
            chosen_on=FROM,
        )
        for rule in RULES
    )
    return calibration, (half, *chosen)


def _logs(prob: Floats) -> npt.NDArray[np.float32]:
    logs: npt.NDArray[np.float32] = np.log(np.clip(prob, SMALLEST, 1.0))
    return logs
