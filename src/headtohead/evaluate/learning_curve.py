"""The learning curve over the size of the training part: scores, extrapolation, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from headtohead.core.errors import InsufficientDataError
from headtohead.stats.intervals.resampling import make_resamples, percentile
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.metric import Metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.power_law import FEWEST_SIZES, fit_power_law
from headtohead.stats.prediction_builder import build_prediction_table

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.evaluate.verdict import VerdictConfig

__all__ = ["SizedPredictions", "learning_curve"]

Floats = npt.NDArray[np.float64]

FACTOR = 2.0  # the law is trusted up to twice the groups; four points say nothing about ten times as many
LITTLE = 0.01  # a gain below this, in units of the metric, is called little
METHOD = (
    "inverse power law of the error over training groups (Figueroa et al. 2012), fitted to the data and to each "
    "resample of test groups; which groups were drawn for a part is averaged over folds and repeats, its variance is "
    "not in the intervals"
)


@dataclass(frozen=True)
class SizedPredictions:
    """Out-of-fold predictions of models that were fitted on a share of the training groups.

    Attributes:
        share: in (0, 1]. groups: training groups, mean over folds.
        predictions: the columns of `predictions.parquet`, the same test images at every share.
    """

    share: float
    groups: float
    predictions: pd.DataFrame


def learning_curve(
    parts: Sequence[SizedPredictions], contenders: Sequence[str], config: VerdictConfig
) -> dict[str, Any]:
    """Return the points, the extrapolation to twice the groups, and the sentences; the content of the file.

    Args:
        parts: one for each share, the smallest first.
        contenders: their names; each is in every part.
        config: metric, level, resamples and seed, as for the verdict; points at the full share equal its scores.

    Raises:
        InsufficientDataError: no part.
    """
    if not parts:
        raise InsufficientDataError(
            "A learning curve needs at least one share of the training groups; got none."
        )
    points: list[dict[str, Any]] = []
    values: dict[str, list[Floats]] = {name: [] for name in contenders}
    for part in parts:
        table = build_prediction_table(
            part.predictions, classes=config.classes, positive=config.positive, contenders=list(contenders)
        )
        metric = get_metric(config.metric, table.classes)
        with threadpool_limits(limits=1, user_api="blas"):
            resamples = make_resamples(table.n_groups, config.n_boot, config.seed)
            for name in contenders:
                found = metric_values(table.of(name), resamples.weights, [metric.name], table.classes)[
                    metric.name
                ]
                score = make_score(table, name, metric, found, resamples, config.level)
                row = {"contender": name, "share": part.share, "groups": round(part.groups)}
                points.append({**row, "value": score.value, "low": score.low, "high": score.high})
                # Without the jackknife: the extrapolation resamples test groups.
                values[name].append(found[: 1 + config.n_boot])
    sizes = np.array([part.groups for part in parts])
    ahead = _extrapolate(sizes, {name: np.stack(rows) for name, rows in values.items()}, metric, config.level)
    content = {
        "format": 1, "metric": metric.name, "title": metric.title, "level": config.level, "method": METHOD,
        "points": points, "extrapolation": ahead["rows"], "same_order": ahead["same_order"],
    }  # fmt: skip
    return {**content, "sentences": _sentences(content, contenders, metric)}


def _extrapolate(sizes: Floats, values: Mapping[str, Floats], metric: Metric, level: float) -> dict[str, Any]:
    """Return what each contender is expected to reach with more groups, and how sure their order is."""
    if len(np.unique(sizes)) < FEWEST_SIZES:
        return {"rows": [], "same_order": None}
    rising = metric.best == "high"
    rows, expected = [], {}
    for name, found in values.items():
        known = np.asarray(np.isfinite(found).all(axis=0))
        if not known[0]:
            continue
        # Rounding may leave an error below 0, which the law does not know.
        law = fit_power_law(sizes, np.maximum(metric.high - found if rising else found - metric.low, 0))
        # Both from the law, so that the noise of the last point is not taken for a gain.
        then, now = law.error(FACTOR * sizes[-1]), law.error(sizes[-1])
        value, gain = (metric.high - then if rising else metric.low + then), now - then
        expected[name] = np.where(known, value, np.nan)
        (low, high), (least, most) = (percentile(one[known][1:], level) for one in (value, gain))
        rows.append(
            {
                "contender": name, "factor": FACTOR, "groups": round(FACTOR * sizes[-1]), "value": float(value[0]),
                "low": min(low, float(value[0])), "high": max(high, float(value[0])), "gain": float(gain[0]),
                "gain_low": min(least, float(gain[0])), "gain_high": max(most, float(gain[0])),
                "exponent": float(law.exponent[0]), "floor": float(law.floor[0]),
            }
        )  # fmt: skip
    return {"rows": rows, "same_order": _same_order({n: values[n][-1] for n in expected}, expected, rising)}


def _same_order(now: Mapping[str, Floats], then: Mapping[str, Floats], rising: bool) -> float | None:
    """Return the share of resamples in which the order expected with more groups is the order of today's scores."""
    if len(now) < 2:
        return None
    sign = -1 if rising else 1
    today = np.argsort([sign * float(now[name][0]) for name in now], kind="stable")
    later = np.argsort(np.stack([sign * then[name][1:] for name in now]), axis=0, kind="stable")
    known = np.isfinite(np.stack([then[name][1:] for name in now])).all(axis=0)
    return float((later == today[:, None]).all(axis=0)[known].mean()) if known.any() else None


def _sentences(content: Mapping[str, Any], contenders: Sequence[str], metric: Metric) -> list[str]:
    """Return whether more data would help each contender, and whether the ranking changes."""
    title, rows = str(content["title"]), content["extrapolation"]
    told = [
        f"{row['contender']}: with twice the groups (about {row['groups']} in training) the curve extrapolates to "
        f"{title} {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}], a gain of {row['gain']:.3f} "
        f"[{row['gain_low']:.3f}, {row['gain_high']:.3f}]: {_helps(row)}."
        for row in rows
    ]
    if not rows:
        told.append(f"Fewer than {FEWEST_SIZES} sizes could be fitted, so nothing is said about more groups.")
    if len(contenders) > 1:
        told.append(_ranking(content, metric))
    return told


def _helps(row: Mapping[str, float]) -> str:
    if row["gain_high"] < LITTLE:
        return "more images like these would help little"
    if row["gain_low"] >= LITTLE:
        return "more images like these would help"
    return f"more images like these may help; a gain below {LITTLE:g} is not excluded"


def _ranking(content: Mapping[str, Any], metric: Metric) -> str:
    firsts: list[tuple[float, str]] = []
    for share in dict.fromkeys(point["share"] for point in content["points"]):
        known = [p for p in content["points"] if p["share"] == share and p["value"] is not None]
        if known:
            best = (max if metric.best == "high" else min)(known, key=lambda point: float(point["value"]))
            firsts.append((share, best["contender"]))
    if not firsts:
        return "No share has a defined score, so nothing is said about the ranking."
    if len({name for _, name in firsts}) == 1:
        words = f"{firsts[0][1]} is first at every share"
    else:
        listed = ", ".join(f"{name} with {100 * share:.0f} %" for share, name in firsts)
        words = f"The first place changes with the size of the training part: {listed} of the groups"
    same = content["same_order"]
    if same is None:
        return f"{words}."
    return f"{words}; in {100 * same:.0f} % of the resamples the order with twice the groups is expected to stay."
