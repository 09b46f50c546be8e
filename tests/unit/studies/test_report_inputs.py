"""What the report shows beside the scores: samples from the whole list, thresholds without leaks, costs in words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import StudyConfig, TrainConfig
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.studies.report_inputs import (
    add_training_summary,
    inner_predictions,
    pair_confounds,
)

VIT, CNN = "scratch:test_vit", "scratch:test_resnet"


def lines(folds: dict[str, int]) -> pd.DataFrame:
    rows = [{"repeat": 0, "fold": fold, "group": group, "sample": group} for group, fold in folds.items()]
    return pd.DataFrame(rows)


def test_where_the_split_leaks_thresholds_do_without_the_groups_that_are_tested(
    tmp_path: Path, listener: Any
) -> None:
    run = RunFolder(tmp_path)
    lines({"a": 0, "b": 0, "c": 1}).to_parquet(tmp_path / "inner.parquet")
    tested = lines({"a": 0, "c": 0})
    whole: Any = SimpleNamespace(leaks=())
    leaky: Any = SimpleNamespace(leaks=("one",))
    assert list(inner_predictions(run, whole, tested, listener)["group"]) == ["a", "b", "c"]
    assert listener.warnings == []
    assert list(inner_predictions(run, leaky, tested, listener)["group"]) == ["b", "c"]
    assert listener.warnings == [
        "The split leaks; thresholds are chosen without the groups that are tested too."
    ]


def verdict(*names: str) -> Verdict:
    rows = [
        {"sample": f"s{i}", "group": f"g{i}", "repeat": 0, "fold": i % 3, "contender": name, "label": "ab"[i % 2],
         "prob_a": (0.3 + 0.01 * i + 0.1 * n) % 1, "prob_b": 1 - (0.3 + 0.01 * i + 0.1 * n) % 1}
        for n, name in enumerate(names) for i in range(24)
    ]  # fmt: skip
    return judge(pd.DataFrame(rows), classes=("a", "b"), positive="b", n_boot=100)


def summary(folder: Path, spent: dict[str, Any], names: tuple[str, ...], **train: Any) -> Verdict:
    run = RunFolder(folder)
    run.write("spent.json", {"spent": spent})
    config = StudyConfig(data="x", contenders=names, train=TrainConfig.model_validate(train))
    return add_training_summary(verdict(*names), config, ContenderPlan.parse(names), ("a", "b"), run)


def test_chosen_rates_and_the_budget_are_told_with_their_counts(tmp_path: Path) -> None:
    name = f"{VIT}@finetune"
    cell = {"learning_rate": 1e-4, "rates": [1e-4, 1e-3], "at_edge": True}
    spent = {name: {"rates": [cell], "trials": [4, 6]}, CNN: {"trials": [0, 0]}}
    found = summary(tmp_path, spent, (name, CNN), policy="inner", budget="10min")
    assert any(
        text.startswith(f"{name} chose its learning rate on an inner fold in each of 1 cells: 0.0001 in 1")
        for text in found.caveats
    )
    assert found.caveats[-1].startswith(
        f"Budget 10 min for each contender; tried per cell: {name} 4 to 6. How many fit into the time depends"
    )
    budget = found.details.budget
    assert budget is not None and budget.stated == "10 min" and dict(budget.trials) == {name: (4, 6)}


@pytest.mark.parametrize("balance", ["loss", "sampler"])
def test_balanced_classes_are_a_caveat_of_their_own(tmp_path: Path, balance: str) -> None:
    name = f"{VIT}@finetune"
    plain = summary(tmp_path / "a", {}, (name,))
    told = summary(tmp_path / "b", {}, (name,), balance=balance)
    assert told.caveats[:-1] == plain.caveats and plain.details.budget is None
    assert told.caveats[-1] == (
        f"Classes were balanced while training ({balance}); the probabilities were brought back to the class "
        "frequencies of the training part."
    )


def test_ensembles_are_compared_with_their_best_member(tmp_path: Path) -> None:
    joined = f"ensemble({VIT},{CNN})"
    found = summary(tmp_path, {}, (VIT, CNN, joined))
    assert [gain.contender for gain in found.details.gains or ()] == [joined]
    assert summary(tmp_path, {}, (VIT, CNN)).details.gains == ()


def test_confounds_are_those_of_the_single_networks_that_were_named() -> None:
    plan = ContenderPlan.parse(f"{VIT}@finetune,{CNN},ensemble({VIT}@finetune,{CNN}),folds({CNN},2)")
    (pair,) = pair_confounds(plan, TrainConfig())
    assert {pair["a"], pair["b"]} == {f"{VIT}@finetune", CNN}
    assert pair_confounds(ContenderPlan.parse(f"{VIT},ensemble({VIT},{CNN})"), TrainConfig()) == []
