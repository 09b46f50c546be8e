"""Coverage study of learners: does the verdict's rule hold when the contenders are trained?

Two learners that are equal by construction are trained and tested by repeated grouped K-fold
cross-validation, study after study, on new samples: the same algorithm on two feature sets of one
distribution, drawn independently given the class ("copies" 0) or as noisy copies of common features
("copies" r: the correlation of the two sets within a class). So any "better" is false, and the method's
expected score is the mean over all studies. The interval and decision of `learner_rule` are counted (a test
holds the product to it) with the clause on few degrees of freedom, and
beside them those of frozen predictions (the jackknife as it is) and of Nadeau
and Bengio.

    python benchmarks/coverage_learners.py --quick          # a few settings, 100 studies, about a minute
    python benchmarks/coverage_learners.py --set check --studies 1000 --workers 2 --out check.json
    python benchmarks/coverage_learners.py --set flips --out flips.json
    python benchmarks/coverage_learners.py --table check.json    # print the markdown table again

Sets: `design` (SLOPE was chosen on these), `check` (settings and seeds not used for any choice), `flips`
(other seeds, folds and repeats for the same sample), `folds` (numbers of folds and repeats), `ceiling`
(nearly perfect scores, few events), `gain` (one contender truly better), `apart` (one nearly perfect, the other
worse), `giants` (a few groups hold half of the images), `drift` (no training: equal scores
whose scale drifts from fold to fold), `real` (frozen features of images, given by --features FILE.npz with
arrays X (n, p) and y (n,)).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import learner_parts as pulls
import learner_rule as rule
import numpy as np
import numpy.typing as npt
from learner_samples import REAL, predictions, real_sample, sample, split
from learner_settings import SETS, Setting, settings_of
from learner_summary import LEVEL, gain_table, summary, table
from scipy import stats
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CLIP = 1e-15  # as the product clips log loss


def parts_of(name: str, p: Floats, label: Ints, group: Ints, fold: Ints) -> pulls.Parts:
    """Return one contender's metric, taken apart by groups."""
    if name == "auroc":
        return pulls.auroc_parts(p, label, group, fold)
    normal, right = pulls.normal_scores(p, label), ((p >= 0.5) == label).astype(np.float64)
    if name == "balanced_accuracy":
        return pulls.recall_parts(right, label, group, normal)
    of_truth = np.clip(np.where(label == 1, p, 1 - p), CLIP, 1)
    losses = {"accuracy": right, "brier": (p - label) ** 2, "log_loss": -np.log(of_truth)}
    return pulls.mean_parts(losses[name], group, normal)


def judged(name: str, scores: Floats, label: Ints, group: Ints, fold: Ints) -> dict[str, float]:
    """Return value, half-widths and single intervals of one metric by the rule, keyed by `name`."""
    design = rule.design_of(fold)
    parts = [parts_of(name, p, label, group, fold) for p in scores]
    against = name in ("auroc", "balanced_accuracy")
    ends = [rule.estimate(p, label, group, fold, against=against) for p in parts]
    gap = rule.estimate(parts[0] - parts[1], label, group, fold, against=against)
    low, high = rule.plain_interval(gap, LEVEL)
    wide = (
        (low, high)
        if name == "log_loss"
        else rule.wider_interval(parts[0], parts[1], gap, ends[0], ends[1], LEVEL)
    )
    found = {
        "gap": gap.value,
        "low": low,
        "high": high,
        "wide_low": wide[0],
        "wide_high": wide[1],
        "frozen": gap.t(LEVEL) * math.sqrt(gap.group_variance),
        "variance": gap.group_variance,
        "factor": gap.factor,
        "share": math.nan if gap.share is None else gap.share,
        "degrees": gap.degrees,
        "nadeau_bengio": corrected(scores, label, fold, design) if name == "auroc" else math.nan,
    }
    for place, one in enumerate(ends):
        down, up = (rule.log_interval if name == "log_loss" else rule.score_interval)(one, LEVEL)
        found |= {
            f"value{place}": one.value,
            f"low{place}": down,
            f"high{place}": up,
            f"factor{place}": one.factor,
            f"variance{place}": one.group_variance,
            f"t{place}": one.t(LEVEL),
        }
    return {f"{name}|{key}": value for key, value in found.items()}


def corrected(scores: Floats, label: Ints, fold: Ints, design: rule.Design) -> float:
    """Return the half-width of Nadeau and Bengio's corrected t over the folds' AUROC differences."""
    values = []
    for r in range(fold.shape[0]):
        for k in np.unique(fold[r]):
            cell = fold[r] == k
            if len(np.unique(label[cell])) == 2:
                unit = np.zeros(int(cell.sum()), dtype=np.int64)
                won = [
                    pulls.pair_sums(p[r, cell], label[cell], unit)[0][label[cell] == 1].sum() for p in scores
                ]
                values.append((won[0] - won[1]) / ((label[cell] == 1).sum() * (label[cell] == 0).sum()))
    spread = float(np.var(values, ddof=1)) * (1 / len(values) + design.over_train / design.folds)
    return float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * math.sqrt(spread)


def study(s: Setting, index: int, kind: str) -> dict[str, float]:
    """Return everything one simulated study says."""
    rng = np.random.default_rng([s.seed, s.groups, s.features, index])
    if kind == "drift":
        return drifting(rng, s)
    data = (real_sample if kind == "real" else sample)(rng, s)
    _, label, group, _ = data
    scores, fold = predictions(rng, s, data)
    found = {f"main|{k}": v for k, v in judged("auroc", scores, label, group, fold).items()}
    found |= {f"once|{k}": v for k, v in judged("auroc", scores[:, :1], label, group, fold[:1]).items()}
    if s.metrics:
        for name in ("accuracy", "balanced_accuracy", "brier", "log_loss"):
            found |= {f"main|{k}": v for k, v in judged(name, scores, label, group, fold).items()}
    if kind == "flips":
        others = {"seed": s, "ten": replace(s, folds=10), "many": replace(s, repeats=10)}
        for name, other in others.items():
            again, fold = predictions(rng, other, data)
            found |= {f"{name}|{k}": v for k, v in judged("auroc", again, label, group, fold).items()}
    return found


def drifting(rng: np.random.Generator, s: Setting) -> dict[str, float]:
    """Return a study of fixed, equally good scores; those of the second shift from fold to fold."""
    label = (np.arange(s.groups) < round(s.prevalence * s.groups)).astype(np.int64)
    group, shared = np.arange(s.groups), rng.normal(size=s.groups)
    fold = split(rng, label, group, s.folds, s.repeats)
    scores = np.empty((2, s.repeats, s.groups))
    base = [
        s.distance * (label - 0.5) + math.sqrt(0.5) * (shared + rng.normal(size=s.groups)) for _ in range(2)
    ]
    for place in range(2):
        for r in range(s.repeats):
            scores[place, r] = base[place] + place * rng.normal(0, s.drift, s.folds)[fold[r]]
    found = {f"main|{k}": v for k, v in judged("auroc", scores, label, group, fold).items()}
    found |= {f"once|{k}": v for k, v in judged("auroc", scores[:, :1], label, group, fold[:1]).items()}
    parts = [pulls.auroc_parts(p, label, group, np.zeros_like(fold)) for p in scores]  # all folds as one
    gap = rule.estimate(parts[0] - parts[1], label, group, fold)
    found |= {"pooled|gap": gap.value, "pooled|frozen": gap.t(LEVEL) * math.sqrt(gap.group_variance)}
    return found


def part(job: tuple[Setting, int, int, str, str | None]) -> list[dict[str, float]]:
    """Return a slice of one setting's studies."""
    s, start, stop, kind, features = job
    if features and not REAL:
        loaded = np.load(features)
        rows = (loaded["X"] - loaded["X"].mean(axis=0)) / (loaded["X"].std(axis=0) + 1e-9)
        left, strengths, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        scores = left * strengths
        REAL["X"], REAL["y"] = scores / scores[:, :20].std(), loaded["y"]
    with threadpool_limits(limits=1):
        return [study(s, index, kind) for index in range(start, stop)]


def run(
    kind: str, studies: int, workers: int, features: str | None, out: Path | None, only: slice, budget: float
) -> list[dict[str, Any]]:
    """Return the summary of each setting; print one line each; stop a setting's studies at the time budget."""
    found = []
    chunk = 25
    with ProcessPoolExecutor(workers) as pool:
        for s in settings_of(kind)[only]:
            began, rows, start = time.perf_counter(), list[dict[str, float]](), 0
            while start < studies and (start == 0 or time.perf_counter() - began < budget):
                jobs = [
                    (s, a, min(a + chunk, studies), kind, features)
                    for a in range(start, min(start + chunk * workers, studies), chunk)
                ]
                for rows_ in pool.map(part, jobs):
                    rows += rows_
                start += chunk * workers
            one = summary(s, rows, time.perf_counter() - began)
            found.append(one)
            m = one["main|auroc"]
            print(
                f"{s.learner} n {s.groups}x{s.size} p {s.features}: {one['studies']} studies, "
                f"better {m['better'][0]:.3f}, "
                f"cover {m['cover'][0]:.3f}, power {m['power']:.2f}, "
                f"factor {m['factor']:.2f} true {m['true_factor']:.2f}, {one['seconds']:.0f} s",
                flush=True,
            )
            if out:
                out.write_text(json.dumps(found, indent=1))
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument(
        "--set",
        default="check",
        choices=tuple(SETS),
    )
    words.add_argument("--studies", type=int, default=1000)
    words.add_argument("--workers", type=int, default=1)
    words.add_argument("--quick", action="store_true", help="every sixth setting, 100 studies")
    words.add_argument("--only", default=":", help="slice of the settings, such as 0:10 or ::2")
    words.add_argument(
        "--budget", type=float, default=math.inf, help="seconds per setting after which it stops"
    )
    words.add_argument("--features", help="npz file with X and y, for --set real")
    words.add_argument("--out", type=Path, help="JSON file")
    words.add_argument("--table", type=Path, nargs="+", help="print the table of these JSON files and stop")
    given = words.parse_args()
    if given.table:
        print_tables([row for path in given.table for row in json.loads(path.read_text())])
        return
    only = slice(*(int(x) if x else None for x in given.only.split(":")))
    found = run(
        given.set,
        100 if given.quick else given.studies,
        given.workers,
        given.features,
        given.out,
        slice(None, None, 6) if given.quick else only,
        given.budget,
    )
    print_tables(found)


def print_tables(found: list[dict[str, Any]]) -> None:
    """Print the table, and that of true differences where all settings have one."""
    print(table(found))
    if all(one["setting"]["gain"] for one in found):
        print("\n" + gain_table(found))


if __name__ == "__main__":
    main()
