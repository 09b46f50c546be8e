"""Predictions judged from Python: names as lists or text, cases, grades, and what is no prediction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.planting.repeats import repeated

import headtohead as h2h
from headtohead.core.errors import UnknownNameError, UsageError


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return predictions of "good" and "base" for 200 cases with a sex and a site."""
    table = repeated(1.0, 0.1, 1).replace({"contender": {"a": "good", "b": "base"}})
    number = table["sample"].str[1:].astype(int)
    return table.assign(sex=np.where(number % 3, "f", "m"), site=np.where(number % 2, "x", "y"))


def judged(frame: Any, **settings: Any) -> Any:
    return h2h.verdict(frame, n_boot=100, quiet=True, **settings)


def test_controls_are_named_as_a_text_or_a_list(frame: pd.DataFrame) -> None:
    listed, said = judged(frame, baselines=["base"]), judged(frame, baselines="base")
    assert said == listed and said.sentence.startswith("There is one contender")
    plain = judged(frame)
    assert plain.comparisons[0].winner == "good" and plain != listed
    with pytest.raises(UnknownNameError, match=r"^Unknown baseline 'bse'; did you mean 'base'"):
        judged(frame, baselines="bse")


def test_the_first_pair_and_subgroups_are_named_with_commas_too(frame: pd.DataFrame) -> None:
    listed = judged(frame, primary=("base", "good"), by=("sex", "site"))
    said = judged(frame, primary="base,good", by="sex, site")
    assert said == listed and {(c.a, c.b) for c in said.comparisons if c.primary} in (
        {("base", "good")},
        {("good", "base")},
    )
    assert set(said.details.subgroups) == {"sex", "site"}


def test_grades_are_ordered_by_a_text_with_commas(frame: pd.DataFrame) -> None:
    grades = frame.assign(
        label=frame["label"].replace({"no": "none", "yes": "severe"}),
        prob_none=frame["prob_no"] * 0.9, prob_mild=0.1, prob_severe=frame["prob_yes"] * 0.9,
    ).drop(columns=["prob_no", "prob_yes"])  # fmt: skip
    grades.loc[grades["sample"].str[1:].astype(int) % 5 == 0, "label"] = "mild"
    said = judged(grades, ordered_classes="none,mild,severe", metric="kappa_quadratic")
    assert said == judged(grades, ordered_classes=["none", "mild", "severe"], metric="kappa_quadratic")
    assert said.details.classes == ("none", "mild", "severe")


def test_one_file_several_files_and_a_frame_say_the_same(frame: pd.DataFrame, tmp_path: Path) -> None:
    known = frame.drop(columns=["sex", "site"])
    known.to_csv(tmp_path / "both.csv", index=False)
    for name, part in known.groupby("contender"):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    parts = [tmp_path / "good.csv", str(tmp_path / "base.csv")]
    found = [judged(known), judged(tmp_path / "both.csv"), judged(str(tmp_path / "both.csv")), judged(parts)]
    values = [[(s.contender, s.metric, s.value, s.low) for s in one.scores] for one in found]
    assert sorted(values[0]) == sorted(values[1]) == sorted(values[2]) == sorted(values[3])


@pytest.mark.parametrize("given", [3, None, object()])
def test_what_is_no_prediction_is_named_by_its_type(given: Any) -> None:
    with pytest.raises(UsageError) as told:
        h2h.verdict(given)
    assert str(told.value) == (
        f"Got predictions of type {type(given).__name__}; expected a data frame or paths."
    )


def test_cases_are_scored_once_each(frame: pd.DataFrame) -> None:
    number = frame["sample"].str[1:].astype(int)
    of_two = "g" + (number // 4 * 2 + number % 2).astype(str)  # two images of one label each
    pairs = frame.assign(group=of_two).drop(columns="fold")
    found = judged(pairs, per="case")
    assert {score.n_samples for score in found.scores if score.metric == "auroc"} == {100}
    assert any("cases" in caveat for caveat in found.caveats)


def test_level_seed_and_resamples_reach_the_intervals(frame: pd.DataFrame) -> None:
    def kappa(**settings: Any) -> Any:
        verdict = h2h.verdict(frame, quiet=True, metric="kappa", **{"n_boot": 100, **settings})
        return next(s for s in verdict.scores if s.metric == "kappa" and s.contender == "base")

    whole = judged(frame)
    assert judged(frame) == whole
    assert judged(frame, seed=1) != whole and h2h.verdict(frame, n_boot=150, quiet=True) != whole
    plain, wide = kappa(), kappa(level=0.99)
    assert wide.level == 0.99 and wide.high - wide.low > plain.high - plain.low


def test_a_claim_hands_every_figure_on() -> None:
    plain = h2h.claim(35, 36)
    assert re.match(r"35 of 36 right", plain.sentence)
    assert h2h.claim(accuracy=0.9722, total=36).sentence.startswith("35 of 36 right")
    both = h2h.claim(sensitivity=(18, 20), specificity=(70, 80), level=0.9)
    assert "18 of 20" in both.sentence and "70 of 80" in both.sentence
    ranked = h2h.claim(auroc="0.95", positives=20, negatives=80)
    assert "AUROC" in ranked.sentence and "0.95" in ranked.sentence
    paired = h2h.claim(35, 36, paired=(5, 1), matters=0.05)
    assert paired.sentence != plain.sentence
