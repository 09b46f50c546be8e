"""The command that trains the contender with the best score."""

from __future__ import annotations

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Verdict
from headtohead.report.next_step import train_command


def found(metric: str, verdict: str = "no_evidence") -> Verdict:
    pair = comparison("cnn", "vit").model_copy(update={"verdict": verdict})
    scores = (score("cnn", metric, 0.7), score("vit", metric, 0.6), score("file-facts", metric, 0.9))
    return Verdict(sentence="", metric=metric, scores=scores, comparisons=(pair,))


@pytest.mark.parametrize(("metric", "best"), [("auroc", "cnn"), ("brier", "vit")])
def test_the_best_contender_is_named_never_a_baseline(metric: str, best: str) -> None:
    assert train_command(found(metric), ("cnn", "vit"), "runs/my scans") == (
        f"headtohead train --from 'runs/my scans' --contender {best} --out 'runs/my scans-model'"
    )


def test_a_refused_verdict_needs_the_option() -> None:
    command = train_command(found("auroc", "refused"), ("cnn", "vit"), "runs/a")
    assert command is not None and command.endswith(" --accept-refused")


def test_without_a_score_there_is_no_command() -> None:
    assert train_command(found("auroc"), (), "runs/a") is None
