"""How often does the rule say too much? AUROC and its paired difference in many simulated studies at once.

The simulated data are those of coverage.py, the methods those of the product, written again on arrays of whole
studies (a study takes a tenth of a millisecond instead of 30), so that ten thousand studies per setting tell
a rate of 5 % from one of 5.5 %. `--check` compares the two implementations study by study.

    python benchmarks/coverage_rule.py --simulations 10000 > rule.txt
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from coverage_cells import ROPE, Cell, grid, separation
from scipy import special

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ends = tuple[Floats, Floats]
CELLS_AT_ONCE = 1_500_000


class Estimates:
    """AUROC of S studies with its jackknife over groups.

    Attributes:
        value: (S,). jack: (S, groups), NaN where a class vanishes with its only group.
        variance, degrees: (S,), as the product has them.
    """

    def __init__(self, positive: Bools, value: Floats, jack: Floats) -> None:
        self.value, self.jack = value, jack
        self.variance, self.degrees = _spread(positive, jack)


def draw(
    cell: Cell, second: float, studies: int, rng: np.random.Generator
) -> tuple[Bools, tuple[Floats, Floats]]:
    """Return which groups are positive, (S, groups), and two contenders' scores, (S, groups, size)."""
    positive = rng.random((studies, cell.groups)) < cell.prevalence
    positive = positive[positive.any(axis=1) & ~positive.all(axis=1)]
    shared = _noise(rng, cell, len(positive))
    a, b = (
        separation(auroc) * positive[:, :, None]
        + math.sqrt(0.6) * shared
        + math.sqrt(0.4) * _noise(rng, cell, len(positive))
        for auroc in (cell.auroc, second)
    )
    return positive, (a, b)


def _noise(rng: np.random.Generator, cell: Cell, studies: int) -> Floats:
    own = rng.normal(size=(studies, cell.groups, cell.size))
    return math.sqrt(0.5) * rng.normal(size=(studies, cell.groups, 1)) + math.sqrt(0.5) * own


def estimate(positive: Bools, score: Floats) -> Estimates:
    """Return AUROC and its leave-one-group-out values from the ranks (no ties in these data)."""
    studies, groups, size = score.shape
    flat, label = score.reshape(studies, -1), np.repeat(positive, size, axis=1)
    order = np.argsort(flat, axis=1)
    sorted_label = np.take_along_axis(label, order, 1)
    below, at_most = np.cumsum(~sorted_label, axis=1), np.cumsum(sorted_label, axis=1)
    won = np.empty(flat.shape)
    np.put_along_axis(won, order, np.where(sorted_label, below, at_most[:, -1:] - at_most).astype(float), 1)
    by_group = won.reshape(studies, groups, size).sum(axis=2)
    pairs = np.where(positive, by_group, 0).sum(axis=1)
    n_pos = size * positive.sum(axis=1)
    n_neg = size * groups - n_pos
    with np.errstate(divide="ignore", invalid="ignore"):
        jack = (pairs[:, None] - by_group) / (
            (n_pos[:, None] - size * positive) * (n_neg[:, None] - size * ~positive)
        )
    return Estimates(positive, pairs / (n_pos * n_neg), jack)


def _spread(positive: Bools, jack: Floats) -> tuple[Floats, Floats]:
    known = ~np.isnan(jack)
    count = known.sum(axis=1)
    squares = np.nan_to_num((jack - np.nanmean(jack, axis=1, keepdims=True)) ** 2)
    total = squares.sum(axis=1)
    heavy, even = (
        sum(_fourth(squares, side, even=flag) for side in (positive, ~positive)) for flag in (False, True)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(even > 0, np.maximum(1.0, 2 * total**2 / even), jack.shape[1] - 1)
        degrees = np.where(even > 0, np.maximum(2 * total**2 / heavy, np.minimum(3.0, most)), most)
    rarer = np.minimum(positive.sum(axis=1), (~positive).sum(axis=1))
    degrees = np.where(known.all(axis=1), degrees, np.minimum(degrees, rarer - 1))
    return (count - 1) / count * total, np.maximum(1.0, degrees)


def _fourth(squares: Floats, side: Bools, *, even: bool) -> Floats:
    n = np.maximum(1, side.sum(axis=1))
    part = np.where(side, squares, 0)
    mean_square = part.sum(axis=1) ** 2 / n
    seen = 0.0 if even else (part**2).sum(axis=1) - mean_square
    return np.asarray(np.maximum(seen, 2 * mean_square) * n / np.maximum(1, n - 1))


def single(positive: Bools, one: Estimates, level: float) -> Ends:
    """Return the interval of one AUROC: Wilson's form, and the bound on disjoint pairs where it is 1."""
    t = special.stdtrit(one.degrees, (1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = one.value * (1 - one.value) / one.variance
        centre = (one.value + t**2 / (2 * size)) / (1 + t**2 / size)
        half = t / (1 + t**2 / size) * np.sqrt(one.variance + t**2 / (4 * size**2))
    pairs = np.minimum(np.minimum(positive.sum(axis=1), (~positive).sum(axis=1)), positive.shape[1] // 2)
    perfect = one.value >= 1
    bound = special.betaincinv(pairs, 1.0, (1 - level) / 2)
    return np.where(perfect, bound, centre - half), np.where(perfect, 1.0, centre + half)


def difference(positive: Bools, a: Estimates, b: Estimates, level: float) -> Ends:
    """Return the interval of the difference: on each side the wider of MOVER and the jackknife's t."""
    first, second = single(positive, a, level), single(positive, b, level)
    down, up = a.value - first[0], first[1] - a.value
    other_down, other_up = b.value - second[0], second[1] - b.value
    r, gap = _correlation(a, b), a.value - b.value
    low = np.sqrt(np.maximum(0, down**2 - 2 * r * down * other_up + other_up**2))
    high = np.sqrt(np.maximum(0, up**2 - 2 * r * up * other_down + other_down**2))
    variance, degrees = _spread(positive, a.jack - b.jack)
    half = special.stdtrit(degrees, (1 + level) / 2) * np.sqrt(variance)
    return gap - np.maximum(low, half), gap + np.maximum(high, half)


def _correlation(a: Estimates, b: Estimates) -> Floats:
    x, y = (one.jack - np.nanmean(one.jack, axis=1, keepdims=True) for one in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.nansum(x * y, axis=1) / np.sqrt(np.nansum(x**2, axis=1) * np.nansum(y**2, axis=1))
    return np.asarray(np.nan_to_num(r))


def rates(cell: Cell, studies: int, seed: int) -> dict[str, float]:
    """Return coverage of AUROC and of the difference, and how often the rule says what, in per cent."""
    found: dict[str, list[Floats]] = {}
    for part, size in enumerate(_parts(cell, studies)):
        rng = np.random.default_rng([seed, part, cell.groups, cell.size, round(1000 * cell.prevalence),
                                     round(1000 * cell.auroc)])  # fmt: skip
        for true_gap in (0.0, ROPE):
            positive, scores = draw(cell, cell.auroc - true_gap, size, rng)
            a, b = (estimate(positive, score) for score in scores)
            for name, values in _said(cell, positive, a, b, true_gap).items():
                found.setdefault(name, []).append(values.astype(float))
    return {name: 100 * float(np.concatenate(values).mean()) for name, values in found.items()}


def _parts(cell: Cell, studies: int) -> Iterator[int]:
    most = max(1, CELLS_AT_ONCE // (cell.groups * cell.size))
    for start in range(0, studies, most):
        yield min(most, studies - start)


def _said(cell: Cell, positive: Bools, a: Estimates, b: Estimates, true_gap: float) -> dict[str, Floats]:
    outer, inner = (difference(positive, a, b, level) for level in (0.95, 0.90))
    rarer = np.minimum(positive.sum(axis=1), (~positive).sum(axis=1))
    enough = (rarer >= 10) & (cell.groups >= 30)
    better = enough & ((outer[0] > 0) | (outer[1] < 0))
    equivalent = enough & ~better & (inner[0] > -ROPE) & (inner[1] < ROPE)
    if true_gap:
        return {
            "false equivalent": equivalent,
            "difference at the edge": (outer[0] <= true_gap) & (true_gap <= outer[1]),
        }
    own = single(positive, a, 0.95)
    wide = (outer[1] - outer[0]) / 2 > ROPE
    return {
        "AUROC": (own[0] <= cell.auroc) & (cell.auroc <= own[1]),
        "too high": cell.auroc < own[0],
        "too low": cell.auroc > own[1],
        "warned": (a.degrees < 10) & (a.value < 1) | (rarer < 10),
        "difference": (outer[0] <= 0) & (outer[1] >= 0),
        "false better": better,
        "cannot tell": ~enough | (~better & ~equivalent & wide),
    }  # fmt: skip


COLUMNS = (
    "AUROC",
    "too high",
    "too low",
    "warned",
    "difference",
    "false better",
    "false equivalent",
    "cannot tell",
)


def check(cells: Sequence[Cell], studies: int) -> float:
    """Return the largest distance between this implementation and the product's, over ends of intervals."""
    from headtohead.stats.hypothesis.paired_difference import paired_differences
    from headtohead.stats.intervals.resampling import make_resamples
    from headtohead.stats.metrics.registry import METRICS
    from headtohead.stats.metrics.replicates import metric_values
    from headtohead.stats.predictions import ContenderPredictions, PredictionTable

    worst = 0.0
    for cell in cells:
        positive, scores = draw(cell, cell.auroc, studies, np.random.default_rng(1))
        a, b = (estimate(positive, score) for score in scores)
        ours = np.array([difference(positive, a, b, level) for level in (0.95, 0.9)])
        group = np.repeat(np.arange(cell.groups), cell.size)
        resamples = make_resamples(cell.groups, 20, 0)
        samples, groups = (np.array([f"{x:06d}" for x in range(n)]) for n in (len(group), cell.groups))
        for i in range(len(positive)):
            label = positive[i][group].astype(np.int64)
            lines = {}
            for name, score in zip("ab", scores, strict=True):
                p = special.expit(score[i].ravel() - 2)
                lines[name, 0] = ContenderPredictions(
                    np.arange(len(group)), group, label, np.zeros_like(label), np.stack([1 - p, p], axis=1)
                )
            table = PredictionTable(
                ("no", "yes"), samples, groups, group, label, ("a", "b"), (0,), lines, False
            )
            values = {
                c: metric_values(table.of(c), resamples.weights, ["auroc"], table.classes)["auroc"]
                for c in "ab"
            }
            product = paired_differences(table, [("a", "b")], METRICS["auroc"], values, resamples, 0.95)[0]
            if product.inner is not None and product.low is not None and product.high is not None:
                theirs = np.array([[product.low, product.high], product.inner])
                worst = max(worst, float(np.abs(theirs - ours[:, :, i]).max()))
    return worst


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--simulations", type=int, default=10_000)
    words.add_argument("--cells", default="0:1000", help="slice of the grid")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--check", action="store_true", help="compare with the product instead")
    given = words.parse_args()
    start, stop = (int(x) for x in given.cells.split(":"))
    cells = grid()[start:stop]
    if given.check:
        print(
            f"largest distance from the product's ends: {check([c for c in cells if c.groups <= 400], 20):.2g}"
        )
        return
    titles = ("groups", "per group", "positive", "AUROC", *COLUMNS[:1], *COLUMNS[1:])
    print("| " + " | ".join(titles) + " |\n|" + "---:|" * len(titles))
    for cell in cells:
        found = rates(cell, given.simulations, given.seed)
        head = (cell.groups, cell.size, cell.prevalence, cell.auroc)
        print(
            "| " + " | ".join([*map(str, head), *(f"{found[name]:.1f}" for name in COLUMNS)]) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
