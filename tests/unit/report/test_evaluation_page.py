"""Page of an evaluation: the frame that all pages share, a short answer, and each number as the files have it."""

from __future__ import annotations

from typing import Any

from tests.planting.reported import CLASSES, HOSTILE, predictions, score, verdict

from headtohead.report.evaluation_page import evaluation_page
from headtohead.report.views.cases import build_cases

NAMES = ("vit-b16", HOSTILE)


def model(name: str) -> dict[str, Any]:
    line = {
        "metric": "auroc", "external": score(name).model_dump(), "internal": score(name, value=0.9).model_dump(),
        "difference": {"value": -0.0877, "low": -0.2, "high": 0.1}, "shifted": False,
    }  # fmt: skip
    slope = score(name, "calibration_slope", 0.4).model_dump()
    return {
        "name": name, "digest": "ff", "failed": [], "flags": {"colour": 1}, "expected_flags": {"colour": 0.01},
        "leak": {"samples": [], "near_copies": [], "left_out": 0, "sentence": "None was in training."},
        "internal": [line, line | {"metric": "ppv"}],
        "calibration": {
            "sentence": "The slope is 0.4.", "slope": slope, "temperature": 0.2, "before": -0.00001, "after": 0.0,
        },
        "conformal": None,
        "thresholds": [{"name": "cost_5_to_1", "value": 0.2, "scores": []}],
        "caveats": [],
    }  # fmt: skip


def page(names: tuple[str, ...], **changed: Any) -> str:
    facts = {
        "data": "new", "n_samples": 4, "n_scored": 4, "n_groups": 2, "per": None, "caveats": [],
        "models": [model(name) for name in names],
        "sentences": [
            "None was in training.",
            "AUROC 0.812 [0.712, 0.862] here agrees, within its interval, with the cross-validated "
            "0.900 [0.800, 0.950].",
        ],
    }  # fmt: skip
    cases = build_cases(predictions(), CLASSES, "yes", names)
    return evaluation_page({**facts, **changed}, verdict(), cases, {"colour": "the image is in colour"})


def test_the_page_has_the_frame_of_all_pages() -> None:
    made = page(NAMES)
    assert '<ul class="tiles">' in made and made.count("<script>") == 1 and made.count("<nav ") == 1
    assert HOSTILE not in made
    for part in ("answer", "scores", "calibration", "leaks", "guard", "subgroups", "methods"):
        assert f'<section id="{part}">' in made and f'href="#{part}"' in made
    assert "off for vit-b16" in made, "a slope of 0.4 [0.3, 0.45]"
    assert made.count('class="legend"') == 1 and 'class="legend"' not in page(NAMES[:1])


def test_the_answer_is_short_and_stands_once() -> None:
    made = page(("vit-b16",))
    heading = made.split("<h1>")[1].split("</h1>")[0]
    assert "0.812" in heading and made.count("within its interval") == 1
    assert "No evidence of a difference" in page(NAMES).split("<h1>")[1].split("</h1>")[0]
    assert "4 images, of which 4 are scored, in 2 groups." in made
    assert "4 images, of which 4 are scored, as 2 cases." in page(("vit-b16",), per="case:mean")


def test_numbers_and_names_are_written_as_elsewhere() -> None:
    made = page(("vit-b16",))
    assert "log loss 0.000 before and 0.000 after" in made, "never -0.000"
    assert ">PPV<" in made and ">ppv<" not in made
    assert "a miss counting as five false alarms" in made and "cost_5_to_1" not in made
