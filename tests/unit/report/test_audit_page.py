"""Page of an audit: each image once, and what the numbers beside images are."""

from __future__ import annotations

import json
from pathlib import Path

from tests.planting.reported import PIXEL, audit

from headtohead.audit.registry import CHECKS
from headtohead.report.audit_page import write_audit_page
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
