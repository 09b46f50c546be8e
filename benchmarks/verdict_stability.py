"""How often a verdict changes with the seed of the folds, by the number of repeats, and how well that is foretold.

Each study draws one sample and cross-validates the two learners of `learner_settings` ("flips") with MOST repeats of
five folds. Their two halves, in three orders, are two runs with other seeds; a verdict changes where the two say
different words. "auto" is the product's rule for an open number of repeats (`headtohead.studies.repeats`): three, then
more while the foretold share is above 5 %. The true difference is moved so that an oracle, which knows the spread, has
a power of 0.8 ("different") or is 0 ("equal", where every "better" is false). "value" is what changes if only the
estimate may differ between the two (half-width as of all), "width" if only the half-width may; "foretold" the mean of
what the product says of one run alone (`headtohead.stats.hypothesis.seed_stability`).

    python benchmarks/verdict_stability.py --studies 200 --out stability.json     # each setting is saved when it ends
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
from learner_samples import predictions, sample
from learner_settings import Setting, settings_of
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEVEL, POWER = 0.95, 0.8
REPEATS, ORDERS, MOST = (3, 5, 10, 20, 40), 3, 80
SURE = 0.05
FIRST, STEPS, NAMED = REPEATS[0], REPEATS[1:], 100  # as in headtohead.studies.repeats; a test compares them


def study(s: Setting, index: int) -> Floats:
    """Return (ORDERS, 2, REPEATS, 3) of one study: difference, half-width and spread between repeats of each run."""
    rng = np.random.default_rng([s.seed, s.groups, s.features, index, 7])
    data = sample(rng, s)
    _, label, group, _ = data
    scores, fold = predictions(rng, replace(s, repeats=MOST), data)
    first, second = (pulls.auroc_parts(p, label, group, fold) for p in scores)
    gap, found = first - second, np.empty((ORDERS, 2, len(REPEATS), 3))
    for order in range(ORDERS):
        drawn = np.arange(MOST) if order == 0 else rng.permutation(MOST)
        for run in range(2):
            for look, r in enumerate(REPEATS):
                take = drawn[run * MOST // 2 :][:r]
                parts = pulls.Parts(gap.values[take], gap.pulls[take], gap.normal[take])
                one = rule.estimate(parts, label, group, fold[take])
                spread = float(parts.values.std(ddof=1))
                found[order, run, look] = one.value, one.t(LEVEL) * one.error, spread
    return found


def word(value: Floats, half: Floats) -> Ints:
    """Return 1 and -1 for "better", 0 otherwise."""
    return np.asarray((value - half > 0).astype(np.int64) - (value + half < 0))


def foretold(value: Floats, half: Floats, spread: Floats, repeats: Floats) -> Floats:
    """Return the chance of another word with other seeds, from one run alone (as the product does)."""
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


def last_looks(looks: Floats, x: float) -> Ints:
    """Return the place in REPEATS (studies, ORDERS, 2) at which a run with an open number of repeats ends.

    Args:
        looks: (studies, ORDERS, 2, REPEATS, 3). x: the true difference.
    """
    places = np.empty(looks.shape[:3], dtype=np.int64)
    for at in np.ndindex(places.shape):
        now, then = FIRST, 0
        while now != then:
            value, half, spread = looks[at][REPEATS.index(now)]
            now, then = grown(value + x, half, spread, now), now
        places[at] = REPEATS.index(now)
    return places


def shares(looks: Floats, places: Ints, x: float) -> dict[str, float]:
    """Return what pairs of runs say of a true difference x, and what changes between the two.

    Args:
        looks: (studies, ORDERS, 2, REPEATS, 3). places: (studies, ORDERS, 2) of the look that decides.
    """
    chosen = np.take_along_axis(looks, places[..., None, None], axis=3)[..., 0, :]
    value, half, spread = chosen[..., 0] + x, chosen[..., 1], chosen[..., 2]
    all_value, all_half = (looks[..., -1, k].mean(axis=(1, 2), keepdims=True) for k in (0, 1))
    repeats = np.array(REPEATS, dtype=np.float64)[places]
    words, said = word(value, half), foretold(value, half, spread, repeats)
    differ, sure = np.broadcast_to(words[..., :1] != words[..., 1:], words.shape), said <= SURE

    def changed(found: Ints) -> float:
        return float(np.mean(found[..., 0] != found[..., 1]))

    return {
        "better": float(np.mean(words != 0)),
        "changed": changed(words),
        "value": changed(word(value, np.broadcast_to(all_half, half.shape))),
        "width": changed(word(np.broadcast_to(all_value + x, value.shape), half)),
        "foretold": float(said.mean()),
        "sure": float(sure.mean()),
        "changed of sure": float(differ[sure].mean()) if sure.any() else math.nan,
        "repeats": float(repeats.mean()),
    }


def summary(s: Setting, looks: Floats, seconds: float) -> dict[str, Any]:
    """Return the shares of verdicts that change, the mean over both signs of the true difference."""
    spread = math.sqrt(
        float((looks[:, :, :, 0, 0] ** 2).mean())
    )  # of the difference with three repeats; its mean is 0
    shift = spread * (stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))
    out: dict[str, Any] = {"setting": asdict(s), "studies": len(looks), "seconds": round(seconds), "rows": {}}
    for place, r in enumerate((*REPEATS, "auto")):
        line = {}
        for name, x in (("equal", 0.0), ("different", shift)):
            signs = []
            for at in (x, -x):
                places = last_looks(looks, at) if r == "auto" else np.full(looks.shape[:3], place)
                signs.append(shares(looks, places, at))
            line |= {f"{name}|{key}": (signs[0][key] + signs[1][key]) / 2 for key in signs[0]}
        out["rows"][str(r)] = line
    return out


def table(found: list[dict[str, Any]]) -> str:
    """Return the markdown table: means over settings, and the range over settings of what changes."""
    head = (
        "repeats", "equal: better, %", "equal: changed, %", "equal: repeats", "repeats", "different: changed, %",
        "range, %", "value alone, %", "width alone, %", "foretold, %", "foretold at most 5 % in, %",
        "of these changed, %", "power / oracle",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "--:|" * len(head)]
    for r in (*map(str, REPEATS), "auto"):

        def mean(key: str, r: str = r) -> float:
            return float(np.nanmean([one["rows"][r].get(key, math.nan) for one in found]))

        each = [100 * one["rows"][r]["different|changed"] for one in found]
        kept = ("value", "width", "foretold", "sure", "changed of sure")
        cells = [
            r, f"{100 * mean('equal|better'):.1f}", f"{100 * mean('equal|changed'):.1f}",
            f"{mean('equal|repeats'):.1f}", f"{mean('different|repeats'):.1f}",
            f"{100 * mean('different|changed'):.1f}", f"{min(each):.1f} to {max(each):.1f}",
            *(f"{100 * mean(f'different|{key}'):.1f}" for key in kept), f"{mean('different|better') / POWER:.2f}",
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
        began, rows = time.perf_counter(), list[Floats]()
        while len(rows) < given.studies and (not rows or time.perf_counter() - began < given.budget):
            rows.append(study(s, len(rows)))
        found.append(summary(s, np.array(rows), time.perf_counter() - began))
        print(f"{s.learner} n {s.groups}: {len(rows)} studies, {found[-1]['seconds']} s", flush=True)
        if given.out:
            given.out.write_text(json.dumps(found, indent=1))
    print(table(found))


if __name__ == "__main__":
    main()
