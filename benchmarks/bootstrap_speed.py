"""Speed of the cluster bootstrap: 2,000 replicates x 10 contenders x 10 metrics on 10,000 predictions.

    python benchmarks/bootstrap_speed.py            # the product on two threads, and the plain way next to it

The plain way is scipy.stats.bootstrap over group numbers with scikit-learn's metrics on copied rows. It is
timed on a few replicates of one contender and scaled up, because the whole would take hours.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn import metrics as sk
from threadpoolctl import threadpool_limits

from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions

NAMES = ("auroc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1", "mcc",
         "brier", "log_loss")  # fmt: skip
CLASSES = ("no", "yes")


def contender(n: int, n_groups: int, seed: int) -> ContenderPredictions:
    """Return one contender's predictions: labels by group, scores shared within it."""
    shared, own = np.random.default_rng(0), np.random.default_rng([1, seed])
    group = np.sort(shared.integers(0, n_groups, n))
    label = (shared.random(n_groups) < 0.3).astype(np.int64)[group]
    p = 1 / (1 + np.exp(-(1.5 * label - 1 + own.normal(size=n_groups)[group] + own.normal(size=n))))
    return ContenderPredictions(
        np.arange(n), group, label, np.zeros(n, dtype=np.int64), np.stack([1 - p, p], axis=1)
    )


def ours(lines: list[ContenderPredictions], n_groups: int, replicates: int, workers: int) -> float:
    """Return the seconds that all replicates of all contenders and metrics take."""
    began = time.perf_counter()
    with threadpool_limits(limits=1):
        resamples = make_resamples(n_groups, replicates, 0)
        weights = np.ascontiguousarray(resamples.weights[:, : 1 + replicates])
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda one: metric_values([one], weights, NAMES, CLASSES), lines))
    return time.perf_counter() - began


def plain(lines: ContenderPredictions, n_groups: int, replicates: int) -> float:
    """Return the seconds per replicate of one contender, all ten metrics, with scipy and scikit-learn."""
    rows = [np.flatnonzero(lines.group == g) for g in range(n_groups)]

    def all_metrics(groups: npt.NDArray[np.int64]) -> float:
        drawn = np.concatenate([rows[g] for g in groups])
        y, p = lines.label[drawn], lines.prob[drawn, 1]
        called = p >= 0.5
        return float(
            sk.roc_auc_score(y, p) + sk.average_precision_score(y, p) + sk.accuracy_score(y, called)
            + sk.balanced_accuracy_score(y, called) + sk.recall_score(y, called) + sk.recall_score(1 - y, ~called)
            + sk.f1_score(y, called) + sk.matthews_corrcoef(y, called) + sk.brier_score_loss(y, p) + sk.log_loss(y, p)
        )  # fmt: skip

    began = time.perf_counter()
    stats.bootstrap(
        (np.arange(n_groups),), all_metrics, n_resamples=replicates, vectorized=False, method="percentile",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return (time.perf_counter() - began) / replicates


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--predictions", type=int, default=10_000)
    words.add_argument("--groups", type=int, default=4_000)
    words.add_argument("--contenders", type=int, default=10)
    words.add_argument("--replicates", type=int, default=2_000)
    words.add_argument("--workers", type=int, default=2)
    given = words.parse_args()
    lines = [contender(given.predictions, given.groups, seed) for seed in range(given.contenders)]
    seconds = ours(lines, given.groups, given.replicates, given.workers)
    each = plain(lines[0], given.groups, 20)
    whole = each * given.replicates * given.contenders
    print(
        f"{given.replicates} replicates x {given.contenders} contenders x {len(NAMES)} metrics on {given.predictions} "
        f"predictions in {given.groups} groups, {given.workers} threads\n"
        f"headtohead:                      {seconds:8.1f} s\n"
        f"scipy.stats.bootstrap + sklearn: {whole:8.1f} s ({1000 * each:.1f} ms per replicate and contender, "
        f"scaled up from 20)\nratio:                           {whole / seconds:8.0f}"
    )


if __name__ == "__main__":
    main()
