"""The 253 real images: what is known of them must be found by checks that know no file name."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.audit.audit import AuditResult, audit
from headtohead.audit.duplicates.records import Grouping
from headtohead.data.load import load

pytestmark = pytest.mark.slow  # half a minute for the audit of 253 images, which most machines lack


@pytest.fixture(scope="module")
def result(brain_mri: Path) -> AuditResult:
    """The whole audit but for the search for near-duplicates, which has tests of its own."""
    data = load(str(brain_mri))
    groups = {s.id: s.pixel_hash for s in data.samples}
    return audit(data, grouping=Grouping(groups, (), (), (), (), {"images": len(groups)}))


def named(result: AuditResult, code: str) -> list[str]:
    found = result.finding(code)
    assert found.outcome == "issue", found.message
    return [sample.rsplit("/", 1)[-1] for sample in found.samples]


def test_suffixes_that_lie(result: AuditResult) -> None:
    assert len(named(result, "H2H102")) == 6
    assert result.finding("H2H102").data["kinds"] == {".jpg with PNG inside": 6}
    assert set(named(result, "H2H104")) == {"Y92.jpg", "Y92.png"}
    assert len(named(result, "H2H108")) == 74
    assert result.finding("H2H108").data["by_class"] == {"no": 6, "yes": 68}


def test_copies(result: AuditResult) -> None:
    sets = result.finding("H2H201").data["sets"]
    assert (len(sets), sum(len(v) - 1 for v in sets)) == (22, 25)
    assert result.finding("H2H204").outcome == "passed"


def test_the_classical_crop(result: AuditResult) -> None:
    assert set(named(result, "H2H126")[:3]) == {"Y259.JPG", "N22.JPG", "Y244.JPG"}
    assert {"Y10.jpg", "Y89.JPG", "Y148.JPG", "Y167.JPG"} <= set(named(result, "H2H127"))


def test_images_that_do_not_belong(result: AuditResult) -> None:
    assert "Y248.JPG" in named(result, "H2H130")[:3]  # an abdomen
    assert "N1.JPG" in named(result, "H2H131")  # a CT
    assert {"No16.jpg", "Y167.JPG"} == set(named(result, "H2H125"))


def test_what_was_added(result: AuditResult) -> None:
    assert {"Y10.jpg", "Y37.jpg", "Y89.JPG", "Y109.JPG", "Y148.JPG"} <= set(named(result, "H2H124"))
    assert {"No14.jpg", "45 no.jpg", "Y89.JPG", "Y73.jpg", "Y104.jpg", "Y180.jpg"} <= set(
        named(result, "H2H123")
    )
    assert {"31 no.jpg", "Y22.jpg", "Y46.jpg", "Y168.jpg"} <= set(named(result, "H2H120"))
    assert {"Y46.jpg", "Y47.JPG", "Y59.JPG", "Y113.JPG", "Y193.JPG"} <= set(named(result, "H2H121"))


def test_file_facts_alone_come_near_the_known_figure(result: AuditResult) -> None:
    found = result.finding("H2H301")
    assert found.outcome == "issue"
    assert found.data["auroc"]["value"] == pytest.approx(0.81, abs=0.03)
    assert found.data["auroc"]["low"] < 0.81 < found.data["auroc"]["high"]


def test_marks_are_counted_by_class(result: AuditResult) -> None:
    share = result.finding("H2H306").data["marks"]["letters"]["share"]
    assert share["yes"] > 2 * share["no"] > 0


def test_nothing_is_called_severe_that_grouped_folds_can_handle(result: AuditResult) -> None:
    assert result.at_least("severe") == ()


@pytest.mark.slow
def test_the_whole_audit_with_duplicates(brain_mri: Path) -> None:
    whole = audit(load(str(brain_mri)))
    assert 190 <= whole.dataset_facts["n_groups"] <= 212
    assert whole.finding("H2H202").outcome == "issue"
    assert whole.finding("H2H209").data["share"] == pytest.approx(0.32, abs=0.04)
    assert whole.finding("H2H403").outcome == "passed"
