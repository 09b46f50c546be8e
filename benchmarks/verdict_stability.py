"""How often a verdict changes with the seed of the folds, by the number of repeats, and how well that is foretold.

Each study draws one sample and cross-validates the two learners of `learner_settings` ("flips") with MOST repeats of
five folds. The repeats are cut into blocks of R, as so many runs with other seeds; a verdict changes where two blocks
say different words. "auto" are two runs by the product's rule for an open number of repeats
(`headtohead.studies.repeats`): 3, then more while the foretold share is above 5 %, each from one half of the repeats.
The true difference is moved so that an oracle, which knows the spread, has a power of 0.8 ("different") or is 0
("equal"). "value" is what changes if only the estimate may differ between blocks (half-width as of all repeats),
"width" if only the half-width may; "foretold" the mean of what the product says of one block alone
(`headtohead.stats.hypothesis.seed_stability`); "whole" the rule with the clause that AUROC pooled over folds agrees.

    python benchmarks/verdict_stability.py --studies 200 --out stability.json     # each setting is saved when it ends
    python benchmarks/verdict_stability.py --table stability.json
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import learner_parts as pulls
import learner_rule as rule
import numpy as np
import numpy.typing as npt
from learner_samples import predictions, sample
from learner_settings import Setting, settings_of
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEVEL, POWER = 0.95, 0.8
REPEATS, MOST = (3, 5, 10, 20, 40), 80
SURE = 0.05
FIRST, STEPS, NAMED = REPEATS[0], REPEATS[1:], 100  # as in headtohead.studies.repeats; a test compares them


def blocks(scores: Floats, label: Ints, group: Ints, fold: Ints) -> dict[str, list[list[float]]]:
    """Return by R, for each block: difference, half-width, spread between repeats, and the first two pooled.

    "auto|R" are the first R repeats of each half.
    """
    both = []
    for cells in (fold, np.zeros_like(fold)):
        first, second = (pulls.auroc_parts(p, label, group, cells) for p in scores)
        both.append(first - second)

    def judged(start: int, r: int) -> list[float]:
        take, line = slice(start, start + r), list[float]()
        for whole in both:
            parts = pulls.Parts(whole.values[take], whole.pulls[take], whole.normal[take])
            one = rule.estimate(parts, label, group, fold[take])
            line += [one.value, one.t(LEVEL) * one.error, float(parts.values.std(ddof=1))]
        return line[:5]

    found = {str(r): [judged(start, r) for start in range(0, MOST - r + 1, r)] for r in (*REPEATS, MOST)}
    return found | {f"auto|{r}": [judged(start, r) for start in (0, MOST // 2)] for r in REPEATS}


def study(s: Setting, index: int) -> dict[str, list[list[float]]]:
    """Return the blocks of one simulated study."""
    rng = np.random.default_rng([s.seed, s.groups, s.features, index])
    data = sample(rng, s)
    _, label, group, _ = data
    scores, fold = predictions(rng, replace(s, repeats=MOST), data)
    return blocks(scores, label, group, fold)


def word(value: Floats, half: Floats) -> Ints:
    """Return 1 and -1 for "better", 0 otherwise."""
    return np.asarray((value - half > 0).astype(np.int64) - (value + half < 0))


def changed(words: Ints) -> float:
    """Return the share of pairs of blocks (studies, blocks) that say different words."""
    pairs = combinations(range(words.shape[1]), 2)
    return float(np.mean([words[:, a] != words[:, b] for a, b in pairs]))


def foretold(value: Floats, half: Floats, spread: Floats, repeats: Floats) -> Floats:
    """Return the chance of another word with other seeds, from one block alone (as the product does)."""
    edge = np.abs(np.abs(value) - half) / np.maximum(spread * np.sqrt(2 / repeats), 1e-12)
    return np.asarray(stats.t.sf(edge, repeats - 1))


def grown(value: float, half: float, spread: float, now: int) -> int:
    """Return the number of repeats that a run with an open number goes on to; `now` where it stops."""
    counts = np.arange(now, NAMED + 1, dtype=np.float64)
    changes = foretold(np.full_like(counts, value), np.full_like(counts, half), np.array(spread), counts)
    more = [r for r in STEPS if r > now]
    if changes[0] <= SURE or not more:
        return now
    enough = counts[changes <= SURE]
    return next((r for r in more if len(enough) and r >= enough[0]), more[-1])


def opened(rows: list[dict[str, list[list[float]]]], x: float) -> tuple[Floats, Floats]:
    """Return the last look (studies, 2, 5) and repeats (studies, 2) of two runs with an open number of repeats.

    Args:
        x: the true difference.
    """
    looks, counts = np.empty((len(rows), 2, 5)), np.empty((len(rows), 2))
    for i, row in enumerate(rows):
        for run in range(2):
            now, then = FIRST, 0
            while now != then:
                looks[i, run] = row[f"auto|{now}"][run]
                value, half, spread = looks[i, run, :3]
                now, then = grown(value + x, half, spread, now), now
            counts[i, run] = now
    return looks, counts


def shares(block: Floats, every: Floats, x: float, repeats: Floats) -> dict[str, float]:
    """Return what the blocks (studies, blocks, 5) say of a true difference x, and what changes between them.

    Args:
        every: (studies, 1, 5) of all repeats together. repeats: of each block.
    """
    value, half, between = block[:, :, 0] + x, block[:, :, 1], block[:, :, 2]
    all_value, all_half = (np.broadcast_to(every[:, :, k], value.shape) for k in (0, 1))
    within, pooled = word(value, half), word(block[:, :, 3] + x, block[:, :, 4])
    whole = np.where(within == pooled, within, 0)
    said = foretold(value, half, between, repeats)
    differ = (within[:, :, None] != within[:, None, :]).sum(axis=2) / (value.shape[1] - 1)
    sure = said <= SURE
    return {
        "better": float(np.mean(within != 0)),
        "changed": changed(within),
        "whole": float(np.mean(whole != 0)),
        "whole changed": changed(whole),
        "value": changed(word(value, all_half)),
        "width": changed(word(all_value + x, half)),
        "foretold": float(said.mean()),
        "sure": float(sure.mean()),
        "changed of sure": float(differ[sure].mean()) if sure.any() else math.nan,
        "repeats": float(repeats.mean()),
    }


def summary(s: Setting, rows: list[dict[str, list[list[float]]]], seconds: float) -> dict[str, Any]:
    """Return the shares of verdicts that change, the mean over both signs of the true difference."""
    every = np.array([row[str(MOST)] for row in rows])
    three = np.array([row["3"] for row in rows])
    spread = math.sqrt(
        float((three[:, :, 0] ** 2).mean())
    )  # of the difference with three repeats; its mean is 0
    shift = spread * (stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))
    out: dict[str, Any] = {"setting": asdict(s), "studies": len(rows), "seconds": round(seconds), "rows": {}}
    for r in (*REPEATS, None):
        line = {}
        for name, x in (("equal", 0.0), ("different", shift)):
            signs = []
            for at in (x, -x):
                if r is None:
                    block, repeats = opened(rows, at)
                else:
                    block = np.array([row[str(r)] for row in rows])
                    repeats = np.full(block.shape[:2], float(r))
                signs.append(shares(block, every, at, repeats))
            line |= {f"{name}|{key}": (signs[0][key] + signs[1][key]) / 2 for key in signs[0]}
        out["rows"]["auto" if r is None else str(r)] = line
    return out


def table(found: list[dict[str, Any]]) -> str:
    """Return the markdown table: means over settings, and the range over settings of what changes."""
    head = (
        "repeats", "equal: better, %", "equal: changed, %", "equal: repeats", "repeats",
        "different: changed, %", "range, %", "value alone, %", "width alone, %",
        "foretold, %", "foretold at most 5 % in, %", "of these changed, %", "power / oracle",
        "with pooled: changed, %", "power / oracle",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "--:|" * len(head)]
    for r in (*map(str, REPEATS), "auto"):

        def mean(key: str, r: str = r) -> float:
            return float(np.nanmean([one["rows"][r].get(key, math.nan) for one in found]))

        each = [100 * one["rows"][r]["different|changed"] for one in found]
        shares = ("changed", "value", "width", "foretold", "sure", "changed of sure", "whole changed")
        at = {key: f"{100 * mean(f'different|{key}'):.1f}" for key in shares}
        cells = [
            r, f"{100 * mean('equal|better'):.1f}", f"{100 * mean('equal|changed'):.1f}",
            f"{mean('equal|repeats'):.1f}", f"{mean('different|repeats'):.1f}", at["changed"],
            f"{min(each):.1f} to {max(each):.1f}",
            at["value"], at["width"], at["foretold"], at["sure"], at["changed of sure"],
            f"{mean('different|better') / POWER:.2f}", at["whole changed"],
            f"{mean('different|whole') / POWER:.2f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--studies", type=int, default=250)
    words.add_argument(
        "--budget", type=float, default=math.inf, help="seconds per setting after which it stops"
    )
    words.add_argument("--only", default=":", help="slice of the settings, such as 0:2")
    words.add_argument("--out", type=Path, help="JSON file, written after each setting")
    words.add_argument("--table", type=Path, nargs="+", help="print the table of these JSON files and stop")
    given = words.parse_args()
    if given.table:
        print(table([row for path in given.table for row in json.loads(path.read_text())]))
        return
    found = []
    only = slice(*(int(x) if x else None for x in given.only.split(":")))
    for s in settings_of("flips")[only]:
        began, rows = time.perf_counter(), list[dict[str, list[list[float]]]]()
        while len(rows) < given.studies and (not rows or time.perf_counter() - began < given.budget):
            rows.append(study(s, len(rows)))
        found.append(summary(s, rows, time.perf_counter() - began))
        print(f"{s.learner} n {s.groups}: {len(rows)} studies, {found[-1]['seconds']} s", flush=True)
        if given.out:
            given.out.write_text(json.dumps(found, indent=1))
    print(table(found))


if __name__ == "__main__":
    main()
