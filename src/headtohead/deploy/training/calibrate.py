"""Calibration, conformal quantiles and thresholds from out-of-fold predictions of a run, never in-sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError, RunFolderError, UsageError, unknown_name
from headtohead.deploy.bundle.records import BundleCalibration, NamedThreshold, VennAbersSteps
from headtohead.deploy.predict.calibrated import calibrate
from headtohead.stats.inner_predictions import InnerCell

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "METHODS",
    "check_method",
    "cross_fitted_calibration",
    "fit_calibration",
    "out_of_fold",
    "out_of_fold_lines",
]

Floats = npt.NDArray[np.float64]
Map = Callable[[Floats], Floats]
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


def _by_temperature(cell: InnerCell) -> Map:
    from headtohead.stats.calibration.recalibration import fit_temperature

    t = fit_temperature(cell)
    return lambda prob: calibrate(_logs(prob), t)


def _by_venn_abers(cell: InnerCell) -> Map:
    from headtohead.stats.calibration.venn_abers import VennAbers

    return VennAbers(cell)


METHODS: Mapping[str, Callable[[InnerCell], Map]] = {
    "temperature": _by_temperature,
    "venn-abers": _by_venn_abers,
}


def cross_fitted_calibration(lines: pd.DataFrame, cell: InnerCell, method: str = "temperature") -> Floats:
    """Return (n, k) probabilities, each calibrated by a fit without its own fold.

    A group lies in one fold of a repeat, so no line's calibration has seen its group.
    """
    fit = METHODS[method]
    repeat, fold = lines["repeat"].to_numpy(), lines["fold"].to_numpy()
    out = np.empty_like(cell.prob)
    for r in np.unique(repeat):
        for f in np.unique(fold[repeat == r]):
            here, others = (repeat == r) & (fold == f), (repeat == r) & (fold != f)
            if not others.any():
                # A single split has no other fold; its one test part is divided by group.
                out[here] = _split_by_group(cell, here, fit)
                continue
            out[here] = fit(_part(cell, others))(cell.prob[here])
    return out


def _part(cell: InnerCell, rows: npt.NDArray[Any]) -> InnerCell:
    return InnerCell(cell.label[rows], cell.group[rows], cell.prob[rows])


def _split_by_group(cell: InnerCell, here: npt.NDArray[np.bool_], fit: Callable[[InnerCell], Map]) -> Floats:
    places = np.flatnonzero(here)
    # half of the groups by their number, never half a group
    odd = cell.group[places] % 2 == 1
    out = np.empty((len(places), cell.prob.shape[1]))
    for part in (odd, ~odd):
        others = places[~part]
        rows = cell.prob[places[part]]
        # a single group leaves nothing to fit on
        out[part] = fit(_part(cell, others))(rows) if len(others) else rows
    return out


def _venn_abers_steps(cell: InnerCell) -> VennAbersSteps:
    """Return the two isotonic fits at every level of a calibration set; levels within a flat part are left out."""
    from headtohead.stats.calibration.venn_abers import VennAbers

    levels = np.unique(cell.prob[:, 1])
    low, high = VennAbers(cell).pair(levels)
    same = (np.diff(low) == 0) & (np.diff(high) == 0)
    kept = np.ones(len(levels), bool)
    # Both ends of a flat part stay, so that a score within it finds the same values.
    kept[1:-1] = ~(same[:-1] & same[1:])
    return VennAbersSteps(
        levels=tuple(map(float, levels[kept])),
        low=tuple(map(float, low[kept])),
        high=tuple(map(float, high[kept])),
    )


def check_method(method: str, classes: tuple[str, ...]) -> None:
    """Refuse a method of calibration that the classes do not allow.

    Raises:
        UnknownNameError: no such method.
        UsageError: Venn-Abers beyond two classes.
    """
    if method not in METHODS:
        raise unknown_name("calibration", method, METHODS)
    if method == "venn-abers" and len(classes) != 2:
        raise UsageError(
            f"Got --calibration venn-abers and {len(classes)} classes; it is for two. Use --calibration temperature."
        )


def fit_calibration(
    lines: pd.DataFrame, classes: tuple[str, ...], *, alpha: float = 0.1, method: str = "temperature"
) -> tuple[BundleCalibration, tuple[NamedThreshold, ...]]:
    """Return calibration and, for two classes, thresholds of a contender from its out-of-fold lines.

    Quantiles and thresholds are learnt on probabilities that were calibrated without their own fold. A Venn-Abers
    predictor is fitted on the first repeat alone: it counts lines, and an image has one in each repeat.

    Args:
        method: "temperature" or "venn-abers".

    Raises:
        UnknownNameError: another method.
        UsageError: Venn-Abers beyond two classes.
    """
    check_method(method, classes)
    from headtohead.stats.calibration.recalibration import fit_temperature
    from headtohead.stats.decision.conformal import conformal_threshold
    from headtohead.stats.decision.operating_points import RULES, choose_threshold

    venn = method == "venn-abers"
    if venn:
        lines = lines[lines["repeat"] == lines["repeat"].min()].reset_index(drop=True)
    cell = out_of_fold(lines, classes)
    fitted = InnerCell(cell.label, cell.group, cross_fitted_calibration(lines, cell, method))
    quantiles: dict[str, float] | None = None
    refused = ""
    try:
        quantiles = {name: conformal_threshold(fitted, c, alpha) for c, name in enumerate(classes)}
    except InsufficientDataError as error:
        refused = str(error)
    calibration = BundleCalibration(
        method="venn-abers" if venn else "temperature",
        temperature=1.0 if venn else fit_temperature(cell),
        venn_abers=_venn_abers_steps(cell) if venn else None,
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
            # The highest cut lies just above the highest score, which may be 1.
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
