"""Leaks between the parts of a fold, against a search over all pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset
from headtohead.data.splits.leakage import LeakFinder

Made = Callable[..., Dataset]


def samples_of(made: Made, rows: list[tuple[int, int, int]]) -> list[Sample]:
    """Samples with (group, pixels, bytes) numbered; each has a path of its own."""
    plain = made([("no", "g")] * len(rows)).samples
    return [
        sample.model_copy(update={"group": f"g{group}", "pixel_hash": f"p{pixels}", "sha256": f"b{content}"})
        for sample, (group, pixels, content) in zip(plain, rows, strict=True)
    ]


ROWS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=2, max_size=14)


@given(rows=ROWS, cut=st.integers(1, 13))
def test_every_shared_value_is_found_and_nothing_else(
    made: Made, rows: list[tuple[int, int, int]], cut: int
) -> None:
    samples, cut = samples_of(made, rows), min(cut, len(rows) - 1)
    train, test = np.arange(cut), np.arange(cut, len(rows))
    expected = {}
    for i in test:
        partners = {
            j: [
                kind
                for kind, a, b in zip(("group", "pixels", "bytes"), rows[i], rows[j], strict=True)
                if a == b
            ]
            for j in train
        }
        partners = {j: kinds for j, kinds in partners.items() if kinds}
        if partners:
            expected[samples[i].id] = (max(map(len, partners.values())), len(partners))
    leaks = LeakFinder(samples).leaks(train, test, repeat=1, fold=2)
    assert {leak.test: (len(leak.shared), leak.n_train) for leak in leaks} == expected
    assert all((leak.repeat, leak.fold) == (1, 2) for leak in leaks)


def test_the_partner_named_shares_most_and_counts_are_of_values(made: Made) -> None:
    samples = samples_of(made, [(1, 1, 1), (1, 2, 2), (1, 2, 3)])
    finder = LeakFinder(samples)
    (leak,) = finder.leaks(np.array([0, 1]), np.array([2]), repeat=0, fold=0)
    assert leak.train == samples[1].id and leak.shared == ("group", "pixels") and leak.n_train == 2
    assert "and 1 more share group, pixels" in str(leak)
    counts = finder.counts(np.array([0, 1]), np.array([2]))
    assert counts["group"] == 1 and counts["pixels"] == 1 and counts["bytes"] == 0
