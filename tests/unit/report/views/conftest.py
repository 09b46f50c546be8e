"""Predictions of two repeats whose counts are known by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from headtohead.report.views.cases import CaseTable, build_cases

TRUTH = ("no", "no", "yes", "yes")
GIVEN = {
    # probability of "yes" of the images a, b, c, d in each repeat; None where it was not scored
    "vit": ((0.1, 0.5, 0.9, 0.45), (0.2, 0.3, None, 0.1)),
    "cnn": ((0.7, 0.2, 0.5, 0.15), (0.6, 0.1, None, 0.1)),
    "majority": ((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, None, 0.5)),
}


@pytest.fixture
def lines() -> pd.DataFrame:
    """Four images, two classes, three contenders; `c` is not scored in the second repeat."""
    rows = [
        {"sample": name, "group": f"g{name}", "repeat": repeat, "fold": i % 2, "contender": contender,
         "label": TRUTH[i], "prob_no": 1 - p, "prob_yes": p}
        for contender, repeats in GIVEN.items()
        for repeat, given in enumerate(repeats)
        for i, (name, p) in enumerate(zip("abcd", given, strict=True))
        if p is not None
    ]  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


@pytest.fixture
def cases(lines: pd.DataFrame) -> CaseTable:
    """The lines by image."""
    return build_cases(lines, ("no", "yes"), "yes", tuple(GIVEN))
