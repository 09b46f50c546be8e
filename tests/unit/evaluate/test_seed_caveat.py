"""A verdict says when other seeds of the folds would decide otherwise, and how many repeats would settle it."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.planting.repeats import repeated
from tests.planting.verdicts import judge

from headtohead.core.records import Verdict
from headtohead.core.tables.details import SeedStability
from headtohead.evaluate.wording.caveats import seed_caveat


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
