"""False "better" in Matthews' correlation, kappa, F1 and accuracy where one class is rare, by the product's functions.

Two contenders of one quality (binormal scores, half of their variance shared, calibrated probabilities, answers at
0.5) on one sample, each case its own group: any interval of the difference that excludes 0 is wrong, and so is
any "better" of the rule, which also asks for ten effective degrees of freedom. The Monte Carlo error of a rate of 5 %
is 0.7 points with 1,000 studies.

    python benchmarks/rare_class_agreement.py --studies 1000
    python benchmarks/rare_class_agreement.py --studies 1000 --distance 1.4
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from headtohead.stats.hypothesis.paired_difference import untested_differences
from headtohead.stats.intervals.degrees_of_freedom import FEW_DEGREES
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.replicates import metric_values
from headtohead.stats.predictions import ContenderPredictions, PredictionTable

SETTINGS = (
    (100, 10),
    (100, 20),
    (200, 10),
    (200, 20),
    (200, 40),
    (500, 15),
)  # cases, and those of the rarer class
METRICS = ("mcc", "kappa", "f1", "accuracy")
CLASSES = ("no", "yes")


def drawn(rng: np.random.Generator, label: npt.NDArray[np.int64], distance: float) -> PredictionTable:
    """Return the predictions of two equally good contenders."""
    n, share = len(label), float(label.mean())
    shared, each, lines = rng.normal(size=n), np.arange(n), {}
    for name in "ab":
        x = distance * label + math.sqrt(0.5) * (shared + rng.normal(size=n))
        p = expit(distance * x - distance**2 / 2 + math.log(share / (1 - share)))
        prob = np.stack([1 - p, p], axis=1)
        lines[name, 0] = ContenderPredictions(each, each, label, np.zeros(n, dtype=np.int64), prob)
    names = np.array([f"s{i:05d}" for i in each])
    return PredictionTable(CLASSES, names, names, each, label, ("a", "b"), (0,), lines, False)


def wrong(table: PredictionTable) -> list[tuple[float, float]]:
    """Return of each metric whether its interval excludes 0, and whether it is "better"; NaN where not defined."""
    resamples = make_resamples(table.n_groups, 50, 0)
    values = {name: metric_values(table.of(name), resamples.weights, METRICS, CLASSES) for name in "ab"}
    found = []
    for name in METRICS:
        of = {contender: values[contender][name] for contender in "ab"}
        metric = get_metric(name, CLASSES)
        one = untested_differences(table, [("a", "b")], metric, of, resamples, 0.95)[0]
        if one.low is None or one.high is None:
            found.append((math.nan, math.nan))
        else:
            outside = one.low > 0 or one.high < 0
            found.append((float(outside), float(outside and one.degrees >= FEW_DEGREES)))
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--studies", type=int, default=1000)
    words.add_argument(
        "--distance", type=float, default=2.5, help="of the class means; 2.5 is AUROC 0.96, 1.4 is 0.84"
    )
    given = words.parse_args()
    print(f"| cases | of the rarer class | which | {' | '.join(METRICS)} |\n|{'---|' * (3 + len(METRICS))}")
    for n, rare in SETTINGS:
        for rarer in (1, 0):
            label = np.where(np.arange(n) < rare, rarer, 1 - rarer).astype(np.int64)
            rng = np.random.default_rng([n, rare, 1 - rarer])
            rates = np.nanmean(
                [wrong(drawn(rng, label, given.distance)) for _ in range(given.studies)], axis=0
            )
            shown = " | ".join(f"{100 * outside:.1f} / {100 * better:.1f}" for outside, better in rates)
            print(f"| {n} | {rare} | {'positive' if rarer else 'negative'} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
