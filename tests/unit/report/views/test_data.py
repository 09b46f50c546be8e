"""The section on data: counts that add up, worst findings first, and limits on what the page shows."""

from __future__ import annotations

from typing import Any

import pandas as pd
from tests.planting.reported import PIXEL, audit

from headtohead.report.views.data import MOST_GROUPS, MOST_PAIRS, MOST_SHOWN, data_view
from headtohead.report.views.image_store import ImageStore

STORE = ImageStore({}, {"a": PIXEL})


def finding(code: str, outcome: str = "issue", severity: str = "note", **more: Any) -> dict[str, Any]:
    known = {"code": code, "title": f"title of {code}", "severity": severity, "outcome": outcome, "message": "m",
             "advice": "do", "samples": [], "data": {}}  # fmt: skip
    return {**known, **more}


def view(*findings: dict[str, Any], samples: Any = None, **more: Any) -> dict[str, Any]:
    facts = audit()
    facts["findings"] = list(findings)
    for key, value in more.items():
        facts[key] = value if key not in facts else {**facts[key], **value}
    return data_view(facts, samples, STORE)


def test_findings_stand_worst_first_and_the_quiet_ones_apart() -> None:
    found = view(
        finding("H2H1"), finding("H2H2", "passed", "severe"), finding("H2H3", severity="warning"),
        finding("H2H4", "tip"), finding("H2H5", severity="severe"), finding("H2H6", "not_applicable"),
        finding("H2H7", "skipped"), finding("H2H8", "ignored"), finding("H2H9", severity="severe"),
    )  # fmt: skip
    assert [one["code"] for one in found["findings"]] == ["H2H5", "H2H9", "H2H3", "H2H1", "H2H4"]
    assert [one["severity"] for one in found["findings"]] == ["severe", "severe", "warning", "note", "tip"]
    assert [one["outcome"] for one in found["quiet"]] == ["passed", "not applicable", "skipped", "ignored"]
    assert [one["state"] for one in found["matrix"]] == [
        "severe", "severe", "warning", "note", "tip", "passed", "not_applicable", "skipped", "ignored",
    ]  # fmt: skip
    assert found["matrix"][6]["title"] == "H2H6 title of H2H6: not applicable"


def flow(samples: int, unreadable: int | None, **shared: list[str]) -> list[tuple[int, str]]:
    facts = {"n_samples": samples, "n_groups": 3} | (
        {} if unreadable is None else {"n_unreadable": unreadable}
    )
    return [(b["n"], b["text"]) for b in view(dataset=facts, groups={"shared": shared})["flow"]]


def test_the_flow_of_images_adds_up() -> None:
    told = flow(7, 2, g1=["a", "b", "c"], g2=["d", "e"])
    assert [n for n, _ in told] == [9, 2, 7, 5, 3]
    assert told[3][1] == "share a group with another image (3 beyond the first of each group)"
    assert flow(1, None)[0] == (1, "image found") and flow(1, None)[2] == (1, "image analysed")
    assert flow(1, 1)[0] == (2, "images found")


def test_table_one_tells_each_class_apart() -> None:
    samples = pd.DataFrame(
        {"label": ["no", "no", "no", "gone"], "width": [10, 1000, 30, 5], "n_bytes": [1, 2, 4, 8],
         "format": ["PNG", "JPEG", "PNG", "PNG"], "mode": ["L", "RGB", "L", "L"]}
    )  # fmt: skip
    table = view(samples=samples)["table"]
    assert table["heads"] == ["property", "no", "yes"]
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert rows["images"] == ["2", "2"] and rows["groups"] == ["1", "2"]
    assert rows["width in pixels, median (range)"] == ["30 (10 to 1,000)", ""]
    assert rows["bytes, median (range)"] == ["2 (1 to 4)", ""]
    assert rows["file format"] == ["PNG 2, JPEG 1", ""]
    assert "height in pixels, median (range)" not in rows and len(view()["table"]["rows"]) == 2


def test_a_finding_shows_its_pairs_or_else_its_first_images() -> None:
    names = [f"s{i}" for i in range(MOST_SHOWN + 5)]
    (one,) = view(finding("H2H1", samples=["a", *names]))["findings"]
    assert one["images"][0] == {"id": "a", "im": 0} and one["images"][1] == {"id": "s0", "im": None}
    assert (len(one["images"]), one["n_images"], one["pairs"]) == (MOST_SHOWN, MOST_SHOWN + 6, [])
    pairs = [{"a": "a", "b": f"b{i}"} for i in range(MOST_PAIRS + 1)]
    (one,) = view(finding("H2H1", samples=["a"], data={"pairs": pairs}))["findings"]
    assert one["images"] == [] and (len(one["pairs"]), one["n_pairs"]) == (MOST_PAIRS, MOST_PAIRS + 1)
    assert one["pairs"][0] == {"a": "a", "b": "b0", "im_a": 0, "im_b": None}
    (one,) = view(finding("H2H103", samples=["a"], data={"pairs": [["x", "y", 3], {"a": "x"}]}))["findings"]
    assert len(one["images"]) == 1 and one["n_pairs"] == 0, "folders that repeat each other are no images"


def test_groups_are_shown_up_to_a_limit_that_is_said() -> None:
    many = {f"g{i}": [f"{i}a", f"{i}b"] for i in range(MOST_GROUPS + 1)}
    found = view(groups={"shared": {"g": list("abcdefgh")}})
    assert (len(found["groups"][0]["images"]), found["groups"][0]["n"]) == (6, 8)
    assert found["groups_note"] == (
        "8 images show a scene that another image shows too, in 1 group; 7 of them are beyond the first of their "
        "group. Each group stays together, in training or in test."
    )
    found = view(groups={"shared": many})
    assert len(found["groups"]) == MOST_GROUPS
    assert found["groups_note"].endswith(f" The first {MOST_GROUPS} groups are shown.")
    some = dict(list(many.items())[:MOST_GROUPS])
    assert "are shown" not in view(groups={"shared": some})["groups_note"]


def test_an_audit_of_before_has_no_rows_of_what_was_understood() -> None:
    assert view()["understood"] == []
