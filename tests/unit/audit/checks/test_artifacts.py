"""The bounds of what was added to images, and when the question does not arise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.planting.summaries import context_of, records, summary

from headtohead.audit.check import Observation
from headtohead.audit.checks import artifacts
from headtohead.audit.context import AuditContext

SAMPLES = records(5)
NAMES = [sample.id for sample in SAMPLES]
NAN = float("nan")


def of(look: Callable[[AuditContext], Observation], *values: dict[str, float]) -> Observation:
    given = {name: summary(name, one) for name, one in zip(NAMES, values, strict=False)}
    return look(context_of(SAMPLES, given))


@pytest.mark.parametrize(
    ("look", "name", "bad", "good"),
    [
        (artifacts.colour_marks, "coloured", 2.1e-4, 2e-4),
        (artifacts.colour_cast, "cast", 0.01, 0.0099),
        (artifacts.moire, "periodic", 6.0, 5.99),
        (artifacts.text_overlay, "glyphs", 1.0, 0.0),
        (artifacts.frames, "frame", 0.9, 0.899),
        (artifacts.bright_background, "ground", 0.6, 0.599),
    ],
)
def test_a_bound_is_where_it_is_said_to_be(
    look: Callable[[AuditContext], Observation], name: str, bad: float, good: float
) -> None:
    found = of(look, {name: bad})
    assert (found.outcome, found.samples) == ("issue", (NAMES[0],))
    assert of(look, {name: good}).outcome == "passed"


@pytest.mark.parametrize("look", [artifacts.colour_marks, artifacts.colour_cast])
def test_colour_means_something_where_most_images_are_grey(
    look: Callable[[AuditContext], Observation],
) -> None:
    tinted = {"cast": 0.05, "coloured": 0.2}
    assert of(look, tinted, tinted).outcome == "issue"
    assert of(look, tinted, tinted, tinted).outcome == "not_applicable", "three of five are in colour"
    edge = {"cast": 0.005, "coloured": 0.2}
    assert of(look, *[edge] * 5).outcome == "not_applicable"


def test_letters_need_a_foreground_somewhere() -> None:
    unknown = {"glyphs": NAN}
    assert of(artifacts.text_overlay, *[unknown] * 5).outcome == "not_applicable"
    assert of(artifacts.text_overlay, *[unknown] * 4, {"glyphs": 3.0}).samples == (NAMES[4],)


@pytest.mark.parametrize(("middle", "outcome"), [(0.3, "issue"), (0.31, "not_applicable")])
def test_a_set_on_bright_ground_has_no_odd_bright_ground(middle: float, outcome: str) -> None:
    """The last image is bright; a ground that is not known does not count."""
    found = of(
        artifacts.bright_background,
        {"ground": NAN},
        {"ground": middle},
        {"ground": middle},
        {"ground": 0.2},
        {"ground": 0.9},
    )
    if outcome == "issue":
        assert (found.outcome, found.samples) == ("issue", (NAMES[4],))
    else:
        assert found.outcome == outcome


def test_no_ground_at_all_is_no_question() -> None:
    assert of(artifacts.bright_background, *[{"ground": NAN}] * 5).outcome == "not_applicable"
