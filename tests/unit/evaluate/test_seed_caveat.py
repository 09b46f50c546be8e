"""A verdict says when other seeds of the folds would decide otherwise, and how many repeats would settle it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.core.records import Verdict
from headtohead.core.tables.details import SeedStability
from headtohead.evaluate.wording.caveats import seed_caveat


def repeated(gain: float, noise: float, repeats: int = 3, n: int = 200) -> pd.DataFrame:
    """Return two contenders in repeated cross-validation; each repeat moves every score by `noise`."""
    rng, parts = np.random.default_rng(3), []
    label, base = np.arange(n) % 2, rng.normal(size=n)
    own = rng.normal(size=n)
    for repeat in range(repeats):
        fold = np.empty(n, dtype=int)
        for c in (0, 1):
            fold[label == c] = rng.permutation(np.arange(n // 2) % 5)
        for name, lift, mix in (("a", 1.0 + gain, 0.0), ("b", 1.0, 1.0)):
            score = lift * label + base + 0.6 * mix * own + noise * rng.normal(size=n)
            p = 1 / (1 + np.exp(-score))
            parts.append(
                pd.DataFrame(
                    {"sample": [f"s{i:03d}" for i in range(n)], "group": [f"g{i:03d}" for i in range(n)],
                     "repeat": repeat, "fold": fold, "contender": name,
                     "label": np.array(["no", "yes"])[label], "prob_no": 1 - p,
                     "prob_yes": p}
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def said(frame: pd.DataFrame) -> Verdict:
    return judge(frame, classes=("no", "yes"), n_boot=100)


def test_a_close_decision_is_called_unsettled() -> None:
    verdict = said(repeated(0.2, 0.4))
    seeds = verdict.comparisons[0].details.seeds
    assert seeds is not None and seeds.changes > 0.05
    (text,) = [c for c in verdict.caveats if "other seeds" in c]
    assert text.startswith("With other seeds of the folds a would not be shown to be better than b in about")
    assert f"about {100 * seeds.changes:.0f} % of runs" in text
    assert (f"--repeats {seeds.repeats}" in text) == (seeds.repeats is not None)


@pytest.mark.parametrize(("gain", "word"), [(3.0, "better"), (-0.14, "no_evidence")])
def test_a_clear_one_is_not(gain: float, word: str) -> None:
    verdict = said(repeated(gain, 0.05))
    assert verdict.comparisons[0].verdict == word
    seeds = verdict.comparisons[0].details.seeds
    assert seeds is not None and seeds.changes <= 0.05
    assert not any("other seeds" in c for c in verdict.caveats)


@pytest.mark.parametrize(
    ("winner", "repeats", "parts"),
    [
        (
            "b",
            12,
            ("b would not be shown to be better than a in about 8 %", "about 12 repeats (--repeats 12)"),
        ),
        (None, None, ("a winner could be named between a and b, in about 8 %", "even 100 repeats")),
    ],
)
def test_it_names_what_could_change(winner: str | None, repeats: int | None, parts: tuple[str, str]) -> None:
    one = said(repeated(0.2, 0.4)).comparisons[0]
    details = one.details.model_copy(update={"seeds": SeedStability(changes=0.08, repeats=repeats)})
    changed = one.model_copy(update={"winner": winner, "details": details, "primary": True})
    (text,) = seed_caveat([changed])
    assert all(part in text for part in parts), text


def test_it_is_said_of_repeated_cross_validation_only() -> None:
    frame = repeated(0.35, 0.4)
    assert said(frame.drop(columns="fold")).comparisons[0].details.seeds is None
    assert said(frame[frame["repeat"] == 0]).comparisons[0].details.seeds is None
    dumped = said(frame[frame["repeat"] == 0]).comparisons[0].details.model_dump()
    assert "seeds" not in dumped


def test_too_few_groups_decide_whatever_the_seed() -> None:
    frame = repeated(0.35, 0.4, n=28)
    assert said(frame).comparisons[0].details.seeds is None
