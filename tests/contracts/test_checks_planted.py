"""Each defect is planted into a clean synthetic set; its check must fire, and on the clean set stay quiet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.planting.defects import PLANTS, Plant
from tests.planting.memory import CLEAN, altered, class_rows, clean_set, known, pixels_by, without
from tests.planting.pixels import NOISE, brownish

from headtohead.audit import measuring
from headtohead.audit.audit import AuditResult, audit
from headtohead.audit.check import run_checks
from headtohead.audit.context import AuditConfig, AuditContext
from headtohead.audit.descriptors.image_pass import Foreground, summarise_image
from headtohead.audit.registry import CHECKS, get_check
from headtohead.core.records import Image
from headtohead.report.views.measured import MEASURED


@pytest.fixture(autouse=True)
def measure_each_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the measures of images that many planted sets share; a changed image is another object."""

    def once(name: str, image: Image, *, classical: bool = True, foreground: Foreground) -> Any:
        key = (name, id(image), classical)
        if key not in SEEN:
            SEEN[key] = (image, summarise_image(name, image, classical=classical, foreground=foreground))
        return SEEN[key][1]

    monkeypatch.setattr(measuring, "summarise_image", once)


SEEN: dict[Any, Any] = {}


# ---- the contract -------------------------------------------------------------------------------------------


def look(plant: Plant) -> Any:
    grouping = plant.grouping or known(plant.data)
    context = AuditContext(plant.data, plant.settings, grouping=grouping)
    return run_checks(context, [get_check(plant.code)])[0]


@pytest.mark.parametrize("plant", PLANTS, ids=[f"{p.code}-{p.name}" for p in PLANTS])
def test_a_planted_defect_is_caught(plant: Plant) -> None:
    found = look(plant)
    assert found.outcome == plant.outcome, found.message
    assert plant.samples <= set(found.samples)
    assert found.message and found.advice
    if plant.severity is not None:
        assert found.severity == plant.severity
    if "scores" in found.data or "lost" in found.data:
        assert plant.code in MEASURED, "the page says what the numbers beside its images are"


def test_fifty_kinds_are_planted_and_every_check_is_among_them() -> None:
    assert len(PLANTS) >= 50
    # H2H128 speaks of images without a foreground; it has a test of its own below
    assert {p.code for p in PLANTS} | {"H2H128"} == {c.code for c in CHECKS}


@pytest.fixture(scope="module")
def clean_result() -> AuditResult:
    return audit(CLEAN, AuditConfig(seed=1), grouping=known(CLEAN))


SMALL_SET = {"H2H503", "H2H504", "H2H505"}
"""Sixty images are too few for these, and they say so."""


def test_a_clean_set_has_no_issue_but_its_size(clean_result: AuditResult) -> None:
    loud = {f.code: f.message for f in clean_result.findings if f.outcome in ("issue", "tip")}
    assert set(loud) == SMALL_SET, loud


def test_every_check_answers_and_no_outcome_is_silent(clean_result: AuditResult) -> None:
    assert [f.code for f in sorted(clean_result.findings, key=lambda f: f.code)] == [c.code for c in CHECKS]
    assert all(f.message for f in clean_result.findings)


NOT_HERE = {
    "H2H109": "several frames", "H2H119": "spacing", "H2H203": "split", "H2H206": "split", "H2H406": "patients",
    "H2H407": "split",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(NOT_HERE))
def test_what_cannot_arise_is_not_applicable(code: str, clean_result: AuditResult) -> None:
    found = clean_result.finding(code)
    assert found.outcome == "not_applicable"
    assert NOT_HERE[code] in found.message


def test_one_class_makes_the_label_checks_not_applicable() -> None:
    data = replace(
        CLEAN.subset(s.id for s in CLEAN.samples if s.label == "no"), classes=("no",), positive=None
    )
    context = AuditContext(data, grouping=known(data))
    for code in (
        "H2H204",
        "H2H301",
        "H2H302",
        "H2H303",
        "H2H304",
        "H2H306",
        "H2H401",
        "H2H403",
        "H2H404",
        "H2H505",
    ):
        assert run_checks(context, [get_check(code)])[0].outcome == "not_applicable", code


def test_colour_images_make_the_colour_checks_not_applicable() -> None:
    tinted = altered(CLEAN, range(60), pixels_by(brownish))
    context = AuditContext(tinted, grouping=known(tinted))
    for code in ("H2H120", "H2H121"):
        assert run_checks(context, [get_check(code)])[0].outcome == "not_applicable"


def test_the_classical_crop_can_be_left_out() -> None:
    context = AuditContext(CLEAN, AuditConfig(classical=False), grouping=known(CLEAN))
    for code in ("H2H126", "H2H127"):
        assert run_checks(context, [get_check(code)])[0].outcome == "not_applicable"


def test_a_few_images_without_foreground_are_named() -> None:
    data = altered(
        CLEAN, [2], pixels_by(lambda p: np.asarray(p * 0 + 90 + NOISE.integers(0, 2, p.shape), np.uint8))
    )
    found = run_checks(AuditContext(data, grouping=known(data)), [get_check("H2H128")])[0]
    assert found.outcome == "issue"
    assert found.samples == (CLEAN.samples[2].id,)


def test_without_probabilities_the_label_check_is_skipped_and_says_what_it_needs(
    clean_result: AuditResult,
) -> None:
    found = clean_result.finding("H2H402")
    assert found.outcome == "skipped"
    assert "headtohead compare" in found.advice


def test_a_contender_above_the_shortcuts_passes() -> None:
    context = AuditContext(CLEAN, AuditConfig(best=("good-net", 0.97)), grouping=known(CLEAN))
    found = run_checks(context, [get_check("H2H305")])[0]
    assert found.outcome == "passed", found.message


def test_reviewers_groups_mean_that_copies_were_not_searched() -> None:
    context = AuditContext(CLEAN, grouping=known(CLEAN, counts={}))
    for code in ("H2H202", "H2H208"):
        found = run_checks(context, [get_check(code)])[0]
        assert found.outcome == "skipped"
        assert "reviewer" in found.message


LITTLE = {"two": range(2, 60), "one": range(1, 60), "a class without samples": class_rows(CLEAN, "yes")}


@pytest.mark.parametrize("what", sorted(LITTLE))
def test_no_check_breaks_on_next_to_nothing(what: str) -> None:
    data = without(LITTLE[what])
    found = audit(data, grouping=known(data))
    assert len(found.findings) == len(CHECKS)


QUIET_ON_CLEAN = [c for c in CHECKS if c.code not in SMALL_SET]


@pytest.mark.slow
def test_false_alarms_on_clean_sets_are_rare() -> None:
    """Twenty further clean sets: shortcuts may fire by chance (an interval of 95 % over 0.5), nothing else."""
    alarms: dict[str, int] = {}
    rounds = 20
    for seed in range(100, 100 + rounds):
        data = clean_set(seed=seed)
        context = AuditContext(data, grouping=known(data))
        for found in run_checks(context, QUIET_ON_CLEAN):
            assert not (found.outcome == "issue" and found.severity == "severe"), (seed, found)
            alarms[found.code] = alarms.get(found.code, 0) + (found.outcome in ("issue", "tip"))
    total = sum(alarms.values()) / (rounds * len(QUIET_ON_CLEAN))
    assert total <= 0.01, {k: v for k, v in alarms.items() if v}


def test_few_groups_of_one_size_do_not_dominate() -> None:
    data = replace(
        CLEAN,
        samples=tuple(s.model_copy(update={"group": f"p{i % 4}"}) for i, s in enumerate(CLEAN.samples)),
    )
    context = AuditContext(data, grouping=known(data))
    assert run_checks(context, [get_check("H2H506")])[0].outcome == "passed"
