"""Caveats of the primary metric: where it cannot say what it seems to."""

from __future__ import annotations

import numpy as np
import pytest
from tests.planting.verdicts import judge
from tests.unit.stats.builders import frame_of

from headtohead.evaluate.wording.caveats import metric_caveat
from headtohead.stats.metrics.registry import METRICS


@pytest.mark.parametrize(
    ("metric", "rare", "said"), [("mcc", 19, True), ("mcc", 20, False), ("accuracy", 10, False)]
)
def test_matthews_correlation_with_a_rare_class_carries_one(metric: str, rare: int, said: bool) -> None:
    label = (np.arange(120) < rare).astype(np.int64)
    frame = frame_of({"a": 2.2, "b": 1.8}, label, np.arange(120))
    verdict = judge(frame, classes=("no", "yes"), positive="yes", n_boot=100, metric=metric)
    found = [text for text in verdict.caveats if text.startswith("Matthews correlation with a rare class")]
    assert bool(found) == said
    assert all(f"here {rare} groups" in text for text in found)


def test_log_loss_has_one_where_learners_are_compared() -> None:
    (text,) = metric_caveat(METRICS["log_loss"], "learners", 50)
    assert "how confident a model is" in text and "as few as 90 %" in text
    assert metric_caveat(METRICS["log_loss"], "fixed_models", 50) == []
    assert metric_caveat(METRICS["brier"], "learners", 50) == []
