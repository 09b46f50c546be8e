"""The learning curve: points equal the verdict's scores, the extrapolation is the law's, the words fit the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.stats.builders import CLASSES

from headtohead.core.errors import InsufficientDataError
from headtohead.evaluate.learning_curve import SizedPredictions, learning_curve
from headtohead.evaluate.question import VerdictConfig
from headtohead.evaluate.verdict import compute_verdict

LABEL = np.arange(80) % 2
SHARES = (0.25, 0.5, 1.0)


def predictions(brier: dict[str, float]) -> pd.DataFrame:
    """Return contenders of these Brier scores; one image in two errs by more than the other, never across one half."""
    parts = []
    for name, score in brier.items():
        error = np.sqrt(score * np.where(np.arange(80) // 2 % 2 == 0, 0.9, 1.1))
        p = np.where(LABEL == 1, 1 - error, error)
        parts.append(
            pd.DataFrame({"sample": [f"s{i:02d}" for i in range(80)], "group": [f"g{i:02d}" for i in range(80)],
                          "fold": np.arange(80) // 4 % 4, "contender": name,
                          "label": np.where(LABEL == 1, "yes", "no"), "prob_no": 1 - p, "prob_yes": p})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def curve(errors: list[dict[str, float]], metric: str = "brier", **more: Any) -> dict[str, Any]:
    parts = [
        SizedPredictions(share, 100 * share, predictions(of_share))
        for share, of_share in zip(SHARES, errors, strict=False)
    ]
    config = VerdictConfig(classes=CLASSES, positive="yes", metric=metric, n_boot=50, **more)
    return learning_curve(parts, list(errors[0]), config)


def law(n: float) -> float:
    """Return a Brier score with the floor 0.01 and the exponent 1."""
    return 0.01 + 4 / n


FALLING = [{"a": law(100 * share), "b": 0.2} for share in SHARES]


def test_the_extrapolation_is_that_of_the_law_that_made_the_curve() -> None:
    found = curve(FALLING)
    a, b = found["extrapolation"]
    assert (a["contender"], a["factor"], a["groups"]) == ("a", 2.0, 200)
    assert a["value"] == pytest.approx(0.01 + 4 / 200)
    assert a["gain"] == pytest.approx(4 / 100 - 4 / 200)
    assert a["low"] < a["value"] < a["high"] and a["gain_low"] < a["gain"] < a["gain_high"]
    assert (a["exponent"], a["floor"]) == pytest.approx((1.0, 0.01))
    assert (b["value"], b["gain"]) == pytest.approx((0.2, 0.0))
    assert found["same_order"] == 1.0


def test_the_words_say_whether_more_images_help() -> None:
    a, b, ranking = curve(FALLING)["sentences"]
    assert a.startswith(
        "a: with twice the groups (about 200 in training) the curve extrapolates to Brier score 0.030 [0."
    )
    assert "], a gain of 0.020 [0." in a and a.endswith("]: more images like these would help.")
    assert b.endswith("a gain of 0.000 [0.000, 0.000]: more images like these would help little.")
    assert ranking == (
        "a is first at every share; in 100 % of the resamples the order with twice the groups is expected to stay."
    )


def test_a_gain_that_may_be_little_or_not_says_so() -> None:
    gains = [0.01 * 2 + 4 * 0.5 / (100 * share) for share in SHARES]  # a gain of 0.01 from 100 to 200 groups
    said = curve([{"a": gain} for gain in gains])["sentences"][0]
    assert said.endswith("more images like these may help; a gain below 0.01 is not excluded.")


def test_a_first_place_that_changes_is_told_share_by_share() -> None:
    found = curve([{"a": 0.2, "b": 0.1}, {"a": 0.1, "b": 0.09}, {"a": 0.05, "b": 0.08}])
    assert found["sentences"][-1].startswith(
        "The first place changes with the size of the training part: b with 25 %, b with 50 %, a with 100 % of the "
        "groups; in "
    )


def test_an_order_that_the_law_turns_round_is_not_expected_to_stay() -> None:
    found = curve([{"a": law(100 * share), "b": 0.04} for share in SHARES])
    today = {point["contender"]: point["value"] for point in found["points"][-2:]}
    assert today == pytest.approx({"a": 0.05, "b": 0.04})
    assert found["extrapolation"][0]["value"] == pytest.approx(0.03)
    assert found["same_order"] == 0.0


def test_points_at_the_full_share_are_the_scores_of_the_verdict() -> None:
    rng = np.random.default_rng(3)
    full = predictions({"a": 0.1, "b": 0.15})
    noise = np.clip(full["prob_yes"] + 0.3 * rng.normal(size=len(full)), 0.01, 0.99)
    full = full.assign(prob_yes=noise, prob_no=1 - noise)
    config = VerdictConfig(classes=CLASSES, positive="yes", metric="auroc", n_boot=50, seed=7)
    found = learning_curve([SizedPredictions(1.0, 60.0, full)], ["a", "b"], config)
    scores = {s.contender: s for s in compute_verdict(full, config).scores if s.metric == "auroc"}
    for point in found["points"]:
        of_verdict = scores[point["contender"]]
        assert point["value"] is not None
        assert (point["value"], point["low"], point["high"]) == (
            of_verdict.value,
            of_verdict.low,
            of_verdict.high,
        )
    assert found["extrapolation"] == [] and found["same_order"] is None
    best = max(scores, key=lambda name: scores[name].value or 0.0)
    assert found["sentences"] == [
        "Fewer than 3 sizes could be fitted, so nothing is said about more groups.",
        f"{best} is first at every share.",
    ]


def test_one_contender_has_no_ranking_and_no_part_is_refused() -> None:
    found = curve([{"a": 0.2}, {"a": 0.1}, {"a": 0.05}])
    assert len(found["sentences"]) == 1 and found["same_order"] is None
    with pytest.raises(
        InsufficientDataError, match="needs at least one share of the training groups; got none"
    ):
        learning_curve([], ["a"], VerdictConfig(classes=CLASSES))


def test_a_rising_metric_counts_its_error_from_the_best_value() -> None:
    found = curve([{"a": 0.2}, {"a": 0.1}, {"a": 0.05}], metric="auroc")
    (row,) = found["extrapolation"]
    assert (row["value"], row["gain"], row["floor"]) == pytest.approx((1.0, 0.0, 0.0))
