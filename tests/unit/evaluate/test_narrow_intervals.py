"""Intervals that hold their level, and the warning where they may not: the coverage coverage_rule in small."""

from __future__ import annotations

import numpy as np
from tests.unit.stats.builders import codes, verdict_on, warned_lines

from headtohead.core.records import Score, Verdict
from headtohead.evaluate.wording.caveats import coverage_warnings


def test_a_rare_large_error_is_warned_of_in_score_terminal_and_caveats() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(100) % 2
    positive = np.where(label == 1, 0.98, 0.02) + rng.uniform(-0.01, 0.01, 100)
    positive[1] = 0.001
    found = verdict_on(warned_lines(label, positive))
    assert "few_degrees" in codes(found, "brier") & codes(found, "log_loss")
    assert codes(found, "accuracy") == set()
    assert any("handful of cases decides AUROC" in caveat for caveat in found.caveats)
    assert Verdict.model_validate_json(found.model_dump_json()) == found
    even = np.clip(0.5 + 0.1 * (2 * label - 1) + 0.15 * rng.normal(size=100), 0.05, 0.95)
    quiet = verdict_on(warned_lines(label, even))
    assert codes(quiet, "brier") == codes(quiet, "auroc") == set()
    assert not any("too narrow" in caveat for caveat in quiet.caveats)


def test_each_kind_of_warning_has_its_sentence() -> None:
    from typing import get_args

    from headtohead.core.records import ScoreWarning

    kinds = get_args(ScoreWarning.model_fields["code"].annotation)
    for kind in kinds:
        score = Score(
            contender="a", metric="brier", value=0.1, low=0.05, high=0.2, n_samples=9, n_groups=9, method="x",
            warnings=(ScoreWarning(code=kind, text="t"),),
        )  # fmt: skip
        assert len(coverage_warnings([score])) == 1
