"""Speed of a whole verdict against a plain numpy bootstrap of one metric, in one run.

    python benchmarks/verdict_speed.py                    # 50,000 samples, two models: 100,000 lines
    python benchmarks/verdict_speed.py --samples 500000   # a million lines

The verdict holds 20 metrics with intervals for each model, the tests and all tables. The plain way draws samples with
replacement and takes the AUROC of the copies by ranks, for two models; it is timed on a few replicates and scaled up.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
from scipy import stats

from headtohead import verdict


def predictions(n: int) -> pd.DataFrame:
    """Return n independent samples (30 % positive) scored by two models that share part of their errors."""
    rng = np.random.default_rng(0)
    label, shared = (rng.random(n) < 0.3).astype(int), rng.normal(size=n)
    parts = []
    for model, lift in (("a", 1.5), ("b", 1.4)):
        score = 1 / (1 + np.exp(-(lift * label + 0.7 * shared + 0.7 * rng.normal(size=n) - 1)))
        names = [f"s{i:07d}" for i in range(n)]
        parts.append(pd.DataFrame({"sample": names, "model": model, "label": label, "score": score}))
    return pd.concat(parts, ignore_index=True)


def plain(frame: pd.DataFrame, replicates: int) -> float:
    """Return the seconds per replicate of both models' AUROC on copied rows."""
    rng = np.random.default_rng(0)
    models = [part for _, part in frame.groupby("model")]
    label = models[0]["label"].to_numpy()
    scores = [part["score"].to_numpy() for part in models]
    began = time.perf_counter()
    for _ in range(replicates):
        drawn = rng.integers(0, len(label), len(label))
        truth = label[drawn] == 1
        n_pos = int(truth.sum())
        for score in scores:
            ranks = stats.rankdata(score[drawn])
            _ = (ranks[truth].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * (len(truth) - n_pos))
    return (time.perf_counter() - began) / replicates


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--samples", type=int, default=50_000)
    words.add_argument("--replicates", type=int, default=2_000)
    given = words.parse_args()
    frame = predictions(given.samples)
    cpu, began = time.process_time(), time.perf_counter()
    verdict(frame, n_boot=given.replicates, quiet=True)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    each = plain(frame, 20)
    print(
        f"{2 * given.samples} lines, {given.replicates} replicates\n"
        f"headtohead verdict, all metrics, tests and tables: {seconds:8.1f} s "
        f"({cpu:.1f} s of CPU), peak {peak:.2f} GiB\n"
        f"plain numpy bootstrap of the AUROC alone:          {each * given.replicates:8.1f} s "
        f"({1000 * each:.1f} ms per replicate, scaled up from 20)\n"
        f"ratio:                                             {each * given.replicates / seconds:8.2f}"
    )


if __name__ == "__main__":
    main()
