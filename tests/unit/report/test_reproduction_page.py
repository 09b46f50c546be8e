"""Page of a reproduction: self-contained, escaped, with a style sheet that the browser can read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.planting.reported import HOSTILE, parsed, titles, words

from headtohead.report import reproduction_page
from headtohead.report.reproduction_page import page, waterfall


def part(value: float) -> dict[str, Any]:
    return {
        "value": value, "low": value - 0.05, "high": value + 0.04, "n_samples": 40, "n_groups": 30, "n_draws": 3,
        "lowest_draw": value - 0.02, "highest_draw": value + 0.02, "copies_in_training": 0.25,
    }  # fmt: skip


def summary() -> dict[str, Any]:
    gap = {"value": 0.09, "low": 0.01, "high": 0.15}
    effect = {key: {"value": -0.01, "low": -0.02, "high": 0.01} for key in ("cnn", "vit", "difference")}
    steps = [
        {
            "name": name,
            "words": HOSTILE,
            "cnn": part(0.86),
            "vit": part(0.9),
            "difference": gap,
            "effect": change,
        }
        for name, change in (("as published", None), ("same images", effect))
    ]
    return {
        "title": "A study", "networks": {"cnn": HOSTILE, "vit": "vit-b16"}, "steps": steps, "images": 40, "groups": 30,
        "published": {"cnn": part(0.86), "vit": part(0.95)}, "sentences": ["First.", HOSTILE], "shortened": [HOSTILE],
    }  # fmt: skip


def test_the_page_needs_no_network_and_escapes_what_it_shows() -> None:
    whole = page(summary())
    assert whole.count("<script") == 1 and "&lt;script&gt;" in whole, "the page's own script alone"
    assert not re.search(r"https?://(?!www\.w3\.org)", whole)
    assert all(target.startswith("#") for target in re.findall(r'(?:src|href)="([^"]*)"', whole))
    assert "&" not in whole.split("<style>")[1].split("</style>")[0]
    plain = re.sub(r"</?span[^>]*>|<wbr>", "", whole)
    assert "<h1>Once corrected, the protocol favours vit-b16.</h1>" in plain and "were not run" not in plain
    assert 'href="#states"' in whole and whole.count('class="tile ') == 4
    assert "−0.010 [−0.020, +0.010]</td>" in whole and "25\u00a0% have a copy in training" in whole


def test_stand_ins_are_said_to_stand_in() -> None:
    named = {
        "cnn": part(0.86) | {"name": "InceptionResNetV2"},
        "vit": part(0.95) | {"name": HOSTILE},
    }
    networks = {"cnn": "a-1", "vit": "b-2", "stand_in": True}
    made = page(summary() | {"networks": networks, "published": named})
    assert "networks, InceptionResNetV2 and &lt;script&gt;" in made
    assert "were not run: a-1 and b-2 stand in for them" in made


def test_sentences_have_true_minus_signs() -> None:
    made = page(
        summary() | {"sentences": ["The difference is -0.012 [-0.1, +0.1]; they move the CNN by -3 points."]}
    )
    assert "is −0.012 [−0.1, +0.1]; they move the CNN by −3" in made


def test_the_waterfall_shows_both_networks_in_each_state() -> None:
    inline, alone = waterfall(summary()), waterfall(summary(), alone=True)
    parsed(alone)
    assert len(titles(inline)) == 2 * 3
    assert {"published", "as published", "same images", "on different images", HOSTILE} <= set(words(inline))
    assert "+0.090 [+0.010, +0.150]" in words(inline)
    assert "prefers-color-scheme" in alone and "prefers-color-scheme" not in inline


def framed(value: float, low: float, high: float, **more: Any) -> Any:
    made = {**summary(), **more}
    made["networks"] = {"cnn": "cnn", "vit": "vit"}
    made["steps"][-1]["difference"] = {"value": value, "low": low, "high": high}
    return reproduction_page._frame(made)


@pytest.mark.parametrize(
    ("value", "low", "high", "heading"),
    [
        (0.1, 0.01, 0.2, "the protocol favours vit."),
        (-0.1, -0.2, -0.01, "the protocol favours cnn."),
        (0.1, 0.0, 0.2, "the protocol gives no evidence that vit and cnn differ."),
        (-0.1, -0.2, 0.0, "the protocol gives no evidence that vit and cnn differ."),
    ],
)
def test_the_answer_is_on_the_corrected_difference(
    value: float, low: float, high: float, heading: str
) -> None:
    assert framed(value, low, high).heading == f"Once corrected, {heading}"


def test_tiles_hold_both_differences_and_the_most_copies() -> None:
    made = summary()
    made["steps"][1]["vit"]["copies_in_training"] = 0.5
    tiles = {tile.title: (tile.value, tile.note, tile.tone) for tile in reproduction_page._frame(made).tiles}
    assert tiles["Published difference"][0] == "+0.090"
    assert tiles["Corrected difference"] == ("+0.090", "95 % CI +0.010 to +0.150", "note")
    assert tiles["Copies in training"] == ("50 %", "of scored images, at most", "warning")
    assert tiles["Size"][:2] == ("30 groups", "40 images")
    for step in made["steps"]:
        step["cnn"]["copies_in_training"] = step["vit"]["copies_in_training"] = 0.0
    assert [tile.tone for tile in reproduction_page._frame(made).tiles][2] == "passed"


def test_what_was_not_shortened_has_no_section() -> None:
    def named(**more: Any) -> list[str]:
        return [key for key, _ in framed(0.1, 0.0, 0.2, **more).sections]

    assert named() == ["states", "effects", "short"] and named(shortened=[]) == ["states", "effects"]


def test_a_state_tells_its_draws_and_copies_only_where_there_are_some() -> None:
    assert reproduction_page._state(part(0.9)) == {
        "value": "0.900 [0.850, 0.940]",
        "facts": "40 images, 30 groups; single draws from 0.88 to 0.92; 25 % have a copy in training",
    }
    one = {**part(0.9), "n_draws": 1, "copies_in_training": 0.0}
    assert reproduction_page._state(one)["facts"] == "40 images, 30 groups"
