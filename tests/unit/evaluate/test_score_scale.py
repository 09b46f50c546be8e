"""A scale of the scores that drifts from fold to fold must not name a winner."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.unit.stats.builders import judge_frame

from headtohead.core.records import Verdict

N, FOLDS = 300, 5


def drifted(drift: float, seed: int = 0) -> pd.DataFrame:
    """Return two equally good contenders; the second's scores are moved by a constant per fold."""
    rng = np.random.default_rng(seed)
    label = (rng.random(N) < 0.4).astype(int)
    shared, fold = rng.normal(size=N), np.arange(N) % FOLDS
    parts = []
    for name, moved in (("cnn", 0.0), ("vit", drift)):
        score = 1.6 * (label - 0.4) + 0.8 * shared + 0.6 * rng.normal(size=N)
        probability = 1 / (1 + np.exp(-score - moved * np.linspace(-1, 1, FOLDS)[fold]))
        parts.append(
            pd.DataFrame({
                "sample": [f"s{i:04d}" for i in range(N)], "group": [f"g{i:04d}" for i in range(N)], "repeat": 0,
                "fold": fold, "contender": name, "label": np.where(label == 1, "yes", "no"),
                "prob_no": 1 - probability, "prob_yes": probability,
            })
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def pooled(verdict: Verdict, name: str) -> float:
    return next(s.value or 0.0 for s in verdict.scores if (s.contender, s.metric) == (name, "auroc_pooled"))


def test_a_drift_between_folds_leaves_the_score_that_decides_as_it_is() -> None:
    straight, moved = judge_frame(drifted(0.0)), judge_frame(drifted(2.25))
    assert straight.comparisons[0].difference == moved.comparisons[0].difference
    assert pooled(straight, "vit") - pooled(moved, "vit") > 0.08


def test_where_the_pooled_score_names_another_winner_there_is_none_and_the_reason_is_said() -> None:
    comparison = judge_frame(drifted(2.25)).comparisons[0]
    assert (comparison.verdict, comparison.winner) == ("cannot_tell", None)
    assert comparison.target == "learners"
    assert "pooled over folds" in comparison.sentence
    assert "may be on different scales" in comparison.sentence


def test_without_folds_the_pooled_score_decides_and_the_models_are_as_fitted() -> None:
    """Planted: had the table no folds, the same drift would name a winner; it must then speak of fitted models."""
    comparison = judge_frame(drifted(2.25).drop(columns="fold")).comparisons[0]
    assert (comparison.verdict, comparison.winner) == ("better", "cnn")
    assert comparison.target == "fixed_models"
