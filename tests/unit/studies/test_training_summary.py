"""The verdict says whether learning rates were chosen: else recipes are compared, and not networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import StudyConfig, TrainConfig
from headtohead.core.run_folder import RunFolder
from headtohead.studies.report_inputs import add_training_summary

TUNED, FROZEN = "scratch:test_vit@finetune", "scratch:test_vit@probe"


@pytest.mark.parametrize(
    ("contenders", "policy", "told"),
    [((TUNED, FROZEN), "fixed", True), ((TUNED, FROZEN), "rate", False), ((FROZEN,), "rate", False)],
)
def test_stated_rates_are_a_caveat(
    tmp_path: Path, contenders: tuple[str, ...], policy: str, told: bool
) -> None:
    rng = np.random.default_rng(0)
    lines = [
        {"sample": f"s{i}", "group": f"g{i}", "repeat": 0, "fold": i % 3, "contender": name, "label": "ab"[i % 2],
         "prob_a": p, "prob_b": 1 - p}
        for name in contenders for i, p in enumerate(rng.random(30))
    ]  # fmt: skip
    verdict = judge(pd.DataFrame(lines), classes=("a", "b"), positive="b", n_boot=100)
    run = RunFolder(tmp_path)
    run.write("spent.json", {"spent": {}})
    config = StudyConfig(
        data="x", contenders=contenders, train=TrainConfig.model_validate({"policy": policy})
    )
    found = add_training_summary(verdict, config, ContenderPlan.parse(contenders), ("a", "b"), run)
    caveats = [one for one in found.caveats if "recipes of training" in one]
    assert bool(caveats) == told
    assert all(TUNED.partition("@")[0] in one and FROZEN not in one for one in caveats)
