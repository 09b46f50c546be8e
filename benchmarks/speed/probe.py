"""The cells of a linear probe: this tree, an older one and plain scikit-learn, on the same features in one run.

    git worktree add ../before 95441a1
    python benchmarks/speed/probe.py --old ../before

Features are generated as networks give them (not negative, correlated, a few strong directions). Each side chooses from
the same values of C on the same number of inner folds; scikit-learn's (`StandardScaler`, `LogisticRegressionCV`) are
not grouped. One thread of linear algebra, as many folds side by side as each side does by itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

SHAPES = {  # samples, features, classes, cells
    "253 images, 1,536 features": (253, 1536, 2, 15),
    "1,000 images, 1,280 features": (1000, 1280, 2, 3),
    "4,700 images, 1,280 features": (4700, 1280, 2, 1),
    "500 images, 4 classes": (500, 1280, 4, 3),
}


def problem(n: int, d: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features (n, d) and labels (n,)."""
    rng = np.random.default_rng(0)
    labels, strong = np.arange(n) % k, min(d, 64)
    mix = rng.normal(size=(strong, d)) * np.linspace(3, 0.1, strong)[:, None]
    rows = rng.normal(size=(n, strong)) @ mix + 0.3 * rng.normal(size=(n, d))
    rows[:, :k] += 1.5 * np.eye(k)[labels]
    return np.maximum(rows, 0).astype(np.float32), labels


def parts(n: int, cells: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, test) of the cells: a fifth of the groups of two is tested."""
    rng = np.random.default_rng(1)
    tested = [np.isin(np.arange(n) // 2, rng.permutation(n // 2)[: n // 10]) for _ in range(cells)]
    return [(np.flatnonzero(~one), np.flatnonzero(one)) for one in tested]


def ours(n: int, d: int, k: int, cells: int) -> list[np.ndarray]:
    from headtohead.core.progress import QUIET
    from headtohead.heads.base import FoldJob, SampleLabels
    from headtohead.heads.linear_probe import ProbeHead

    rows, labels = problem(n, d, k)
    data = SampleLabels(labels, (np.arange(n) // 2).astype(str).astype(object), tuple("abcdefgh"[:k]))
    head = ProbeHead(lambda: rows)
    jobs = [FoldJob(0, number, *part, seed=number) for number, part in enumerate(parts(n, cells))]
    return [head.fit_predict(job, data, Path(tempfile.gettempdir()), QUIET).probabilities for job in jobs]


def plain(n: int, d: int, k: int, cells: int) -> list[np.ndarray]:
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    rows, labels = problem(n, d, k)
    grid, out = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0], []
    with threadpool_limits(1):
        for train, test in parts(n, cells):
            choice = LogisticRegressionCV(
                Cs=grid,
                cv=5,
                scoring="neg_log_loss",
                max_iter=2000,
                l1_ratios=(0,),
                use_legacy_attributes=False,
            )
            model = make_pipeline(StandardScaler(), choice).fit(rows[train], labels[train])
            out.append(model.predict_proba(rows[test]))
    return out


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--old", type=Path, help="a working tree of an earlier commit")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument(
        "--only", nargs="+", default=list(SHAPES), help="first letters of the shapes to measure"
    )
    words.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.measure:
        way, shape = given.measure
        began, cpu = time.perf_counter(), time.process_time()
        found = {"ours": ours, "plain": plain}[way](*SHAPES[shape])
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        print(json.dumps({"seconds": seconds, "cpu": cpu, "first": found[0].round(9).tolist()}))
        return
    from side_by_side import HERE, RESULTS, compare_trees, run_command, store

    table = json.loads(RESULTS.read_text()).get("probe", {})
    for shape in (shape for shape in SHAPES if shape.startswith(tuple(given.only))):
        before, now, ratios = compare_trees(
            given.old, Path(__file__), ["--measure", "ours", shape], given.rounds
        )
        apart = float(np.abs(np.array(before["first"]) - now["first"]).max())
        other = [
            json.loads(run_command(HERE, [__file__, "--measure", "plain", shape]).out.splitlines()[-1])
            for _ in range(given.rounds)
        ]
        cpu = now["cpu"] / sorted(one["cpu"] for one in other)[len(other) // 2]
        row = {
            "wall": ratios["seconds"],
            "cpu": ratios["cpu"],
            "cpu_over_sklearn": cpu,
            "largest_change": apart,
        }
        table[shape] = {key: float(f"{value:.2g}") for key, value in row.items()}
        print(shape, table[shape], flush=True)
        store("probe", {shape: table[shape] for shape in SHAPES if shape in table})


if __name__ == "__main__":
    main()
