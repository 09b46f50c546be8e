"""Why intervals of a cross-validated log loss are short: single scores of learners, taken apart.

For settings of `learner_settings.py` (set `check`, as in `coverage_learners.py`) it prints, for log loss and Brier
score: the true variance over the jackknife's ("true factor") beside the factor of the rule, how often the 95 % interval
holds the expected value with either factor (plain scale; log scale, as the product), on which side it misses, and the
correlation of the value with its own variance.

    python benchmarks/log_loss_cover.py --settings 25 26 28 29 --studies 200
"""

from __future__ import annotations

import argparse

import learner_rule as rule
import numpy as np
import numpy.typing as npt
from coverage_learners import parts_of
from learner_samples import predictions, sample
from learner_settings import Setting, settings_of
from scipy import stats

Floats = npt.NDArray[np.float64]
LEVEL = 0.95


def scores_of(s: Setting, name: str, studies: int) -> Floats:
    """Return (2 * studies, 4): value, jackknife variance, factor of the rule and t quantile of each contender."""
    rows = []
    for index in range(studies):
        rng = np.random.default_rng([s.seed, s.groups, s.features, index])
        data = sample(rng, s)
        _, label, group, _ = data
        scores, fold = predictions(rng, s, data)
        for p in scores:
            found = rule.estimate(parts_of(name, p, label, group, fold), label, group, fold, against=False)
            rows.append((found.value, found.group_variance, found.factor, found.t(LEVEL)))
    return np.array(rows)


def line(s: Setting, name: str, rows: Floats) -> str:
    """Return one row of the table."""
    value, variance, factor, t = rows.T
    mean = float(value.mean())
    true = float(((value - mean) ** 2).mean() / variance.mean())

    def covers(factors: Floats | float, *, log: bool) -> npt.NDArray[np.bool_]:
        half = t * np.sqrt(factors * variance)
        off = np.log(value / mean) * value if log else value - mean
        return np.asarray(np.abs(off) <= half)

    log = name == "log_loss"
    plain, scaled, known = covers(factor, log=False), covers(factor, log=log), covers(true, log=log)
    cells = [
        f"{s.learner} {s.strength:g}, {s.groups} x {s.size}, {s.features} features", name, f"{mean:.3f}", f"{true:.2f}",
        f"{factor.mean():.2f}", f"{100 * plain.mean():.1f}", f"{100 * scaled.mean():.1f}", f"{100 * known.mean():.1f}",
        f"{100 * (~scaled & (value < mean)).mean():.1f}", f"{100 * (~scaled & (value > mean)).mean():.1f}",
        f"{float(stats.pearsonr(value, variance).statistic):.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--settings", type=int, nargs="+", default=[25, 26, 28, 29])
    words.add_argument("--studies", type=int, default=200)
    given = words.parse_args()
    head = (
        "setting", "metric", "value", "true factor", "factor of the rule", "covered, plain scale, %", "covered, %",
        "covered with the true factor, %", "too low, %", "too high, %", "correlation",
    )  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for index in given.settings:
        s = settings_of("check")[index]
        for name in ("log_loss", "brier"):
            print(line(s, name, scores_of(s, name, given.studies)), flush=True)


if __name__ == "__main__":
    main()
