"""Small tables of predictions that several tests of the statistics share."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tests.planting.verdicts import judge

from headtohead.core.records import Verdict
from headtohead.stats.inner_predictions import InnerCell
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.metrics.lookup import default_metrics
from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.predictions import ContenderPredictions, PredictionTable
from headtohead.stats.resampled import Replicates, ResampledPredictions


def calibrated(n: int, share: float, seed: int = 0) -> pd.DataFrame:
    """Return two contenders on n samples of which about `share` are positive; the first tells the true probability."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < share).astype(int)
    x = rng.normal(2.0 * label)
    true = 1 / (1 + np.exp(-(2 * x - 2 + np.log(share / (1 - share)))))
    parts = [
        pd.DataFrame({"sample": [f"s{i:05d}" for i in range(n)], "group": [f"g{i % 300:05d}" for i in range(n)],
                      "contender": name, "label": np.where(label == 1, "yes", "no"), "prob_no": 1 - p, "prob_yes": p})
        for name, p in (("true", true), ("blind", np.full(n, share)))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judge_bounds(frame: pd.DataFrame, **more: object) -> Verdict:
    options: dict[str, object] = {"classes": ("no", "yes"), "positive": "yes", "n_boot": 200} | more
    return judge(frame, **options)


def rounded_pair(seed: int = 0) -> tuple[ContenderPredictions, ContenderPredictions]:
    """Return two contenders on 150 samples in 30 groups that hold both classes."""
    rng = np.random.default_rng(seed)
    group = np.sort(np.append(np.arange(30), rng.integers(0, 30, 120)))
    label = rng.integers(0, 2, 150)
    made = []
    for lift in (1.6, 1.0):
        score = lift * label + rng.normal(size=30)[group] + rng.normal(size=150)
        p = 1 / (1 + np.exp(-score))
        made.append(
            ContenderPredictions(
                np.arange(150), group, label, np.arange(150) % 5, np.stack([1 - p, p], axis=1)
            )
        )
    return made[0], made[1]


def apart(found: float, planted: list[float], least: float = 0.02) -> bool:
    """Return whether every planted error lies at least that far off, relatively."""
    return all(abs(wrong - found) > least * abs(found) for wrong in planted)


def warned_lines(
    label: list[int] | np.ndarray[Any, Any], positive: np.ndarray[Any, Any], per_group: int = 1
) -> pd.DataFrame:
    """Return one contender's predictions, groups of `per_group` samples in order."""
    n = len(label)
    return pd.DataFrame(
        {
            "sample": [f"s{i:04d}" for i in range(n)],
            "group": [f"g{i // per_group:04d}" for i in range(n)],
            "contender": "a",
            "label": np.array(["no", "yes"])[np.asarray(label)],
            "prob_no": 1 - positive,
            "prob_yes": positive,
        }
    )


def verdict_on(frame: pd.DataFrame) -> Verdict:
    return judge(frame, classes=("no", "yes"), positive="yes", n_boot=200)


def codes(verdict: Verdict, metric: str) -> set[str]:
    found = next(s for s in verdict.scores if s.metric == metric)
    return {warning.code for warning in found.warnings}


Floats = npt.NDArray[np.float64]


CLASSES = ("no", "yes")


def correlated_pair(
    n: int = 120, per_group: int = 1, seed: int = 0, gap: float = 0.0, strength: float = 1.2
) -> tuple[ContenderPredictions, ContenderPredictions]:
    """Return two contenders on the same lines, the first `gap` more separated."""
    rng = np.random.default_rng(seed)
    n_groups = n // per_group
    group = np.repeat(np.arange(n_groups), per_group)
    label = (np.arange(n_groups) % 2)[group]
    shared = rng.normal(size=n_groups)[group]
    made = []
    for lift in (strength + gap, strength):
        score = lift * label + shared + 0.7 * rng.normal(size=n)
        p = 1 / (1 + np.exp(-(score - lift / 2)))
        made.append(
            ContenderPredictions(np.arange(n), group, label, np.arange(n) % 5, np.stack([1 - p, p], axis=1))
        )
    return made[0], made[1]


def table_of_two(group: npt.NDArray[np.int64], label: npt.NDArray[np.int64], prob: Floats) -> PredictionTable:
    n = len(group)
    lines = ContenderPredictions(
        np.arange(n), group, label, np.zeros(n, dtype=np.int64), np.stack([1 - prob, prob], axis=1)
    )
    names = np.array([f"s{i:04d}" for i in range(n)])
    groups = np.array([f"g{g:04d}" for g in np.unique(group)])
    return PredictionTable(CLASSES, names, groups, group, label, ("a",), (0,), {("a", 0): lines}, False)


Ints = npt.NDArray[np.int64]


def lines_of_score(score: Floats, label: Ints, group: Ints | None = None) -> ContenderPredictions:
    n = len(label)
    prob = np.stack([1 - score, score], axis=1)
    return ContenderPredictions(
        np.arange(n), np.arange(n) if group is None else group, label, np.zeros(n, dtype=np.int64), prob
    )


def cell_of(score: Floats, label: Ints, group: Ints | None = None) -> InnerCell:
    lines = lines_of_score(score, label, group)
    return InnerCell(lines.label, lines.group, lines.prob)


def frame_of(lifts: dict[str, float], label: Ints, group: Ints, seed: int = 0) -> pd.DataFrame:
    """Return contenders whose classes lie `lift` apart, on the same samples and four folds of whole groups."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, lift in lifts.items():
        p = 1 / (1 + np.exp(-(lift * (label - 0.5) + rng.normal(size=len(label)))))
        parts.append(
            pd.DataFrame({"sample": [f"s{i:04d}" for i in range(len(label))], "group": [f"g{g:03d}" for g in group],
                          "fold": group % 4, "contender": name, "label": np.where(label == 1, "yes", "no"),
                          "prob_no": 1 - p, "prob_yes": p})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judge_frame(frame: pd.DataFrame) -> Verdict:
    return judge(frame, classes=CLASSES, positive="yes", n_boot=100)


def property_frame(seed: int, n_groups: int = 40) -> pd.DataFrame:
    """Return two contenders on groups of one to four samples; about one group in three holds both classes."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), rng.integers(1, 5, n_groups))
    n = len(group)
    label = np.where(rng.random(n) < 0.15, 1 - group % 2, group % 2)
    parts = []
    for name, lift in (("one", 1.6), ("two", 1.1)):
        score = lift * label + 0.7 * rng.normal(size=n_groups)[group] + rng.normal(size=n)
        p = 1 / (1 + np.exp(-(score - lift / 2)))
        parts.append(
            pd.DataFrame({"sample": [f"s{i:04d}" for i in range(n)], "group": [f"g{g:03d}" for g in group],
                          "fold": group % 4, "contender": name, "label": np.where(label == 1, "yes", "no"),
                          "prob_no": 1 - p, "prob_yes": p})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def some_lines(
    n: int = 60, n_groups: int = 20, k: int = 2, seed: int = 0, ties: bool = True
) -> ContenderPredictions:
    rng = np.random.default_rng(seed)
    group = np.sort(np.append(np.arange(n_groups), rng.integers(0, n_groups, n - n_groups)))
    label = np.append(np.arange(k), rng.integers(0, k, n - k)).astype(np.int64)
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[label]
    if ties:
        logits = np.round(logits)
    prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return ContenderPredictions(np.arange(n), group, label, np.arange(n) % 3, prob)


def some_weights(n_groups: int = 20, replicates: int = 12, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=replicates).T
    return np.concatenate([np.ones((n_groups, 1)), drawn], axis=1)


def double_loop(score: Floats, positive: npt.NDArray[np.bool_]) -> float:
    pairs = itertools.product(score[positive], score[~positive])
    return float(np.mean([1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs]))


def table_from(contenders: dict[str, ContenderPredictions]) -> PredictionTable:
    """Return a table of two or more classes of contenders that predict the same lines, in one repeat."""
    first = next(iter(contenders.values()))
    k = first.prob.shape[1]
    frames = []
    for name, lines in contenders.items():
        frame = pd.DataFrame({f"prob_{c}": lines.prob[:, c] for c in range(k)})
        frame["sample"] = [f"s{i:04d}" for i in lines.sample]
        frame["group"] = [f"g{i:04d}" for i in lines.group]
        frame["label"], frame["fold"], frame["contender"] = lines.label.astype(str), lines.fold, name
        frames.append(frame)
    classes = tuple(str(c) for c in range(k))
    return build_prediction_table(
        pd.concat(frames), classes=classes, positive="1" if k == 2 else None, contenders=None
    )


def resample(table: PredictionTable, n_boot: int = 100, seed: int = 0) -> ResampledPredictions:
    """Return the table with its resamples, at level 0.95."""
    return ResampledPredictions(table, make_resamples(table.n_groups, n_boot, seed), 0.95, seed)


def replicates_of(resampled: ResampledPredictions) -> Replicates:
    """Return the replicates of all default metrics by contender."""
    table = resampled.table
    names = default_metrics(table.classes, table.has_folds)
    return {contender: resampled.values(table.of(contender), names) for contender in table.contenders}


def two_repeats() -> pd.DataFrame:
    """Return two contenders, two repeats and six samples in three groups."""
    rows: list[dict[str, object]] = []
    for contender in ("b", "a"):
        for repeat in (1, 0):
            for i in range(6):
                p = 0.1 + 0.1 * i
                rows.append(
                    {
                        "sample": f"s{i}",
                        "group": f"g{i // 2}",
                        "repeat": repeat,
                        "fold": i // 2,
                        "contender": contender,
                        "label": CLASSES[i % 2],
                        "prob_no": 1 - p,
                        "prob_yes": p,
                    }
                )
    return pd.DataFrame(rows)
