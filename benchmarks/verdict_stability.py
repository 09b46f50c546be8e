"""Which verdicts change with the seed, the number of folds or the number of repeats, and where the change comes from.

Each study draws one sample and cross-validates the two learners of `learner_settings._FLIPS` three times: with two
seeds of the folds at K = 5 and with K = 10, each with many repeats. Verdicts of the first R repeats are compared
where the contenders are equal and where they differ by so much that an oracle has a power of 0.8; there the true
difference is added to what was observed. "value" is the share of verdicts that change if only the estimate may
change (half-width as of all repeats), "width" if only the half-width may; "pairs" is the share of the variance between
repeats that fixed scores show when only the folds are drawn again, since AUROC within folds uses the pairs of a fold.
"foretold" is the mean of what `stability` says of the first seed alone.

    python benchmarks/verdict_stability.py --studies 250 --out stability.json     # each setting is saved when it ends
    python benchmarks/verdict_stability.py --table stability.json
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import learner_parts as pulls
import learner_rule as rule
import numpy as np
import numpy.typing as npt
from learner_samples import predictions, sample, split
from learner_settings import Setting, settings_of
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEVEL, POWER = 0.95, 0.8
REPEATS = (1, 3, 5, 10, 20)


def gap(scores: Floats, label: Ints, group: Ints, fold: Ints) -> list[float]:
    """Return difference, half-width, standard deviation between repeats (NaN for one), and the first two if pooled."""
    found = []
    for cells in (fold, np.zeros_like(fold)):
        first, second = (pulls.auroc_parts(p, label, group, cells) for p in scores)
        parts = first - second
        one = rule.estimate(parts, label, group, fold)
        spread = float(parts.values.std(ddof=1)) if len(parts.values) > 1 else math.nan
        found += [one.value, one.t(LEVEL) * one.error, spread]
    return found[:5]


def study(s: Setting, index: int) -> dict[str, list[float]]:
    """Return what each run says with its first R repeats, and the two variances between repeats."""
    rng = np.random.default_rng([s.seed, s.groups, s.features, index])
    data = sample(rng, s)
    _, label, group, kinds = data
    found: dict[str, list[float]] = {}
    for name, folds in (("one", 5), ("two", 5), ("ten", 10)):
        scores, fold = predictions(rng, replace(s, folds=folds, repeats=REPEATS[-1]), data)
        for r in REPEATS:
            found[f"{name}|{r}"] = gap(scores[:, :r], label, group, fold[:r])
    again = split(rng, kinds, group, 10, REPEATS[-1])
    fixed = np.repeat(scores[:, :1], REPEATS[-1], axis=1)
    found["fixed"] = [gap(fixed, label, group, again)[2]]
    return found


def word(value: Floats, half: Floats) -> npt.NDArray[np.int64]:
    """Return 1 and -1 for "better", 0 otherwise."""
    return (value - half > 0).astype(np.int64) - (value + half < 0)


def whole(run: Floats, shift: float) -> npt.NDArray[np.int64]:
    """Return the word where AUROC pooled over folds must name the same winner; run (n, 5) as of `gap`."""
    within, pooled = word(run[:, 0] + shift, run[:, 1]), word(run[:, 3] + shift, run[:, 4])
    return np.where(within == pooled, within, 0)


def foretold(value: Floats, half: Floats, spread: Floats, repeats: int) -> Floats:
    """Return how often other seeds of as many repeats should give another word, from one run alone.

    The mean of R other repeats differs from that of these by a t variable of R - 1 degrees of freedom times
    spread * sqrt(2 / R); the half-width is taken to stay.
    """
    edge = np.abs(np.abs(value) - half) / np.maximum(spread * math.sqrt(2 / repeats), 1e-12)
    return np.asarray(stats.t.sf(edge, repeats - 1))


def summary(s: Setting, rows: list[dict[str, list[float]]], seconds: float) -> dict[str, Any]:
    """Return the shares of verdicts that change."""
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    most = REPEATS[-1]
    spread = math.sqrt(float((column["one|3"][:, 0] ** 2).mean()))
    shift = spread * (stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))
    out: dict[str, Any] = {"setting": asdict(s), "studies": len(rows), "seconds": round(seconds), "rows": {}}
    out["pairs"] = float((column["fixed"][:, 0] ** 2).mean() / (column[f"ten|{most}"][:, 2] ** 2).mean())
    common = (column[f"one|{most}"][:, :2] + column[f"two|{most}"][:, :2]) / 2
    for r in REPEATS:
        one, two, ten, three = (column[key] for key in (f"one|{r}", f"two|{r}", f"ten|{r}", "one|3"))
        line: dict[str, float] = {
            "seed": float((one[:, 2] ** 2).mean() / r / spread**2) if r > 1 else math.nan
        }
        for name, x in (("equal", 0.0), ("different", shift)):
            words = word(one[:, 0] + x, one[:, 1])
            line |= {
                f"{name}|better": float(np.mean(words != 0)),
                f"{name}|seed": float(np.mean(words != word(two[:, 0] + x, two[:, 1]))),
                f"{name}|folds": float(np.mean(words != word(ten[:, 0] + x, ten[:, 1]))),
                f"{name}|repeats": float(np.mean(words != word(three[:, 0] + x, three[:, 1]))),
                f"{name}|value": float(
                    np.mean(word(one[:, 0] + x, common[:, 1]) != word(two[:, 0] + x, common[:, 1]))
                ),
                f"{name}|width": float(
                    np.mean(word(common[:, 0] + x, one[:, 1]) != word(common[:, 0] + x, two[:, 1]))
                ),
                f"{name}|foretold": float(np.mean(foretold(one[:, 0] + x, one[:, 1], one[:, 2], r)))
                if r > 1
                else math.nan,
                f"{name}|whole": float(np.mean(whole(one, x) != 0)),
                f"{name}|whole seed": float(np.mean(whole(one, x) != whole(two, x))),
                f"{name}|swapped": float(np.mean(words * word(two[:, 0] + x, two[:, 1]) < 0)),
            }
        out["rows"][str(r)] = line
    return out


def table(found: list[dict[str, Any]]) -> str:
    """Return the markdown table: means over settings, weighted by studies, and the range of the flips by seed."""
    head = (
        "repeats", "equal: seed, %", "seed, %", "range", "folds, %", "value alone, %", "width alone, %",
        "foretold, %", "seed's share of the variance, %", "power / oracle",
        "and pooled: seed, %", "and pooled: power / oracle",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "--:|" * len(head)]
    weight = np.array([one["studies"] for one in found], dtype=float)
    for r in REPEATS:

        def mean(key: str, r: int = r) -> float:
            return float(np.average([one["rows"][str(r)][key] for one in found], weights=weight))

        seeds = [100 * one["rows"][str(r)]["different|seed"] for one in found]
        cells = [
            str(r), *(f"{100 * mean(k):.1f}" for k in ("equal|seed", "different|seed")),
            f"{min(seeds):.1f} to {max(seeds):.1f}",
            *(f"{100 * mean(f'different|{k}'):.1f}" for k in ("folds", "value", "width", "foretold")),
            f"{100 * mean('seed'):.1f}", f"{mean('different|better') / POWER:.2f}",
            f"{100 * mean('different|whole seed'):.1f}", f"{mean('different|whole') / POWER:.2f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--studies", type=int, default=250)
    words.add_argument(
        "--budget", type=float, default=math.inf, help="seconds per setting after which it stops"
    )
    words.add_argument("--out", type=Path, help="JSON file, written after each setting")
    words.add_argument("--table", type=Path, help="print the table of this JSON file and stop")
    given = words.parse_args()
    if given.table:
        print(table(json.loads(given.table.read_text())))
        return
    found = []
    for s in settings_of("flips"):
        began, rows = time.perf_counter(), list[dict[str, list[float]]]()
        while len(rows) < given.studies and (not rows or time.perf_counter() - began < given.budget):
            rows.append(study(s, len(rows)))
        found.append(summary(s, rows, time.perf_counter() - began))
        print(f"{s.learner} n {s.groups}: {len(rows)} studies, {found[-1]['seconds']} s", flush=True)
        if given.out:
            given.out.write_text(json.dumps(found, indent=1))
    print(table(found))


if __name__ == "__main__":
    main()
