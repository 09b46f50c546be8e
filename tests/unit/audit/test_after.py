"""What the audit left open is answered from the contenders' lines, and only that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.planting.defects import probability
from tests.planting.memory import CLEAN, MemoryDataset, altered, class_rows, known, record_by

from headtohead.audit.check import run_checks
from headtohead.audit.context import AuditContext
from headtohead.audit.outputs import grouping_record
from headtohead.audit.post_hoc import update_post_hoc
from headtohead.audit.registry import get_check

CODES = ("H2H301", "H2H305", "H2H401", "H2H402")
IDS = [sample.id for sample in CLEAN.samples]
LARGE = altered(CLEAN, class_rows(CLEAN, "yes"), record_by(n_bytes=30000))


def record_of(data: MemoryDataset, ignore: Sequence[str] = ()) -> dict[str, Any]:
    context = AuditContext(data, grouping=known(data))
    findings = run_checks(context, [get_check(code) for code in CODES], ignore)
    told = [one.model_dump(mode="json") for one in findings]
    return {
        "findings": told,
        "groups": grouping_record(data, known(data)),
        "counts": {},
        "notes": ["as it was"],
    }


def after(
    record: dict[str, Any], best: tuple[str, float] | None, wrong: tuple[int, ...] = ()
) -> dict[str, Any]:
    done = update_post_hoc(record, best=best, ids=IDS, rows=probability(wrong), labels=CLEAN.labels())
    return done | {"by_code": {one["code"]: one for one in done["findings"]}}


def test_before_a_comparison_both_are_skipped() -> None:
    assert {one["code"] for one in record_of(CLEAN)["findings"] if one["outcome"] == "skipped"} == {
        "H2H305",
        "H2H402",
    }


def test_a_contender_that_a_shortcut_equals_is_called_so() -> None:
    done = after(record_of(LARGE), ("some-net", 0.93))
    found = done["by_code"]["H2H305"]
    assert (found["outcome"], found["severity"]) == ("issue", "severe")
    assert "some-net 0.93" in found["message"]
    assert done["by_code"]["H2H301"]["data"]["best_contender"] == {"name": "some-net", "auroc": 0.93}
    worst = [one["code"] for one in done["findings"] if one["severity"] == "severe"]
    assert "H2H305" in worst and done["counts"]["severe"] == len(worst)


def test_a_contender_above_the_shortcuts_passes() -> None:
    assert after(record_of(CLEAN), ("some-net", 0.97))["by_code"]["H2H305"]["outcome"] == "passed"


def test_labels_are_ranked_by_the_lines() -> None:
    found = after(record_of(CLEAN), None, wrong=(3, 8))["by_code"]
    assert set(found["H2H402"]["samples"]) == {IDS[3], IDS[8]}
    assert found["H2H305"]["outcome"] == "skipped", "no contender has an AUROC"


def test_what_was_set_aside_stays_so_and_the_rest_is_left_alone() -> None:
    before = record_of(CLEAN, ["H2H402=labels were read twice"])
    done = after(before, ("some-net", 0.97), wrong=(3,))
    assert done["by_code"]["H2H402"]["outcome"] == "ignored"
    assert done["notes"] == ["as it was"]
    kept = {one["code"]: one for one in before["findings"]}
    assert done["by_code"]["H2H401"] == kept["H2H401"]


def test_only_the_scored_samples_are_judged() -> None:
    scored = [0, 3, 6, 9, *range(30, 50)]
    ids, labels = [IDS[i] for i in scored], CLEAN.labels()[scored]
    done = update_post_hoc(
        record_of(CLEAN), best=None, ids=ids, rows=probability((3, 4))[scored], labels=labels
    )
    found = next(one for one in done["findings"] if one["code"] == "H2H402")
    assert found["samples"] == [IDS[3]]


def test_a_class_without_scored_samples_is_no_obstacle() -> None:
    rows, labels = probability((3,))[:20], CLEAN.labels()[:20]
    done = update_post_hoc(record_of(CLEAN), best=None, ids=IDS[:20], rows=rows, labels=labels)
    assert "H2H402" in {one["code"] for one in done["findings"] if one["outcome"] in ("issue", "passed")}
