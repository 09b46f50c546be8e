"""Questions of the audit that out-of-fold predictions answer, and what stands beside an estimate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.planting.reported import score, verdict

from headtohead.audit import post_hoc
from headtohead.core.records import Finding
from headtohead.core.run_folder import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.studies.post_audit import audit_caveats, shortcut_caveats, update_audit


def finding(code: str, severity: str = "note", outcome: str = "issue", **more: Any) -> dict[str, Any]:
    return Finding.model_validate(
        {"code": code, "title": f"Title {code}", "severity": severity, "outcome": outcome, "message": f"message {code}",
         "advice": f"Advice {code}.", **more}
    ).model_dump(mode="json")  # fmt: skip


def test_severe_findings_and_those_that_tell_the_label_stand_beside_an_estimate() -> None:
    record = {
        "findings": [
            finding("H2H203", "severe"), finding("H2H204", "warning"), finding("H2H301", "warning"),
            finding("H2H302", "note"), finding("H2H303", "note", "passed"), finding("H2H304", "warning"),
            finding("H2H201", "severe", "passed"), finding("H2H202", "severe", "ignored"),
        ]
    }  # fmt: skip
    assert audit_caveats(record) == tuple(
        f"Title {code} ({code}): message {code}." for code in ("H2H203", "H2H301", "H2H302", "H2H304")
    )


@pytest.mark.parametrize("outcome", ["passed", "ignored", "not_applicable"])
def test_a_shortcut_is_told_only_where_it_is_an_issue(outcome: str) -> None:
    told = {"findings": [finding("H2H301"), finding("H2H305")]}
    assert shortcut_caveats(told) == (
        "The best contender is not shown to do better than a shortcut: message H2H305. Advice H2H305.",
    )
    assert shortcut_caveats({"findings": [finding("H2H305", outcome=outcome)]}) == ()


class Asked:
    """Stands in for the audit's own answer and remembers what it was asked."""

    def __init__(self, outcome: str) -> None:
        self.outcome = outcome
        self.given: dict[str, Any] = {}

    def __call__(self, record: dict[str, Any], **given: Any) -> dict[str, Any]:
        self.given = given
        return {**record, "findings": [finding("H2H305", outcome=self.outcome)], "answered": True}


def predictions(data: Dataset) -> pd.DataFrame:
    rows = []
    for number, sample in enumerate(reversed(data.samples)):
        for contender, p in (("vit-b16", 0.2), ("other", 0.6), ("majority", 0.99)):
            for repeat in (0, 1):
                value = min(1.0, p + 0.1 * repeat + 0.01 * number)
                rows.append((sample.id, repeat, contender, sample.label, 1 - value, value))
    names = ["sample", "repeat", "contender", "label", "prob_no", "prob_yes"]
    return pd.DataFrame(rows, columns=names)


def test_the_audit_is_asked_with_means_over_contenders_and_repeats(
    samples: Callable[..., Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked("issue")
    monkeypatch.setattr(post_hoc, "update_post_hoc", asked)
    run, data = RunFolder(tmp_path), samples([0, 1, 1])
    run.write("audit.json", {"findings": []})
    scored = verdict().model_copy(
        update={
            "scores": (
                score("vit-b16", value=0.7), score("other", value=0.8), score("majority", value=0.99),
                score("third", value=None), score("vit-b16", "accuracy", 0.95),
            )
        }
    )  # fmt: skip
    found = update_audit(run, data, predictions(data), scored, ("majority",))
    assert asked.given["best"] == ("other", 0.8)
    assert asked.given["ids"] == ["s000", "s001", "s002"] and asked.given["labels"].tolist() == [0, 1, 1]
    expected = (0.2 + 0.6 + 0.1) / 2 + 0.01 * np.array([2, 1, 0])
    np.testing.assert_allclose(asked.given["rows"], np.column_stack([1 - expected, expected]))
    assert run.json("audit.json")["answered"] is True
    assert found.caveats[0].startswith("The best contender is not shown to do better than a shortcut")
    assert found.caveats[1:] == scored.caveats


def test_without_contenders_nothing_is_asked_and_without_an_auroc_nobody_is_best(
    samples: Callable[..., Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked("passed")
    monkeypatch.setattr(post_hoc, "update_post_hoc", asked)
    run, data = RunFolder(tmp_path), samples([0, 1])
    run.write("audit.json", {"findings": []})
    table = predictions(data)
    same = verdict()
    assert update_audit(run, data, table[table["contender"] == "majority"], same, ("majority",)) is same
    assert asked.given == {}
    none = same.model_copy(update={"scores": (score("vit-b16", "accuracy"), score("a", value=None))})
    assert update_audit(run, data, table, none, ("majority",)).caveats == none.caveats
    assert asked.given["best"] is None
