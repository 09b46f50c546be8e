"""One prediction a case: made before anything is scored, and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.api.predictions import verdict
from headtohead.core.errors import ManifestError, NoEffectError, UsageError
from headtohead.evaluate.external.per_case import case_rule, predictions_per_case


def lines(n_cases: int = 24, n_images: int = 3, seed: int = 0) -> pd.DataFrame:
    """Predictions of two models for cases of several images, of which only the last shows the disease."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for case in range(n_cases):
        ill = case % 2
        for model, skill in (("a", 2.0), ("b", 1.0)):
            for image in range(n_images):
                logit = rng.normal() + skill * ill * (image == n_images - 1) * 2 - 1
                rows.append(
                    {"sample": f"c{case:02d}/{image}", "group": f"c{case:02d}", "model": model}
                    | {"label": ("no", "yes")[ill], "score": 1 / (1 + np.exp(-logit))}
                )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("per", "rule"), [("case", "mean"), ("case:max", "max")])
def test_scores_equal_those_of_predictions_put_together_by_hand(per: str, rule: str) -> None:
    frame = lines()
    by_hand = frame.groupby(["model", "group", "label"], as_index=False)["score"].agg(rule)
    by_hand["sample"] = by_hand["group"]
    ours, theirs = verdict(frame, per=per, quiet=True, n_boot=100), verdict(by_hand, quiet=True, n_boot=100)
    for one, other in zip(ours.scores, theirs.scores, strict=True):
        assert (one.contender, one.metric, one.n_samples, one.n_groups) == (
            other.contender, other.metric, other.n_samples, other.n_groups
        )  # fmt: skip
        assert one.value == pytest.approx(other.value, nan_ok=True) and one.low == pytest.approx(
            other.low, nan_ok=True
        )
    assert ours.scores[0].n_samples == 24
    assert any("72 images of 24 cases" in caveat for caveat in ours.caveats)
    plain = verdict(frame, quiet=True, n_boot=100)
    assert plain.scores[0].n_samples == 72 and plain.scores[0].value != ours.scores[0].value


def test_more_classes_repeats_and_folds_keep_their_lines() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"contender": "a", "repeat": r, "fold": case % 2, "sample": f"{case}/{i}", "group": str(case)}
        | {"label": "xyz"[case % 3]}
        | dict(zip(("prob_x", "prob_y", "prob_z"), rng.dirichlet([1, 1, 1]), strict=True))
        for r in range(2)
        for case in range(6)
        for i in range(2)
    ]
    frame = pd.DataFrame(rows)
    table, said = predictions_per_case(frame, ("x", "y", "z"), None, "mean")
    assert len(table) == 12 and list(table.columns) == list(frame.columns)
    assert (
        np.allclose(table[["prob_x", "prob_y", "prob_z"]].sum(axis=1), 1) and "12 images of 6 cases" in said
    )
    with pytest.raises(UsageError, match="needs a positive one of two"):
        predictions_per_case(frame, ("x", "y", "z"), None, "max")
    frame.loc[0, "fold"] = 1
    with pytest.raises(ManifestError, match="1 case has several folds, such as '0'"):
        predictions_per_case(frame, ("x", "y", "z"), None, "mean")


def test_what_cannot_be_one_case_is_refused(tmp_path: Path) -> None:
    frame = lines(6)
    with pytest.raises(UsageError, match="expected case, case:mean or case:max"):
        case_rule("patient")
    with pytest.raises(NoEffectError, match="every group has one image"):
        verdict(lines(10, 1), per="case", quiet=True)
    frame.loc[frame["sample"] == "c00/1", "label"] = "yes"
    with pytest.raises(ManifestError, match="several labels, such as 'c00'"):
        verdict(frame, per="case", quiet=True)


def test_subgroups_of_cases() -> None:
    frame = lines()
    frame["sex"] = np.where(frame["group"].str[-1].astype(int) < 5, "f", "m")
    found = verdict(frame, per="case", by=["sex"], quiet=True, n_boot=100)
    assert found.details.subgroups
    frame.loc[frame["sample"] == "c00/1", "sex"] = "m"
    with pytest.raises(ManifestError, match="several values of 'sex'"):
        verdict(frame, per="case", by=["sex"], quiet=True)
