"""Coverage study: do 95 % intervals cover, and how often does the verdict say too much?

Clustered predictions are simulated with a known truth (binormal scores, half of their variance shared
within a group, labels by group, two contenders correlated on the same samples), and the product's own
functions are asked for intervals and verdicts.

    python benchmarks/coverage.py --out coverage.csv --cells 0:12 --simulations 1000

runs a part of the grid on two processes; `--table coverage*.csv` prints the table of docs/statistics.md.
coverage_rule.py asks for AUROC and the verdict's words alone, in many more studies.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from coverage_cells import ROPE, Cell, grid, separation, truths
from threadpoolctl import threadpool_limits

from headtohead.evaluate.decision_rule import DecisionRule, Evidence, decide
from headtohead.stats.hypothesis.paired_difference import paired_differences, rarer_class_groups
from headtohead.stats.intervals.delong import auroc_components, auroc_test, covariance, logit_interval
from headtohead.stats.intervals.resampling import (
    Resamples,
    bca,
    expanded_percentile,
    make_resamples,
    percentile,
)
from headtohead.stats.intervals.score import make_score
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

Floats = npt.NDArray[np.float64]
NAMES = (
    "auroc",
    "accuracy",
    "sensitivity",
    "balanced_accuracy",
    "f1",
    "average_precision",
    "brier",
    "log_loss",
)


def draw(cell: Cell, second: float, rng: np.random.Generator) -> PredictionTable | None:
    """Return one simulated table of two contenders, or None where a class is missing."""
    label_of_group = (rng.random(cell.groups) < cell.prevalence).astype(np.int64)
    if label_of_group.min() == label_of_group.max():
        return None
    group = np.repeat(np.arange(cell.groups), cell.size)
    label = label_of_group[group]
    n = len(group)
    shared = _noise(rng, cell, group)
    lines = {}
    for name, auroc in (("a", cell.auroc), ("b", second)):
        score = (
            separation(auroc) * label + math.sqrt(0.6) * shared + math.sqrt(0.4) * _noise(rng, cell, group)
        )
        odds = separation(auroc) * (score - separation(auroc) / 2) + math.log(
            cell.prevalence / (1 - cell.prevalence)
        )
        positive = 1 / (1 + np.exp(-odds))
        prob = np.stack([1 - positive, positive], axis=1)
        lines[name, 0] = ContenderPredictions(np.arange(n), group, label, np.zeros(n, dtype=np.int64), prob)
    names = np.array([f"s{i:06d}" for i in range(n)])
    groups = np.array([f"g{i:06d}" for i in range(cell.groups)])
    return PredictionTable(("no", "yes"), names, groups, group, label, ("a", "b"), (0,), lines, False)


def _noise(rng: np.random.Generator, cell: Cell, group: npt.NDArray[np.int64]) -> Floats:
    shared, own = rng.normal(size=cell.groups)[group], rng.normal(size=len(group))
    return np.asarray(math.sqrt(0.5) * shared + math.sqrt(0.5) * own)


def one(
    cell: Cell, truth: dict[str, float], seed: int, index: int, replicates: int
) -> dict[str, float] | None:
    """Return what one simulated study says: 1 where the truth is covered, a word is said, and so on.

    The product's intervals of these metrics rest on the jackknife, so few replicates do; with 400 or more
    the bootstrap's own intervals are studied beside them.
    """
    rng = np.random.default_rng([seed, index])
    table = draw(cell, cell.auroc, rng)
    if table is None:
        return None
    resamples = make_resamples(table.n_groups, replicates, index)
    values = {
        c: metric_values(table.of(c), resamples.weights, NAMES, table.classes) for c in table.contenders
    }
    found: dict[str, float] = {}
    for name in NAMES:
        score = make_score(table, "a", get_metric(name, table.classes), values["a"][name], resamples, 0.95)
        _covers(
            found,
            name,
            None if score.low is None or score.high is None else (score.low, score.high),
            truth[name],
        )
        found[f"{name}|warned"] = float(any(w.code.startswith("few") for w in score.warnings))
        if replicates >= 400:
            _bootstrapped(found, name, values["a"][name], resamples, table.n_groups, truth[name])
    found |= _closed(table, truth["auroc"])
    found |= _verdict(table, values, resamples, "null")
    other = draw(cell, cell.auroc - ROPE, rng)
    if other is not None:
        values = {
            c: metric_values(other.of(c), resamples.weights, NAMES[:1], other.classes)
            for c in other.contenders
        }
        found |= _verdict(other, values, resamples, "edge")
    return found


def _bootstrapped(
    found: dict[str, float], name: str, values: Floats, resamples: Resamples, n: int, truth: float
) -> None:
    boot = resamples.bootstrap(values)
    boot = boot[~np.isnan(boot)]
    _covers(found, f"{name}_percentile", percentile(boot, 0.95), truth)
    _covers(found, f"{name}_expanded", expanded_percentile(boot, 0.95, n), truth)
    _covers(found, f"{name}_bca", bca(float(values[0]), boot, resamples.jackknife(values), 0.95), truth)


def _covers(found: dict[str, float], name: str, ends: tuple[float, float] | None, truth: float) -> None:
    if ends is not None:
        found[f"{name}|cover"] = float(ends[0] <= truth <= ends[1])
        found[f"{name}|below"] = float(truth < ends[0])
        found[f"{name}|width"] = ends[1] - ends[0]


def _closed(table: PredictionTable, truth: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, n, by_group in (("delong", table.n_samples, False), ("obuchowski", table.n_groups, True)):
        components = auroc_components(table.of("a"), n, by_group=by_group)
        variance = covariance(components, components)
        if variance > 0 and 0 < components.value < 1:
            _covers(found, f"auroc_{name}", logit_interval(components.value, variance, 0.95), truth)
            _covers(found, f"auroc_{name}_t", logit_interval(components.value, variance, 0.95, n - 1), truth)
    return found


def _verdict(
    table: PredictionTable, values: dict[str, dict[str, Floats]], resamples: Resamples, kind: str
) -> dict[str, float]:
    primary = {name: row["auroc"] for name, row in values.items()}
    difference = paired_differences(
        table, [("a", "b")], get_metric("auroc", table.classes), primary, resamples, 0.95, rope=ROPE
    )[0]
    events = rarer_class_groups(table)
    decision = decide(
        DecisionRule(rope=ROPE),
        Evidence(
            low=difference.low, high=difference.high, p_adjusted=difference.p_adjusted,
            p_equivalent=difference.p_equivalent_adjusted, n_groups=table.n_groups, n_events=events,
            degrees=difference.degrees,
        ),
    )  # fmt: skip
    found = {
        f"{kind}|{word}": float(decision.word == word) for word in ("better", "equivalent", "cannot_tell")
    }
    truth = 0.0 if kind == "null" else ROPE
    if difference.low is not None and difference.high is not None:
        found[f"difference_{kind}|cover"] = float(difference.low <= truth <= difference.high)
        boot = resamples.bootstrap(primary["a"] - primary["b"])
        if len(boot) >= 400:
            ends = expanded_percentile(boot[~np.isnan(boot)], 0.95, table.n_groups)
            found[f"difference_{kind}_bootstrap|cover"] = float(ends[0] <= truth <= ends[1])
            found[f"{kind}_bootstrap|better"] = float(ends[0] > 0 or ends[1] < 0)
    components = [auroc_components(table.of(c), table.n_groups, by_group=True) for c in ("a", "b")]
    test = auroc_test(*components)
    if test is not None:
        error = 1.959964 * test[2]
        found[f"difference_{kind}_obuchowski|cover"] = float(
            abs(components[0].value - components[1].value - truth) <= error
        )
    return found


def part(job: tuple[Cell, int, int, int, int]) -> tuple[dict[str, float], dict[str, int], int]:
    """Return sums, counts and the number of studies of a slice of simulations of one cell."""
    cell, seed, start, stop, replicates = job
    truth, sums, counts, done = truths(cell), dict[str, float](), dict[str, int](), 0
    with threadpool_limits(limits=1):
        for index in range(start, stop):
            found = one(cell, truth, seed, index, replicates)
            if found is None:
                continue
            done += 1
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + 1
    return sums, counts, done


def study(cells: Sequence[Cell], simulations: int, workers: int, replicates: int) -> Iterator[dict[str, Any]]:
    """Yield one row per cell: means of everything that `one` returns."""
    with ProcessPoolExecutor(workers) as pool:
        for cell in cells:
            seed = (
                hash((cell.groups, cell.size, round(1000 * cell.prevalence), round(1000 * cell.auroc)))
                % 2**31
            )
            edges = np.linspace(0, simulations, workers + 1).astype(int)
            jobs = [(cell, seed, int(a), int(b), replicates) for a, b in pairwise(edges)]
            began = time.perf_counter()
            parts = list(pool.map(part, jobs))
            names = sorted({name for sums, _, _ in parts for name in sums})
            row: dict[str, Any] = {
                "groups": cell.groups, "size": cell.size, "prevalence": cell.prevalence, "auroc": cell.auroc,
                "studies": sum(done for _, _, done in parts), "seconds": round(time.perf_counter() - began, 1),
            }  # fmt: skip
            for name in names:
                total = sum(sums.get(name, 0.0) for sums, _, _ in parts)
                row[name] = round(total / max(1, sum(counts.get(name, 0) for _, counts, _ in parts)), 4)
            yield row


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--out", type=Path)
    words.add_argument("--cells", default="0:1000", help="slice of the grid")
    words.add_argument("--simulations", type=int, default=1000)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--replicates", type=int, default=60, help="from 400 on the bootstrap is studied too")
    words.add_argument("--table", type=Path, nargs="*", help="print the table from these files")
    given = words.parse_args()
    if given.table:
        print_table(given.table)
        return
    start, stop = (int(x) for x in given.cells.split(":"))
    rows = []
    for row in study(grid()[start:stop], given.simulations, given.workers, given.replicates):
        rows.append(row)
        print(
            {k: row[k] for k in ("groups", "size", "prevalence", "auroc", "auroc|cover", "seconds")},
            flush=True,
        )
        if given.out:
            columns = list(dict.fromkeys(name for line in rows for name in line))
            with given.out.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, columns)
                writer.writeheader()
                writer.writerows(rows)


def print_table(paths: Sequence[Path]) -> None:
    """Print the Markdown table of docs/statistics.md from result files."""
    rows = [row for path in paths for row in csv.DictReader(path.open())]
    shown = (*(f"{name}|cover" for name in NAMES[1:]), "brier|warned", "log_loss|warned")
    titles = ("groups", "per group", "positive", "AUROC", "studies", "accuracy", "sensitivity",
              "balanced accuracy", "F1", "average precision", "Brier", "log loss", "Brier warned",
              "log loss warned")  # fmt: skip
    print("| " + " | ".join(titles) + " |\n|" + "---:|" * len(titles))
    for row in rows:
        head = [row[name] for name in ("groups", "size", "prevalence", "auroc", "studies")]
        print(
            "| "
            + " | ".join(head + [f"{100 * float(row[name]):.1f}" if row.get(name) else "" for name in shown])
            + " |"
        )


if __name__ == "__main__":
    main()
