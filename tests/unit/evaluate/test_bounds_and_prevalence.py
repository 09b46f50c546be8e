"""Shares that do not vary keep a bound; probabilities follow the prevalence that is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headtohead.core.records import Verdict
from headtohead.core.tables.estimate import Estimate
from headtohead.core.tables.probability import DecisionCurves
from headtohead.evaluate.verdict import compute_verdict
from headtohead.stats.decision.decision_curve import decision_curves, rebased
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.predictions import build_prediction_table
from headtohead.stats.resampled import ResampledPredictions, bootstrap_interval, proportion_interval


def calibrated(n: int, share: float, seed: int = 0) -> pd.DataFrame:
    """Return two contenders on n samples of which about `share` are positive; the first tells the true probability."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < share).astype(int)
    x = rng.normal(2.0 * label)
    true = 1 / (1 + np.exp(-(2 * x - 2 + np.log(share / (1 - share)))))
    parts = [
        pd.DataFrame({"sample": [f"s{i:05d}" for i in range(n)], "group": [f"g{i % 300:05d}" for i in range(n)],
                      "contender": name, "label": np.where(label == 1, "yes", "no"), "prob_no": 1 - p, "prob_yes": p})
        for name, p in (("true", true), ("blind", np.full(n, share)))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judged(frame: pd.DataFrame, **more: object) -> Verdict:
    options: dict[str, object] = {"classes": ("no", "yes"), "positive": "yes", "n_boot": 200} | more
    return compute_verdict(frame, **options)  # type: ignore[arg-type]


def test_rebased_probabilities_are_bayes_and_keep_their_order() -> None:
    prob = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    found = rebased(prob, 0.5, 0.02)
    likelihood = prob[1:4] / (1 - prob[1:4])
    np.testing.assert_allclose(found[1:4], likelihood * 0.02 / (likelihood * 0.02 + 0.98))
    assert found[0] == 0 and found[-1] == 1 and (np.diff(found) > 0).all()
    np.testing.assert_allclose(rebased(prob, 0.3, 0.3), prob)
    np.testing.assert_allclose(rebased(found, 0.02, 0.5), prob)
    assert rebased(prob, 1.0, 0.02) is prob  # one class is missing: nothing to go by


def test_probabilities_rebased_to_where_positives_are_rare_are_calibrated_there() -> None:
    at_half = calibrated(40_000, 0.5)
    prob = at_half[at_half.contender == "true"]
    there = rebased(prob["prob_yes"].to_numpy(), 0.5, 0.05)
    keep = np.where(prob["label"] == "yes", 0.05, 0.95) * 2
    assert np.average(there, weights=keep) == pytest.approx(0.05, rel=0.05)
    assert np.average(prob["prob_yes"], weights=keep) > 0.15  # planted: taken as they are


def curves_of(frame: pd.DataFrame, prevalence: float | None) -> DecisionCurves:
    table = build_prediction_table(frame, classes=("no", "yes"), positive="yes", contenders=None)
    resampled = ResampledPredictions(table, make_resamples(table.n_groups, 50, 0), 0.95, 0)
    curves = decision_curves(resampled, prevalence)
    assert curves is not None
    return curves


def test_net_benefit_at_a_low_prevalence_is_that_of_a_sample_drawn_there() -> None:
    """A set of half positives is asked about at 5 %, and the same kind of set is drawn at 5 %."""
    asked = curves_of(calibrated(10_000, 0.5), 0.05)
    drawn = curves_of(calibrated(60_000, 0.05, seed=1), None)
    for threshold in (0.05, 0.1, 0.2):
        found, expected = (
            curves.contenders["true"][curves.thresholds.index(threshold)].value for curves in (asked, drawn)
        )
        assert found is not None and found == pytest.approx(expected, abs=0.003)
        assert found > max(0.0, asked.treat_all[asked.thresholds.index(threshold)])
    assert "re-based" in asked.note
    assert drawn.note == ""


def test_a_share_that_never_varies_has_wilsons_bound_and_not_certainty() -> None:
    resamples = make_resamples(30, 100, 0)
    nothing = np.zeros(1 + 100 + 30)
    assert bootstrap_interval(nothing, resamples, 0.95) == Estimate(value=0.0, low=None, high=None)
    found = proportion_interval(nothing, resamples, 0.95, 30)
    assert found.low == 0
    assert found.high is not None
    assert 1 - 0.05 ** (1 / 30) < found.high < 0.15
    turned = proportion_interval(1 - nothing, resamples, 0.95, 30)
    assert turned.low == pytest.approx(1 - found.high)
    assert proportion_interval(nothing + 0.4, resamples, 0.95, 30) == Estimate(value=0.4, low=None, high=None)


def test_more_groups_without_an_error_narrow_the_bound() -> None:
    ends = [
        proportion_interval(np.zeros(1 + 50 + n), make_resamples(n, 50, 0), 0.95, n).high
        for n in (10, 40, 160)
    ]
    assert ends[0] is not None and ends[1] is not None and ends[2] is not None
    assert ends[0] > ends[1] > ends[2] > 0


def test_a_perfect_contender_is_not_certain_where_a_probability_is_used() -> None:
    frame = calibrated(60, 0.5)
    sure = np.where(frame["label"] == "yes", 0.9, 0.1)
    frame["prob_yes"] = np.where(frame["contender"] == "true", sure, frame["prob_yes"])
    frame["prob_no"] = 1 - frame["prob_yes"]
    details = judged(frame, prevalence=0.02).details.model_dump()
    risk = details["risk_coverage"]["true"]["points"][-1]["risk"]
    assert risk["value"] == 0
    assert 0.04 < risk["high"] < 0.1
    for one in details["calibration"]["true"]["bins"]:
        assert one["observed"]["high"] - one["observed"]["low"] > 0.05
    there = details["operating_points"]["half"]["contenders"]["true"]["at_prevalence"]
    assert there["ppv"]["value"] == 1
    assert there["ppv"]["low"] < 0.25  # 30 negatives without a false alarm leave room for one in ten
    assert 0.99 < there["npv"]["low"] < 1


def test_the_parts_of_a_brier_score_beyond_two_classes_add_up_to_it() -> None:
    rng = np.random.default_rng(0)
    label, prob = rng.integers(0, 3, 300), rng.dirichlet([1, 1, 1], 300)
    frame = pd.DataFrame(
        {"sample": range(300), "group": [f"g{i // 2}" for i in range(300)], "label": np.array(list("abc"))[label]}
    ).astype(str)  # fmt: skip
    frame[["prob_a", "prob_b", "prob_c"]] = prob
    frame["contender"] = "m"
    verdict = judged(frame, classes=("a", "b", "c"), positive=None)
    parts = verdict.details.model_dump()["calibration"]["m"]["brier_parts"]
    score = next(s for s in verdict.scores if s.metric == "brier")
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bin"]
    assert total == pytest.approx(parts["brier"]) == pytest.approx(score.value)
    assert parts["uncertainty"] == pytest.approx(1 - ((np.bincount(label) / 300) ** 2).sum())
