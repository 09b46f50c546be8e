"""Page of an audit: each image once, what the numbers beside images are, and each sentence in each state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.planting.reported import PIXEL, audit

from headtohead.audit.registry import CHECKS
from headtohead.core.errors import RunFolderError
from headtohead.report import audit_page
from headtohead.report.audit_page import MAX_SCENES, MAX_THUMBS, _frame, _view, write_audit_page
from headtohead.report.views.image_store import ImageStore
from headtohead.report.views.measured import MEASURED, measured


def page(folder: Path, code: str, scores: dict[str, float]) -> str:
    facts = audit()
    facts["dataset"] |= {"width": [8, 8, 8], "height": [8, 8, 8]}
    facts["findings"][0] |= {"code": code, "samples": list(scores), "data": {"scores": scores}}
    facts["groups"]["shared"] = {"g0": list(scores)}
    (folder / "audit.json").write_text(json.dumps(facts))
    (folder / "thumbs.json").write_text(json.dumps(dict.fromkeys(scores, PIXEL)))
    return write_audit_page(folder).read_text()


def test_each_image_is_in_the_page_once(tmp_path: Path) -> None:
    made = page(tmp_path, "H2H123", {"no/0": 42.0, "no/1": 3.0})
    assert made.count(PIXEL) == 1, (
        "in the finding and in its group, of two files that are copies, but kept once"
    )
    assert made.count('aria-label="no/0"') == 2


def test_numbers_beside_images_say_what_they_are(tmp_path: Path) -> None:
    made = page(tmp_path, "H2H123", {"no/0": 42.0})
    assert "1 image; in brackets: number of marks" in made and "no/<wbr>0 (42)" in made
    made = page(tmp_path, "H2H110", {"no/0": 1.0})
    assert "in brackets" not in made and "no/<wbr>0 (1)" not in made, "a number that only sorts says nothing"
    assert measured("H2H112", -28.0) == "28" and measured("H2H120", 0.0003) == "0.03 %"
    assert set(MEASURED) <= {check.code for check in CHECKS}


def test_a_folder_without_an_audit_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError) as caught:
        write_audit_page(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds no audit.json. Make one with: headtohead audit DATA --out {tmp_path}"
    )
    (tmp_path / "audit.json").write_text("{}")
    with pytest.raises(RunFolderError, match="do not fit together"):
        write_audit_page(tmp_path)
    assert not (tmp_path / "audit.html").exists()


# ---- what the page says, without the page ----


def finding(
    code: str = "H2H123", outcome: str = "issue", severity: str = "note", **more: Any
) -> dict[str, Any]:
    known = {"code": code, "title": f"t {code}", "severity": severity, "outcome": outcome, "message": "m",
             "advice": "do", "samples": [], "data": {}}  # fmt: skip
    return {**known, **more}


def probe(kind: str, value: float, low: float, **more: Any) -> dict[str, Any]:
    auroc = {"value": value, "low": low, "high": 0.99}
    return finding(data={"probe": kind, "auroc": auroc, "curve": [[0, 0], [0.2, 0.8], [1, 1]], **more})


def facts(*findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = audit() | {"findings": list(findings), "groups": {"shared": {}, "pairs": []}, **more}
    found["dataset"] |= {"width": [10, 20, 30], "height": [8, 9, 12]}
    return found


STORE = {"a": PIXEL, "b": PIXEL}


def view(*findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return _view(facts(*findings, **more), ImageStore({}, STORE))


def tiles(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    made = _frame(found, _view(found, ImageStore({}, STORE))).tiles
    return {tile.title: (tile.value, tile.note, tile.tone) for tile in made}


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"severe": 1, "warning": 4}, "1 severe issue: a comparison on these data would not be valid."),
        ({"severe": 2}, "2 severe issues: a comparison on these data would not be valid."),
        ({"warning": 1}, "No severe issue, 1 warning: a comparison is possible; read the warnings first."),
        ({"note": 9, "passed": 3}, "No check speaks against a comparison."),
    ],
)
def test_the_answer(counts: dict[str, int], sentence: str) -> None:
    found = facts(counts=counts)
    assert _frame(found, _view(found, ImageStore({}, STORE))).heading == sentence
    severe, warnings = tiles(found)["Severe issues"], tiles(found)["Warnings"]
    assert severe[0] == str(counts.get("severe", 0)) and (severe[2] == "severe") == ("severe" in counts)
    assert warnings[0] == str(counts.get("warning", 0)) and (warnings[2] == "warning") == (
        "warning" in counts
    )


def test_the_lead_tells_size_classes_and_digest() -> None:
    found = facts()
    found["dataset"]["positive"] = "yes"
    lead = _frame(found, _view(found, ImageStore({}, STORE))).lead
    assert lead == (
        "4 images in 3 groups. no: 2 images in 1 group; yes: 2 images in 2 groups. Positive class: yes.",
        "10 to 30 pixels wide, 8 to 12 high. Digest of the data: abc123.",
    )


def test_the_strongest_shortcut_has_a_tile() -> None:
    one, two = probe("facts", 0.7, 0.6), probe("border", 0.8, 0.5)
    assert "Strongest shortcut" not in tiles(facts(finding()))
    assert tiles(facts(one, two))["Strongest shortcut"] == ("AUROC 0.80", "border; 0.5 is chance", "passed")
    two["data"]["auroc"]["low"] = 0.51
    assert tiles(facts(one, two))["Strongest shortcut"][2] == "warning"
    other = finding(data={"auroc": {"value": 1.0}, "probe": "another"})
    assert tiles(facts(one, other))["Strongest shortcut"][0] == "AUROC 0.70"


def test_sections_are_those_that_have_something() -> None:
    def named(*findings: dict[str, Any], **more: Any) -> list[str]:
        found = facts(*findings, **more)
        return [key for key, _ in _frame(found, _view(found, ImageStore({}, STORE))).sections]

    assert named() == ["findings", "quiet"]
    curve = finding("H2H505", data={"curve": [[10, 0.3], [100, 0.1]]})
    outlier = finding(data={"ranking": {"a": [3.0, 4.2]}})
    box = {"size": [100, 200], "classical": [10, 20, 60, 180], "foreground": None}
    crop = finding(data={"boxes": {"a": box}, "lost": {"a": 0.31}})
    groups = {"shared": {"g": ["a", "b"]}, "pairs": []}
    every = ["findings", "shortcuts", "scenes", "outliers", "crops", "size", "quiet"]
    assert named(probe("facts", 0.7, 0.6), outlier, crop, curve, groups=groups) == every


def test_boxes_are_given_in_per_cent_of_the_image() -> None:
    boxes = {
        "a": {"size": [100, 200], "classical": [10, 20, 60, 180], "foreground": None},
        "gone": {"size": [1, 1], "classical": None, "foreground": None},
    }
    (crop,) = view(finding(data={"boxes": boxes, "lost": {"a": 0.314, "gone": 1.0}}))["crops"]
    assert crop == {
        "id": "a", "im": 0, "lost": "31 %", "ratio": "200 / 100", "foreground": "display:none",
        "classical": "top:10.0%;left:10.0%;height:50.0%;width:80.0%",
    }  # fmt: skip


def test_outliers_are_those_of_issues_and_have_images() -> None:
    ranking = {f"s{i}": [1.0, float(i)] for i in range(20)} | {"a": [3.0, 4.2]}
    store = ImageStore({}, dict.fromkeys(ranking, PIXEL))
    assert len(_view(facts(finding(data={"ranking": ranking})), store)["outliers"][0]["images"]) == 16
    (row,) = view(finding(data={"ranking": ranking}), finding(outcome="passed", data={"ranking": ranking}))[
        "outliers"
    ]
    assert row["images"] == [{"id": "a", "im": 0, "z": 4.2}]


def pair(kind: str, a: str = "d/a", b: str = "d/b", **evidence: Any) -> dict[str, Any]:
    return {"a": a, "b": b, "kind": kind, "evidence": evidence}


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (pair("exact"), "a / b: pixels equal"),
        (pair("near", zoom=1.015, turn=1.0, overlap=0.98), "a / b: near copy"),
        (pair("near", zoom=1.03, turn=-1.1, overlap=0.97),
         "a / b: near copy, zoom 1.03, rotated −1.1 degrees, overlap 97 %"),
        (pair("near", a="x/-1.png", b="x/-2.png", zoom=0.5, ncc=-0.25),
         "-1.png / -2.png: near copy, zoom 0.50, correlation −0.250"),
        (pair("mirrored", inverted=True, ncc=0.98765, inliers=41),
         "a / b: mirrored copy, inverted, correlation 0.988, 41 matching points"),
        (pair("near", inverted=False, inliers=None), "a / b: near copy"),
        (pair("new kind"), "a / b: new kind"),
    ],
)  # fmt: skip
def test_what_differs_between_two_images_of_one_scene(seen: dict[str, Any], told: str) -> None:
    groups = {"shared": {"g": [seen["b"], seen["a"]]}, "pairs": [seen]}
    assert view(groups=groups)["scenes"][0]["differ"] == [told]


def test_scenes_with_something_to_see_stand_first_then_the_larger() -> None:
    shared = {"g1": ["a", "b", "c"], "g2": ["d", "e"], "g3": ["f", "g", "h"], "g4": ["i", "j"]}
    pairs = [pair("exact", "a", "b"), pair("near", "d", "e"), pair("near", "f", "g"), pair("near", "f", "i")]
    scenes = view(groups={"shared": shared, "pairs": pairs})["scenes"]
    assert [one["name"] for one in scenes] == ["g3", "g2", "g1", "g4"]
    assert scenes[0]["differ"] == ["f / g: near copy"], "f and i are in two groups"
    big = view(groups={"shared": {"g": list("abcdefgh")}, "pairs": []})["scenes"][0]
    assert (len(big["images"]), big["n"]) == (6, 8)
    many = {f"g{i}": [f"{i}a", f"{i}b"] for i in range(MAX_SCENES + 3)}
    found = view(groups={"shared": many, "pairs": []})
    assert (len(found["scenes"]), found["more_scenes"]) == (MAX_SCENES, 3)
    assert view(groups={"shared": shared, "pairs": []})["more_scenes"] == 0


def test_a_finding_shows_its_first_images_and_counts_all() -> None:
    names = [f"s{i}" for i in range(MAX_THUMBS + 4)]
    store = ImageStore({}, dict.fromkeys(names, PIXEL))
    one = finding(samples=["gone", *names], data={"scores": {"s0": 3.0}})
    (found,) = _view(facts(one), store)["findings"]
    assert (len(found["thumbs"]), found["n"]) == (MAX_THUMBS, MAX_THUMBS + 5)
    assert [thumb["score"] for thumb in found["thumbs"][:2]] == ["3", ""]
    assert (found["label"], found["measured"]) == ("note", "number of marks")
    (found,) = view(finding(outcome="tip", samples=["a"]))["findings"]
    assert (found["label"], found["tone"], found["measured"]) == ("tip", "tip", "")
    quiet = view(finding(outcome="passed"), finding(outcome="skipped"), finding(outcome="tip"))["quiet"]
    assert [one["outcome"] for one in quiet] == ["passed", "skipped"]


def test_shortcuts_are_drawn_beside_the_best_contender(monkeypatch: pytest.MonkeyPatch) -> None:
    best = {"name": "vit", "auroc": 0.93}
    found = view(probe("facts", 0.7, 0.6, best_contender=best), probe("border", 0.6, 0.4))
    assert "file facts" in found["bars"] and "var(--good," in found["bars"]
    assert "var(--good," not in view(probe("facts", 0.7, 0.6))["bars"]
    assert [one["name"] for one in found["legend"]] == ["file facts", "border"]
    assert found["curves"].startswith("<svg") and "ROC curves of the shortcuts" in found["curves"]
    none = view(probe("facts", 0.7, 0.6, curve=[]))
    assert none["curves"] == "" and none["bars"] and view()["bars"] == ""
    seen: dict[str, Any] = {}

    def keep(curves: Any, **_: Any) -> Any:
        seen.update(curves)
        raise LookupError

    monkeypatch.setattr("headtohead.report.figures.plot_roc", keep)
    with pytest.raises(LookupError):
        audit_page._curves([probe("border", 0.6, 0.4)["data"]])
    curve = seen["border"]
    assert (curve.false_positive_rate, curve.true_positive_rate) == ((0.0, 0.2, 1.0), (0.0, 0.8, 1.0))
