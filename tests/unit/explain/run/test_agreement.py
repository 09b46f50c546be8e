"""Agreement of two contenders' maps, beside what remains of it on another image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run.agreement import contender_agreement

N = 8
GROUPS = {f"s{n}": f"g{n}" for n in range(N)}


def made(name: str, sample: str, grid: npt.NDArray[np.float64], target: int = 1) -> ImageMap:
    one = Attribution(grid, target, float(grid.sum()), 0.0)
    return ImageMap(sample, name, "contributions", ("no", "yes"), one, Box(0, 0, 28, 28), (28, 28))


def grids(seed: int) -> list[npt.NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(14, 14)) for _ in range(N)]


def test_equal_maps_agree_fully_on_one_image_and_not_on_two() -> None:
    found = [made(name, f"s{n}", grid) for name in ("a", "b") for n, grid in enumerate(grids(0))]
    (told,) = contender_agreement(found, GROUPS)
    assert (told["a"], told["b"], told["same"]) == ("a", "b", 1.0)
    assert abs(told["other"]) < 0.1 and told["difference"]["passed"] and told["difference"]["n_groups"] == N


def test_the_correlations_are_those_of_scipy_with_the_next_image_of_another_group() -> None:
    first, second = grids(1), grids(2)
    found = [made("a", f"s{n}", g) for n, g in enumerate(first)] + [
        made("b", f"s{n}", g) for n, g in enumerate(second)
    ]
    (told,) = contender_agreement(found, GROUPS)
    same = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(first, second, strict=True)]
    other = [spearmanr(first[n].ravel(), second[(n + 1) % N].ravel()).statistic for n in range(N)]
    assert told["same"] == pytest.approx(np.mean(same), abs=1e-4)
    assert told["other"] == pytest.approx(np.mean(other), abs=1e-4)


def test_evidence_in_the_middle_of_every_image_is_no_agreement() -> None:
    middle = np.add.outer(-np.abs(np.arange(14) - 6.5), -np.abs(np.arange(14) - 6.5))
    found = [made(name, f"s{n}", middle) for name in ("a", "b") for n in range(N)]
    (told,) = contender_agreement(found, GROUPS)
    assert told["same"] == told["other"] == 1.0 and not told["difference"]["passed"]


def test_only_images_of_which_both_explain_the_same_class_count() -> None:
    found = [made("a", f"s{n}", g) for n, g in enumerate(grids(0))]
    found += [made("b", f"s{n}", g, target=int(n < 6)) for n, g in enumerate(grids(0))]
    (told,) = contender_agreement(found, GROUPS)
    assert told["difference"]["n_images"] == 6


def test_images_of_one_group_are_no_control() -> None:
    found = [made(name, f"s{n}", grid) for name in ("a", "b") for n, grid in enumerate(grids(0))]
    assert contender_agreement(found, dict.fromkeys(GROUPS, "one")) == []
    assert contender_agreement(found[:N], GROUPS) == [], "one contender has no pair"
    pairs = {name: f"g{int(name[1:]) // 2}" for name in GROUPS}
    (told,) = contender_agreement(found, pairs)
    assert told["difference"]["n_groups"] == N // 2


def test_grids_of_two_sizes_are_compared_on_one() -> None:
    fine = [np.kron(grid, np.ones((2, 2))) / 4 for grid in grids(3)]
    found = [made("a", f"s{n}", g) for n, g in enumerate(grids(3))] + [
        made("b", f"s{n}", g) for n, g in enumerate(fine)
    ]
    (told,) = contender_agreement(found, GROUPS)
    assert told["same"] == 1.0


def test_every_pair_is_told_in_the_order_of_the_contenders() -> None:
    found = [made(name, f"s{n}", grid) for name in ("c", "a", "b") for n, grid in enumerate(grids(0))]
    assert [(one["a"], one["b"]) for one in contender_agreement(found, GROUPS)] == [
        ("c", "a"),
        ("c", "b"),
        ("a", "b"),
    ]
