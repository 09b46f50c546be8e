"""The reporting lists: complete, filled from the run, blanks named."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.planting.verdicts import judge

from headtohead.core.config import StudyConfig
from headtohead.core.records import Verdict
from headtohead.evaluate.reporting.checklist_items import CLAIM_2024, TRIPOD_AI
from headtohead.evaluate.reporting.reporting_checklist import build_checklists
from headtohead.evaluate.reporting.stard_items import STARD_AI


def small_verdict() -> Verdict:
    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    parts = []
    for name in ("cnn", "vit"):
        p = 1 / (1 + np.exp(-(label - 0.5 + rng.normal(size=60))))
        parts.append(
            pd.DataFrame(
                {"sample": np.arange(60), "group": np.arange(60), "contender": name, "label": label,
                 "prob_0": 1 - p, "prob_1": p}
            )
        )  # fmt: skip
    return judge(pd.concat(parts), classes=("0", "1"), positive="1", n_boot=100)


def test_every_item_is_there_once() -> None:
    assert [item.number for item in CLAIM_2024] == [str(i) for i in range(1, 45)]
    assert {int(item.number.rstrip("abcdefg")) for item in TRIPOD_AI} == set(range(1, 28))
    rows = build_checklists(small_verdict(), {}, {})
    assert (
        len(rows) == len({(row["list"], row["item"]) for row in rows}) == 44 + len(TRIPOD_AI) + len(STARD_AI)
    )
    assert {int(item.number.rstrip("ab+")) for item in STARD_AI} == set(range(1, 31)), "all of STARD 2015"
    assert sum("+" in item.number for item in STARD_AI) >= 14, "and what STARD-AI adds"


def test_blanks_name_what_to_add_and_filled_rows_come_from_the_run() -> None:
    verdict = small_verdict()
    config = StudyConfig(data="x", contenders=("cnn", "vit")).model_dump(mode="json")
    rows = {
        (r["list"], r["item"]): r
        for r in build_checklists(verdict, config, {"source": "a clinic", "n_files": 61, "excluded": 1})
    }
    assert all(row["text"] or row["ask"] for row in rows.values())
    assert rows["CLAIM 2024", "44"]["status"] == "author"
    assert "funders" in rows["CLAIM 2024", "44"]["ask"]
    assert rows["CLAIM 2024", "2"]["text"] == verdict.sentence
    assert "5-fold cross-validation, once" in rows["CLAIM 2024", "19"]["text"]
    assert "61 files, 1 refused, 60 samples" in rows["CLAIM 2024", "35"]["text"]
    assert "cnn AUROC 0." in rows["TRIPOD+AI", "23a"]["text"]
    assert rows["CLAIM 2024", "7"]["text"] == "Data: a clinic."


def test_nothing_is_claimed_that_the_run_does_not_know() -> None:
    rows = {(r["list"], r["item"]): r for r in build_checklists(small_verdict(), {}, {})}
    for item in ("7", "19", "23", "33"):
        assert rows["CLAIM 2024", item]["status"] == "author", item
        assert rows["CLAIM 2024", item]["ask"]


def test_the_wish_of_the_configuration_is_never_told_as_what_was_done() -> None:
    config = StudyConfig(data="x", contenders=("cnn",), recipe="auto").model_dump(mode="json")
    rows = {(r["list"], r["item"]): r for r in build_checklists(small_verdict(), config, {})}
    for item in ("9", "23", "24", "25"):
        row = rows["CLAIM 2024", item]
        assert row["status"] == "author" and row["ask"].startswith(("Add", "Not known to the run"))
    assert "epochs" not in " ".join(row["text"] for row in rows.values())
    known = {"recipe": "foreground (dark background)", "versions": "torch 2", "training": "cnn: a probe."}
    told = {(r["list"], r["item"]): r for r in build_checklists(small_verdict(), config, known)}
    assert "foreground (dark" in told["CLAIM 2024", "9"]["text"]
    assert told["CLAIM 2024", "25"]["text"] == "cnn: a probe."
    assert told["CLAIM 2024", "23"]["status"] == "filled"


def test_stard_says_how_classes_are_called_and_claims_no_blinding_without_proof() -> None:
    def rows(leaks: int | None) -> dict[str, str]:
        facts = {} if leaks is None else {"leaks": leaks}
        return {
            r["item"]: r["text"]
            for r in build_checklists(small_verdict(), {}, facts)
            if r["list"] == "STARD-AI"
        }

    assert rows(0)["12a"].startswith("1 is called at a probability of 0.5 or more.")
    assert "not seen in training" in rows(0)["13a"]
    assert rows(None)["13a"] == rows(2)["13a"] == "" and "none was set aside" in rows(0)["15"]
    for item in ("5+", "6", "13b", "21a", "25", "28", "30+"):
        assert rows(0)[item] == "", f"{item}: only the author can know"


def test_a_leaking_or_given_split_is_not_called_disjoint_or_internal() -> None:
    given = StudyConfig(data="x", contenders=("cnn",), split="given", allow_leaks=True).model_dump(
        mode="json"
    )
    rows = {(r["list"], r["item"]): r for r in build_checklists(small_verdict(), given, {"leaks": 2})}
    assert "not disjoint: 2 leaks" in rows["CLAIM 2024", "20"]["text"]
    assert rows["CLAIM 2024", "32"]["status"] == "author"
    assert "stratified" not in rows["TRIPOD+AI", "13"]["text"]
