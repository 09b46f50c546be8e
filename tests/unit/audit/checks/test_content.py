"""Crops that miss the subject and images that stand apart: bounds, order and severity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.planting.summaries import context_of, records, summary

from headtohead.audit.check import Observation
from headtohead.audit.checks import content
from headtohead.audit.context import AuditConfig
from headtohead.core.records import Box

SAMPLES = records(10)
NAMES = [sample.id for sample in SAMPLES]


def lost(*shares: float) -> Observation:
    boxes: dict[str, Any] = {"foreground": Box(1, 2, 30, 40), "classical": Box(5, 6, 20, 30), "height": 50}
    given = {name: summary(name, {"crop_lost": s}, **boxes) for name, s in zip(NAMES, shares, strict=False)}
    return content.crop_cuts_subject(context_of(SAMPLES, given))


@pytest.mark.parametrize(
    ("share", "outcome", "severity"),
    [(0.149, "passed", None), (0.15, "issue", "note"), (0.299, "issue", "note"), (0.30, "issue", None)],
)
def test_a_clip_is_a_note_and_a_cut_a_warning(share: float, outcome: str, severity: str | None) -> None:
    found = lost(share)
    assert (found.outcome, found.severity) == (outcome, severity)


def test_cuts_and_clips_are_told_apart_worst_first_with_both_boxes() -> None:
    found = lost(0.2, 0.31, 0.9, 0.05)
    assert found.samples == (NAMES[2], NAMES[1], NAMES[0])
    assert (
        f"cuts off 30 % or more of the foreground in 2 images ({NAMES[2]}, {NAMES[1]}) and clips 15 % to 30 % in 1 more"
        in found.message
    )
    assert found.data["lost"] == {NAMES[2]: 0.9, NAMES[1]: 0.31, NAMES[0]: 0.2}
    assert found.data["boxes"][NAMES[0]] == {
        "size": [50, 100], "classical": [5, 6, 20, 30], "foreground": [1, 2, 30, 40],
    }  # fmt: skip
    assert "clips 15 % to 30 % of the foreground in 1 image" in lost(0.2).message


@pytest.mark.parametrize("look", [content.crop_cuts_subject, content.crop_keeps_background])
def test_crops_are_no_question_without_foregrounds_or_where_not_asked_for(look: Any) -> None:
    nan = {"crop_lost": float("nan"), "crop_other": float("nan")}
    unknown = {name: summary(name, nan) for name in NAMES}
    assert look(context_of(SAMPLES, unknown)).outcome == "not_applicable"
    assert look(context_of(SAMPLES, settings=AuditConfig(classical=False))).outcome == "not_applicable"
    assert look(context_of(SAMPLES)).outcome == "passed"


@pytest.mark.parametrize(("share", "outcome"), [(0.03, "issue"), (0.0299, "passed")])
def test_what_a_crop_keeps_counts_from_three_in_a_hundred(share: float, outcome: str) -> None:
    given = {NAMES[0]: summary(NAMES[0], {"crop_other": share})}
    assert content.crop_keeps_background(context_of(SAMPLES, given)).outcome == outcome


WHOLE: dict[str, Any] = {"foreground": Box(0, 0, 100, 100), "foreground_note": "whole image kept"}
FOUND: dict[str, Any] = {"foreground": Box(10, 10, 60, 60), "foreground_note": "trimmed"}


def without(n_lost: int, n_whole: int) -> Observation:
    given = {name: summary(name, **FOUND) for name in NAMES}
    given |= {name: summary(name) for name in NAMES[:n_lost]}
    given |= {n: summary(n, {"foreground": 1.0}, **WHOLE) for n in NAMES[n_lost : n_lost + n_whole]}
    return content.no_foreground(context_of(SAMPLES, given))


def test_lost_subjects_stand_before_images_kept_whole() -> None:
    found = without(1, 2)
    assert found.samples == (NAMES[0], NAMES[1], NAMES[2]) and "have no foreground" in found.message
    assert without(0, 0).outcome == "passed"
    assert without(2, 3).outcome == "issue"
    assert without(3, 3).outcome == "not_applicable", "more than half: the recipe does not suit the set"


@pytest.mark.parametrize(
    ("note", "share", "outcome"),
    [("whole image kept", 0.999, "passed"), ("whole image kept", 1.0, "issue"), ("trimmed", 1.0, "passed"),
     ("the ground is not darker than the subject", 1.0, "issue")],
)  # fmt: skip
def test_kept_whole_is_what_the_recipe_says_and_does(note: str, share: float, outcome: str) -> None:
    given = {name: summary(name, **FOUND) for name in NAMES}
    fields = {"foreground": Box(0, 0, 100, 100), "foreground_note": note}
    given[NAMES[3]] = summary(NAMES[3], {"foreground": share}, **fields)
    assert content.no_foreground(context_of(SAMPLES, given)).outcome == outcome


# ---- images that stand apart --------------------------------------------------------------------------------

MANY = records(200)
NEAR = np.random.default_rng(0).uniform(0.9, 1.1, 200)


def ranked(*changes: tuple[int, float], base: Any = NEAR) -> Observation:
    distance = np.array(base)
    for place, value in changes:
        distance[place] = value
    return content._ranked(context_of(MANY), distance, "by hand", "odd")


def test_the_farthest_are_named_with_the_few_that_follow() -> None:
    found = ranked((7, 9.0), (3, 5.0))
    assert found.samples[:2] == (MANY[7].id, MANY[3].id) and len(found.samples) == 5
    assert (
        f"2 images stand far out by hand (odd): {MANY[7].id}, {MANY[3].id}; next in line: " in found.message
    )
    assert found.data["ranking"][MANY[7].id][0] == 9.0 and len(found.data["ranking"]) == 30
    assert found.data["threshold"] == {"z": 3.5, "times_median": 1.65}


def test_far_is_both_unlikely_and_far() -> None:
    assert ranked((7, 1.5)).outcome == "passed", "z is above 3.5, but it is only half as far again"
    assert ranked((7, 1.8)).outcome == "issue"
    wide = np.exp(np.random.default_rng(1).normal(0, 1.0, 200))
    assert ranked((7, 4 * float(np.median(wide))), base=wide).outcome == "passed", (
        "four times as far is common there"
    )


def test_equal_images_have_no_distance_and_nobody_stands_out() -> None:
    found = ranked(base=np.zeros(200))
    assert found.outcome == "passed" and "largest robust z 0.0" in found.message


@pytest.mark.parametrize("look", [content.unlike_the_rest, content.unusual_layout])
def test_unusual_needs_twenty_groups_that_can_all_be_read(look: Any) -> None:
    assert look(context_of(records(19))).outcome == "not_applicable"
    assert look(context_of(records(20), {"no/003.png": "truncated"})).outcome == "not_applicable"
    grouped = [s.model_copy(update={"group": f"g{i // 2}"}) for i, s in enumerate(records(38))]
    assert "there are 19" in look(context_of(grouped)).message


@pytest.mark.parametrize("n", [20, 21, 37, 60, 61])
def test_equal_thumbnails_are_no_layout(n: int) -> None:
    """The deviation of equal numbers may be off nought by rounding, for some numbers of images."""
    samples = records(n)
    grey = {s.id: summary(s.id, thumbnail=np.full((16, 16), 77, np.uint8)) for s in samples}
    assert content.unusual_layout(context_of(samples, grey)).outcome == "not_applicable"


def test_a_bright_image_among_dark_ones_is_named() -> None:
    samples, rng = records(40), np.random.default_rng(2)
    given = {s.id: summary(s.id, thumbnail=rng.integers(20, 60, (16, 16)).astype(np.uint8)) for s in samples}
    odd = samples[11].id
    given[odd] = summary(odd, thumbnail=rng.integers(180, 250, (16, 16)).astype(np.uint8))
    assert content.unusual_layout(context_of(samples, given)).samples[0] == odd
