"""Page of an evaluation: the frame that all pages share, a short answer, and each number as the files have it."""

from __future__ import annotations

from typing import Any

from tests.planting.reported import CLASSES, HOSTILE, predictions, score, verdict

from headtohead.report import evaluation_page as page_module
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


# ---- what the page says, without the page ----


def facts(*models: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {
        "data": "new",
        "n_samples": 4,
        "n_scored": 3,
        "n_groups": 2,
        "per": None,
        "caveats": [],
        "sentences": [],
    }
    return {**known, "models": list(models or (model("vit-b16"),)), **more}


def tiles(*models: dict[str, Any], **more: Any) -> dict[str, tuple[str, str, str]]:
    found = facts(*models, **more)
    return {
        tile.title: (tile.value, tile.note, tile.tone) for tile in page_module._tiles(found, found["models"])
    }


def changed(part: str, name: str = "vit-b16", **more: Any) -> dict[str, Any]:
    made = model(name)
    return {**made, part: {**made[part], **more}}


def test_size_is_counted_in_what_is_scored() -> None:
    assert tiles()["Size"] == ("2 groups", "3 images scored", "note")
    assert tiles(per="case:mean", n_groups=1, n_scored=1)["Size"] == ("1 case", "1 image scored", "note")
    told = page_module._size(facts(n_samples=1, n_scored=1, n_groups=1))
    assert told.startswith("1 image, of which 1 is scored, in 1 group. No threshold")


def test_copies_of_training_images_are_told_with_what_cannot_be_known() -> None:
    name = "Copies of training images"
    assert tiles()[name] == ("none found", "", "passed")
    three = changed("leak", left_out=3)
    assert tiles(model("a"), three)[name] == ("3 left out", "with all of their groups", "warning")
    blind = changed("leak", near_copies=None)
    assert tiles(blind)[name] == ("none found", "near copies cannot be recognised", "warning")
    assert tiles(blind, three)[name] == ("3 left out", "near copies cannot be recognised", "warning")


def test_calibration_is_that_of_the_first_and_names_all_that_are_off() -> None:
    def slope(name: str, value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
        return changed("calibration", name, slope={"value": value, "low": low, "high": high})

    fine, off = slope("a", 1.0, 1.0, 1.2), slope("b", 0.5, 0.3, 0.99)
    assert tiles(fine)["Calibration"] == ("slope 1.000", "of a; 1 is ideal; no interval excludes 1", "passed")
    assert tiles(slope("a", 0.9, 0.8, 1.0), off, slope("c", 2.0, 1.1, 3.0))["Calibration"] == (
        "slope 0.900", "of a; 1 is ideal; off for b, c", "warning",
    )  # fmt: skip
    for none in (slope("a", None, None, None), changed("calibration", "a", slope=None)):
        assert "Calibration" not in tiles(none)


def test_images_without_a_prediction_are_counted() -> None:
    name = "Without a prediction"
    assert tiles()[name] == ("0 images", "", "passed")
    failed = {**model("b"), "failed": [{"sample": "x", "error": "e"}]}
    assert tiles(model("a"), failed)[name] == ("1 image", "in no score", "warning")


def test_the_heading_of_one_model_is_its_score_here_beside_the_one_it_came_with() -> None:
    one = model("vit-b16")
    line = one["internal"][0]
    heading = page_module._heading
    moved = {**one, "internal": [{**line, "metric": "ppv"}, {**line, "shifted": True}]}
    assert heading([moved], verdict()) == (
        "AUROC 0.812 [0.712, 0.862] here differs from the cross-validated 0.900 [0.800, 0.950]."
    )
    none = {**one, "internal": [{**line, "difference": {"value": None}}]}
    assert heading([none], verdict()) == (
        "AUROC 0.812 [0.712, 0.862] here; cross-validated 0.900 [0.800, 0.950], not compared."
    )
    alone = {**one, "internal": []}
    assert heading([alone], verdict()) == "AUROC: 0.812 [0.712, 0.862]."
    assert heading([alone], verdict().model_copy(update={"scores": ()})) == "AUROC: not defined."


def told(one: dict[str, Any], flags: dict[str, str] | None = None) -> dict[str, Any]:
    return page_module._model(one, 200, flags or {})


def test_each_line_is_compared_or_says_that_it_is_not() -> None:
    one = model("vit-b16")
    line = one["internal"][0]
    bare = {**line["external"], "low": None, "high": None}
    one["internal"] = [
        line, {**line, "shifted": True, "difference": {"value": 0.1, "low": None, "high": None}, "external": bare},
        {**line, "difference": {"value": None}, "internal": {**line["internal"], "value": None}},
    ]  # fmt: skip
    inner = "0.900 [0.800, 0.950]"
    assert told(one)["internal"] == [
        ("AUROC", "0.812 [0.712, 0.862]", inner, "−0.088 [−0.200, +0.100]", "no evidence"),
        ("AUROC", "0.812", inner, "+0.100", "yes"),
        ("AUROC", "0.812 [0.712, 0.862]", "not defined", "not defined", "not compared"),
    ]


def test_thresholds_are_told_with_what_they_lead_to() -> None:
    scores = [score("v", "ppv", 0.5).model_dump(), score("v", "sensitivity", 0.9).model_dump()]
    one = {**model("v"), "thresholds": [{"name": "youden", "value": 0.31, "scores": scores},
                                        {"name": "my_own", "value": 0.5, "scores": []}]}  # fmt: skip
    first, second = told(one)["thresholds"]
    assert first == (
        "largest sum of sensitivity and specificity (Youden)", "0.310", "0.900 [0.800, 0.950]", "",
        "0.500 [0.400, 0.550]", "",
    )  # fmt: skip
    assert second == ("my own", "0.500", "", "", "", "")


def test_recalibration_and_conformal_sets_in_words() -> None:
    one = changed("calibration", before=0.5, after=0.4)
    assert told(one)["calibration"][1].endswith("log loss 0.500 before and 0.400 after, lower.")
    assert told(changed("calibration", before=0.4, after=0.4))["calibration"][1].endswith("no lower.")
    plain = told(changed("calibration", temperature=None, sentence="The slope is -0.4."))["calibration"]
    assert plain == ["The slope is −0.4."]
    share = {"value": 0.9, "low": 0.8, "high": 0.95}
    found = {
        "promised": 0.9,
        "by_class": {"no": share, "yes": {"value": None}},
        "coverage": share,
        "abstained": share,
    }
    sets = told({**model("v"), "conformal": found})["conformal"]
    assert (
        "the true class for 90 % of images" in sets
        and "(by class: no 0.900 [0.800, 0.950]; yes not defined)" in sets
    )
    assert told(model("v"))["conformal"] == "The model has no conformal sets."


def test_the_guard_tells_what_was_seen_beside_what_was_expected() -> None:
    flags = {"colour": "in colour", "too_dark": "dark", "never": "n", "rare": "r"}
    one = {
        **model("v"),
        "flags": {"too_dark": 10, "colour": 1},
        "expected_flags": {"colour": 0.013, "rare": 0.5},
    }
    assert told(one, flags)["guard"] == [
        ("colour", "in colour", "1 of 200 (0 %)", "1.3 %"),
        ("too dark", "dark", "10 of 200 (5 %)", ""),
        ("rare", "r", "0 of 200 (0 %)", "50.0 %"),
    ]


def test_long_lists_of_images_are_cut() -> None:
    names = [f"s{i}" for i in range(page_module.LISTED + 2)]
    one = changed("leak", samples=names, near_copies=names[: page_module.LISTED])
    shown = ", ".join(names[: page_module.LISTED])
    assert (
        told(one)["training"] == f"{shown} and 2 more, all in evaluation.json" and told(one)["near"] == shown
    )
    assert told(changed("leak", near_copies=None))["near"] == ""
