"""The positive class of predictions made elsewhere: read from the names, asked for, and never reversed in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planting.binormal import binormal_pair

from headtohead.api.predictions import verdict
from headtohead.core.errors import UsageError
from headtohead.core.records import Score, Verdict
from headtohead.evaluate.reversed_scores import reversed_caveat, reversed_contenders


def judged(frame: pd.DataFrame, **more: object) -> Verdict:
    return verdict(frame, n_boot=100, quiet=True, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "labels",
    [
        ("benign", "malignant"),
        ("CN", "AD"),
        ("-1", "1"),
        ("0.0", "1.0"),
        ("False", "True"),
        ("bénin", "malin"),
        ("tumor-free", "tumor"),
    ],
)
def test_a_name_that_reads_as_negative_settles_it_and_is_said(labels: tuple[str, str]) -> None:
    found = judged(binormal_pair(auroc=(0.93, 0.70), labels=labels))
    assert found.positive == found.details.positive == labels[1]
    assert found.comparisons[0].winner == "cnn"
    assert any(f"'{labels[1]}' counts as positive" in caveat for caveat in found.caveats)


@pytest.mark.parametrize("labels", [("nevus", "melanoma"), ("2", "1"), ("1", "2")])
def test_otherwise_it_is_asked_for_and_then_the_winner_is_the_right_one(labels: tuple[str, str]) -> None:
    frame = binormal_pair(900, auroc=(0.88, 0.80), labels=labels, seed=5)
    count = (frame["label"] == labels[1]).sum() // 2
    with pytest.raises(UsageError, match=rf"'{labels[1]}' \({count} samples\).*--positive {labels[1]}"):
        judged(frame)
    found = judged(frame, positive=labels[1])
    assert found.positive == labels[1] and found.comparisons[0].winner == "cnn"


def test_scores_of_the_other_class_are_called_out_first_and_nobody_wins() -> None:
    frame = binormal_pair(900, auroc=(0.88, 0.80), labels=("nevus", "melanoma"), seed=5)
    found = judged(frame, positive="nevus")
    assert found.comparisons[0].verdict == "cannot_tell" and found.comparisons[0].winner is None
    assert found.comparisons[0].details.reason == "reversed"
    assert "the wrong way round" in found.sentence
    assert found.caveats[0].startswith("AUROC below 0.5 for cnn (0.1")
    assert "vit (0.2" in found.caveats[0] and "here 'nevus'" in found.caveats[0]


def test_one_reversed_contender_is_named_and_nobody_wins_against_it() -> None:
    """Its scores the right way round are the better ones, so the other's lead says nothing."""
    frame = binormal_pair(auroc=(0.93, 0.80))
    third = frame[frame["model"] == "vit"].assign(model="poor")
    third["score"] = 0.3 * third["score"] + 0.7 * np.random.default_rng(91).random(len(third))
    cnn = frame["model"] == "cnn"
    frame.loc[cnn, "score"] = 1 - frame.loc[cnn, "score"]
    found = judged(frame)
    (pair,) = found.comparisons
    assert (pair.verdict, pair.winner, pair.details.reason) == ("cannot_tell", None, "reversed")
    assert "cnn ranks the classes the wrong way round" in found.sentence and "vit ranks" not in found.sentence
    assert "AUROC below 0.5 for cnn" in found.caveats[0] and "vit" not in found.caveats[0]
    several = judged(pd.concat([frame, third]))
    reasons = {frozenset((c.a, c.b)): c.details.reason for c in several.comparisons}
    assert reasons[frozenset(("vit", "cnn"))] == reasons[frozenset(("poor", "cnn"))] == "reversed"
    assert reasons[frozenset(("vit", "poor"))] == "interval", "the pair without it is judged as ever"
    assert several.details.best is not None and "cnn" in several.details.best.candidates


def test_a_control_does_not_have_to_be_reversed_too() -> None:
    frame = binormal_pair(900, auroc=(0.88, 0.5), seed=5)
    frame.loc[frame["model"] == "cnn", "score"] = 1 - frame.loc[frame["model"] == "cnn", "score"]
    found = judged(frame, baselines=["vit"])
    assert [c.details.reason for c in found.comparisons] == ["reversed"]


def test_chance_is_not_called_reversed() -> None:
    found = judged(binormal_pair(auroc=(0.5, 0.5), seed=3))
    assert not any("below 0.5" in caveat for caveat in found.caveats)


def test_beyond_two_classes_the_columns_are_what_may_be_exchanged() -> None:
    score = Score(
        contender="a", metric="auroc", value=0.2, low=0.1, high=0.3, n_samples=9, n_groups=9, method="m"
    )
    assert reversed_contenders([score]) == ("a",)
    assert "exchanged" in reversed_caveat([score], None)[0]
    assert reversed_caveat([score.model_copy(update={"high": 0.5})], "x") == []
