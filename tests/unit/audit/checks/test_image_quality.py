"""Each bound of the checks on image quality, from both sides, and what is said of whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.planting.summaries import context_of, record, records, summary

from headtohead.audit.check import Observation
from headtohead.audit.checks import image_quality as quality
from headtohead.audit.context import AuditContext

Look = Callable[[AuditContext], Observation]
NAN = float("nan")
SAMPLES = [*records(9), record("yes/a.png", "yes")]
NAMES = [sample.id for sample in SAMPLES]


def of(look: Look, *values: dict[str, float], **fields: Any) -> Observation:
    """Return what a check says where the first images have these measures."""
    given = {name: summary(name, one, **fields) for name, one in zip(NAMES, values, strict=False)}
    return look(context_of(SAMPLES, given))


@pytest.mark.parametrize(
    ("look", "name", "bad", "good"),
    [
        (quality.blank, "spread", 0.0099, 0.01),
        (quality.clipped, "at_white", 0.10, 0.0999),
        (quality.few_levels, "levels", 23.0, 24.0),
        (quality.blurred, "softness", 0.62, 0.6199),
        (quality.noise, "adjacent", 0.4999, 0.5),
        (quality.extreme_aspect, "aspect", 2.5, 2.4999),
    ],
)
def test_a_bound_is_where_it_is_said_to_be(look: Look, name: str, bad: float, good: float) -> None:
    assert of(look, {name: bad}).samples == (NAMES[0],)
    assert of(look, {name: good}).outcome == "passed"
    assert of(look, {name: NAN}).outcome == "passed", "what could not be measured is not named"


@pytest.mark.parametrize("look", [quality.few_levels, quality.blurred])
def test_a_blank_image_is_named_once_and_not_for_what_follows_from_that(look: Look) -> None:
    empty = {"spread": 0.005, "levels": 1.0, "softness": 1.0}
    assert of(quality.blank, empty).outcome == "issue"
    assert of(look, empty).outcome == "passed"
    assert of(look, {**empty, "spread": 0.01}).outcome == "issue"


def test_images_stand_worst_first_and_equals_by_name() -> None:
    found = of(quality.blurred, {"softness": 0.7}, {"softness": 0.9}, {"softness": 0.7}, {"softness": 0.65})
    assert list(found.samples) == [NAMES[1], NAMES[0], NAMES[2], NAMES[3]]
    assert found.data["scores"] == {NAMES[1]: 0.9, NAMES[0]: 0.7, NAMES[2]: 0.7, NAMES[3]: 0.65}
    assert found.message.startswith("4 of 10 images are soft for their size")


def test_the_less_there_is_the_worse_it_is() -> None:
    assert of(quality.few_levels, {"levels": 9.0}, {"levels": 2.0}).samples == (NAMES[1], NAMES[0])
    assert of(quality.noise, {"adjacent": 0.4}, {"adjacent": -0.1}).samples == (NAMES[1], NAMES[0])
    assert of(quality.blank, {"spread": 0.009}, {"spread": 0.0}).samples == (NAMES[1], NAMES[0])


def test_one_image_is_spoken_of_as_one_and_counted_by_class() -> None:
    found = quality.clipped(context_of(SAMPLES, {"yes/a.png": summary("yes/a.png", {"at_white": 0.5})}))
    assert found.message == "1 of 10 images has 10 % or more of its pixels at full white: yes/a.png".replace(
        "its", "their"
    )
    assert found.data["by_class"] == {"no": 0, "yes": 1}


@pytest.mark.parametrize(("n", "severity"), [(1, None), (2, "severe"), (3, "severe")])
def test_noise_in_two_of_a_hundred_is_severe(n: int, severity: str | None) -> None:
    samples = records(100)
    given = {s.id: summary(s.id, {"adjacent": 0.0}) for s in samples[:n]}
    assert quality.noise(context_of(samples, given)).severity == severity


@pytest.mark.parametrize(
    ("height", "width", "outcome"), [(63, 500, "issue"), (500, 63, "issue"), (64, 64, "passed")]
)
def test_the_shorter_edge_decides_what_is_tiny(height: int, width: int, outcome: str) -> None:
    assert of(quality.tiny, {}, height=height, width=width).outcome == outcome


def test_the_smallest_image_stands_first() -> None:
    given = {n: summary(n, height=h) for n, h in zip(NAMES, (40, 10, 63), strict=False)}
    assert quality.tiny(context_of(SAMPLES, given)).samples == (NAMES[1], NAMES[0], NAMES[2])


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [({}, "passed"), ({"exif_orientation": "1"}, "passed"), ({"exif_orientation": "0"}, "passed"),
     ({"exif_orientation": "3"}, "issue")],
)  # fmt: skip
def test_only_a_tag_that_turns_counts(facts: dict[str, str], outcome: str) -> None:
    assert of(quality.orientation, {}, facts=facts).outcome == outcome


def test_sizes_spread_from_twice_on() -> None:
    samples = records(20)

    def edges(high: float) -> Observation:
        given = {s.id: summary(s.id, {"edge": 100.0 if i < 10 else high}) for i, s in enumerate(samples)}
        return quality.sizes(context_of(samples, given))

    assert edges(199.0).outcome == "passed"
    found = edges(200.0)
    assert found.outcome == "issue"
    assert (found.data["p05"], found.data["p95"], found.data["distinct"]) == (100.0, 200.0, 1)
    assert "from 100 to 200 pixels" in found.message


def test_one_giant_among_twenty_one_is_no_spread() -> None:
    samples = records(41)
    given = {samples[0].id: summary(samples[0].id, {"edge": 4000.0})}
    assert quality.sizes(context_of(samples, given)).outcome == "passed"


def test_spacing_differs_from_a_fifth_on_and_where_some_do_not_say_it() -> None:
    samples = records(3)

    def stated(*spacings: float | None) -> Observation:
        given = {
            s.id: summary(s.id, spacing_mm=None if mm is None else (mm, mm))
            for s, mm in zip(samples, spacings, strict=True)
        }
        return quality.spacing(context_of(samples, given))

    assert stated(None, None, None).outcome == "not_applicable"
    assert stated(0.5, 0.6, 0.5).outcome == "passed"
    found = stated(0.5, 0.61, 0.5)
    assert found.outcome == "issue" and found.samples[0] == samples[1].id, "the coarsest first"
    assert found.message == "pixel spacing runs from 0.5 to 0.61 mm"
    partly = stated(0.5, None, None)
    assert partly.outcome == "issue" and partly.data["missing"] == 2
    assert partly.message.endswith(", and 2 files do not state it")


def test_transparency_is_told_by_the_reader() -> None:
    found = of(quality.alpha, {}, alpha=True)
    assert found.samples == (NAMES[0],) and "1 of 10 images carries an alpha channel" in found.message
    assert of(quality.alpha, {}).outcome == "passed"
