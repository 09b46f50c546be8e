"""Scores on other scales: percentages and logits are transformed on reading, of grades only the order counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from headtohead import verdict
from headtohead.core.errors import ManifestError, NoEffectError, UnknownNameError, UsageError
from headtohead.core.records import Verdict
from headtohead.evaluate.external.scales import Scale
from headtohead.evaluate.external_predictions import parse_predictions
from headtohead.stats.metrics.lookup import default_metrics
from headtohead.stats.metrics.registry import METRICS

N = 120


def logits() -> pd.DataFrame:
    """Return two models' logits, rounded so that there are ties, on samples of two classes."""
    rng = np.random.default_rng(0)
    label = np.arange(N) % 2
    parts = [
        pd.DataFrame({"sample": [f"s{i:03d}" for i in range(N)], "model": model,
                      "label": np.where(label == 1, "malignant", "benign"),
                      "score": np.round(lift * label + rng.normal(size=N) - 0.5, 1)})
        for model, lift in (("cnn", 2.5), ("vit", 1.0))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def judged(frame: pd.DataFrame, **more: Any) -> Verdict:
    return verdict(frame, n_boot=100, quiet=True, **more)


def values(found: Verdict) -> dict[tuple[str, str], float | None]:
    return {(s.contender, s.metric): s.value for s in found.scores}


@pytest.fixture(scope="module")
def ranked() -> Verdict:
    return judged(logits(), score="ordinal")


def test_percentages_and_logits_are_read_as_the_probabilities_they_stand_for() -> None:
    raw = logits()
    p = pd.Series(special.expit(raw["score"]))
    plain = parse_predictions(raw.assign(score=p)).frame
    cases: tuple[tuple[Scale, pd.Series], ...] = (
        ("percent", 100 * p),
        ("percent", (100 * p).map("{:.12f}%".format)),
        ("logit", raw["score"]),
    )
    for scale, score in cases:
        found = parse_predictions(raw.assign(score=score), score=scale)
        for name in ("prob_benign", "prob_malignant"):
            assert found.frame[name].to_numpy() == pytest.approx(plain[name].to_numpy(), rel=1e-9), scale
        assert ("percent" if scale == "percent" else "read as logits") in " ".join(found.notes)


def test_logits_of_several_classes_go_through_the_softmax() -> None:
    rng = np.random.default_rng(1)
    columns = {f"prob_{c}": rng.normal(size=N) for c in "abc"}
    frame = pd.DataFrame({"sample": range(N), "label": np.array(list("abc"))[np.arange(N) % 3], **columns})
    found = parse_predictions(frame, score="logit").frame
    odds = np.exp(np.stack([*columns.values()], axis=1))
    expected = odds / odds.sum(axis=1, keepdims=True)
    assert found[[*columns]].to_numpy() == pytest.approx(expected)
    with pytest.raises(UsageError, match="ordinal with 3 classes"):
        parse_predictions(frame, score="ordinal")


def test_the_logit_of_one_class_is_minus_that_of_the_other() -> None:
    raw = logits()
    own = parse_predictions(raw, score="logit").frame
    other = parse_predictions(
        raw.drop(columns="score").assign(prob_benign=-raw["score"]), score="logit"
    ).frame
    assert np.array_equal(own["prob_malignant"], other["prob_malignant"])
    graded = parse_predictions(
        raw.drop(columns="score").assign(prob_malignant=raw["score"], prob_benign=0.0), score="ordinal"
    )
    assert "only 'prob_malignant' was read" in " ".join(graded.notes)


def test_logits_that_become_one_probability_are_counted() -> None:
    frame = logits()
    frame.loc[:3, "score"] = [40.0, 41.0, 42.0, -40.0]
    assert "2 logits so large" in " ".join(parse_predictions(frame, score="logit").notes)
    assert "so large" not in " ".join(parse_predictions(logits(), score="logit").notes)


def test_metrics_of_rank_are_those_of_the_probabilities(ranked: Verdict) -> None:
    raw = logits()
    plain = values(judged(raw.assign(score=special.expit(raw["score"]))))
    found = values(ranked)
    defined = {metric for (_, metric), value in found.items() if value is not None}
    assert {"auroc", "average_precision", "partial_auroc"} < defined
    assert defined == {
        name for name in default_metrics(("benign", "malignant"), False) if METRICS[name].by_rank
    }
    for key, value in found.items():
        if value is not None:
            assert value == plain[key], key


def test_a_monotone_change_of_one_models_scores_changes_nothing(ranked: Verdict) -> None:
    frame = logits()
    vit = frame["model"] == "vit"
    frame.loc[vit, "score"] = np.exp(3 * frame.loc[vit, "score"]) + 7
    assert judged(frame, score="ordinal") == ranked


def test_what_needs_probabilities_is_not_defined_for_grades(ranked: Verdict) -> None:
    notes = {s.note for s in ranked.scores if s.value is None}
    assert notes == {"its scores are grades: only their order counts"}
    details = ranked.details
    assert details.no_probabilities is not None and set(details.no_probabilities) == {"cnn", "vit"}
    assert not (details.confusion or details.calibration or details.risk_coverage or details.operating_points)
    assert details.decision_curves is not None and details.decision_curves.contenders == {}
    assert all(s.value is None for one in details.recalibration.values() for s in one.before)
    assert not {name for name in ranked.comparisons[0].tests if name.startswith("mcnemar")}
    assert ranked.comparisons[0].details.discordant == ()
    assert "only their order counts (--score ordinal)" in ranked.caveats[0]
    assert Verdict.model_validate_json(ranked.model_dump_json()) == ranked


def test_scores_in_the_same_order_are_identical() -> None:
    frame = logits()
    cnn = frame[frame["model"] == "cnn"]
    found = judged(pd.concat([cnn, cnn.assign(model="scaled", score=2 * cnn["score"] + 1)]), score="ordinal")
    assert found.comparisons[0].verdict == "identical"
    assert f"put all {N} samples in the same order" in found.sentence


def test_a_wide_table_of_grades_holds_a_column_for_each_model() -> None:
    frame = logits()
    wide = frame.pivot(index=["sample", "label"], columns="model", values="score").reset_index()
    assert values(judged(wide, score="ordinal")) == values(judged(frame, score="ordinal"))


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"score": "grade"}, UnknownNameError, "ordinal"),
        ({"score": "ordinal", "metric": "brier"}, UsageError, "needs probabilities. Expected one of auroc"),
        ({"score": "ordinal", "prevalence": 0.1}, NoEffectError, "only probabilities"),
        ({"score": "percent"}, ManifestError, "Expected percentages between 0 and 100"),
        ({}, ManifestError, "give --score logit"),
    ],
)
def test_what_cannot_be_asked_of_a_scale_is_refused(
    more: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        judged(logits(), **more)
