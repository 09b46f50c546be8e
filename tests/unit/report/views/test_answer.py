"""The first screen: each tile in each of its states, and the words for each outcome of the rule."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.reported import comparison, score

from headtohead.core.records import Comparison, Score, Verdict
from headtohead.core.tables.details import BestSet, ComparisonDetails, PowerAnalysis, VerdictDetails
from headtohead.report.views.answer import LONGEST, answer_view, heading_of, metric_title

PAIR = comparison("vit", "cnn")
SCORES = (score("vit", value=0.9), score("cnn", value=0.87), score("majority", value=0.5))
PROOF: dict[str, Any] = {"leaks": [], "proof": [{}, {}]}


def judged(
    *pairs: Comparison, scores: tuple[Score, ...] = SCORES, details: VerdictDetails | None = None, **more: Any
) -> Verdict:
    known: dict[str, Any] = {
        "sentence": "vit is better than cnn: AUROC 0.9 against 0.87. A second sentence.", "metric": "auroc",
        "scores": scores, "comparisons": pairs, "details": details or VerdictDetails(), "caveats": (),
    }  # fmt: skip
    return Verdict(**{**known, **more})


def won(by: str, a: str = "vit", b: str = "cnn", **more: Any) -> Comparison:
    return comparison(a, b).model_copy(update={"winner": by, "verdict": "better", **more})


def view(verdict: Verdict, audit: dict[str, Any] | None = None, proof: Any = PROOF) -> dict[str, Any]:
    return answer_view(verdict, audit or {}, proof, "train it")


def tile(title: str, verdict: Verdict, *more: Any) -> tuple[str, str, str]:
    found = {one["title"]: one for one in view(verdict, *more)["tiles"]}[title]
    return found["value"], found["note"], found["tone"]


def test_the_numbers_are_in_the_order_of_the_pair_with_true_minus_signs() -> None:
    lost = comparison("cnn", "vit", -0.03).model_copy(update={"level": 0.9})
    told = view(judged(lost, details=VerdictDetails(positive="yes")))["numbers"]
    assert told == (
        "AUROC 0.870 (cnn) against 0.900 (vit); difference −0.030, 90 % CI −0.080 to 0.020; "
        "40 images in 30 groups; positive class: yes."
    )
    assert view(judged())["numbers"] == ""
    undefined = judged(comparison("vit", "cnn", None), scores=(SCORES[0], score("cnn", value=None)))
    assert view(undefined)["numbers"] == "40 images in 30 groups."
    single = comparison("vit", "cnn", None).model_copy(update={"n_samples": 1, "n_groups": 1})
    assert view(judged(single, scores=()))["numbers"] == "1 image in 1 group."


def test_the_heading_is_the_sentence_up_to_its_numbers() -> None:
    assert heading_of(judged(won("vit"))) == "vit is better than cnn"
    assert view(judged(won("vit")))["heading"] == "vit is better than cnn."
    plain = judged(PAIR, sentence="No winner. More text.")
    assert heading_of(plain) == "No winner" and view(plain)["heading"] == "No winner."
    assert view(judged(PAIR, sentence="No winner."))["heading"] == "No winner."
    head = "x" * LONGEST
    assert heading_of(judged(PAIR, sentence=f"{head}: rest. More.")) == head
    assert heading_of(judged(PAIR, sentence=f"{head}y: rest. More.")) == f"{head}y: rest"


def best(*names: str) -> VerdictDetails:
    return VerdictDetails(best=BestSet(highest=names[0], candidates=names, excluded=(), level=0.95))


def test_of_many_contenders_those_that_may_be_the_best_make_the_heading() -> None:
    assert heading_of(judged(PAIR, details=best("a", "b", "c"))) == (
        "No single best: a, b or c may be the best."
    )
    assert heading_of(judged(PAIR, details=best("a", "b"))) == "No single best: a or b may be the best."
    assert heading_of(judged(PAIR, details=best("a"))) == "a is shown to be the best."
    assert heading_of(judged(won("vit"), details=best("a", "b"))) == "vit is better than cnn"
    refused = comparison("c", "d").model_copy(update={"verdict": "refused"})
    assert heading_of(judged(PAIR, refused, details=best("a"))) == "vit is better than cnn"
    assert heading_of(judged(details=best("a"))) == "vit is better than cnn"


@pytest.mark.parametrize(
    ("proof", "told"),
    [
        ({}, ("not known", "the run holds no proof", "warning")),
        (PROOF, ("none", "no group, image or file on both sides in 2 splits", "passed")),
        (PROOF | {"leaks": [1, 2, 3]}, ("3 found", "the verdict is refused", "severe")),
    ],
)
def test_leakage(proof: dict[str, Any], told: tuple[str, str, str]) -> None:
    assert tile("Leakage", judged(PAIR), None, proof) == told


def test_the_floor_is_beaten_by_a_contender_and_not_by_a_baseline() -> None:
    floor = (*SCORES, score("file-facts", value=0.8))
    name = "File facts alone"
    assert tile("File-facts floor", judged(PAIR)) == ("not measured", "", "note")
    beaten = ("AUROC 0.800", "a contender beats it", "passed")
    assert tile(name, judged(won("vit", b="file-facts"), scores=floor)) == beaten
    assert tile(name, judged(won("vit", a="file-facts", b="vit"), scores=floor)) == beaten
    open_ = ("AUROC 0.800", "no contender is shown to beat it", "warning")
    for pair in (
        won("file-facts", b="file-facts"),
        won("file-facts", a="file-facts", b="majority"),
        won("majority", a="file-facts", b="majority"),
        won("vit"),
    ):
        assert tile(name, judged(pair, scores=floor)) == open_


def slope(name: str, value: float | None, low: float | None, high: float | None) -> Score:
    made = score(name, "calibration_slope", value)
    return made.model_copy(update={"low": low, "high": high})


@pytest.mark.parametrize(
    ("slopes", "told"),
    [
        ([], ("not measured", "", "note")),
        ([slope("majority", 1.0, 0.9, 1.1)], ("not measured", "", "note")),
        ([slope("vit", 1.1, 0.8, 1.5)], ("slope 1.100", "of vit; 1 is ideal. No interval excludes 1", "passed")),
        ([slope("vit", 1.0, 0.5, 1.5)], ("slope 1.000", "of vit; 1 is ideal. No interval excludes 1", "passed")),
        ([slope("vit", 1.0, 0.4, 1.5)],
         ("slope 1.000", "of vit; 1 is ideal. No interval excludes 1, but some are wide", "note")),
        ([slope("vit", 1.0, 1.0, 1.2), slope("cnn", 0.5, 0.3, 0.99), slope("net", 2.0, 1.01, 3.0)],
         ("slope 1.000", "of vit; 1 is ideal. Off for cnn, net", "warning")),
    ],
)  # fmt: skip
def test_calibration(slopes: list[Score], told: tuple[str, str, str]) -> None:
    assert tile("Calibration", judged(PAIR, scores=(*SCORES, *slopes))) == told


@pytest.mark.parametrize(("gap", "tone"), [(0.05, "passed"), (0.051, "warning"), (None, "note")])
def test_size(gap: float | None, tone: str) -> None:
    power = PowerAnalysis(detectable_difference=gap, power=0.8, method="m")
    pair = PAIR.model_copy(update={"details": ComparisonDetails(power=power)})
    value, note, seen = tile("Size", judged(pair))
    assert seen == tone
    if gap is not None:
        assert value == f"{gap:.3f}" and note.endswith("shows 80 % of the time")
    assert tile("Size", judged()) == ("not known", "no power analysis", "note")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, ("0 severe, 0 warnings", "0 checks passed", "passed")),
        ({"warning": 1, "passed": 5}, ("0 severe, 1 warning", "5 checks passed", "warning")),
        ({"severe": 2, "warning": 3}, ("2 severe, 3 warnings", "0 checks passed", "severe")),
        ({"note": 4, "passed": 1}, ("0 severe, 0 warnings", "1 check passed", "passed")),
    ],
)
def test_data_audit(counts: dict[str, int], told: tuple[str, str, str]) -> None:
    assert tile("Data audit", judged(PAIR), {"counts": counts}) == told


@pytest.mark.parametrize(
    ("outcome", "winner", "means", "next_step"),
    [
        ("better", "cnn", "cnn separates the classes better than vit.", "Test the choice"),
        ("better", "vit", "vit separates the classes better than cnn.", "Test the choice"),
        ("equivalent", None, "less than the margin", "Test the choice"),
        ("no_evidence", None, "Between vit and cnn no difference is shown", "Test the choice"),
        ("cannot_tell", None, "too wide for an answer", "Collect more groups"),
        ("refused", None, "do not hold. So no winner", "fix the data"),
    ],
)
def test_what_it_means_and_what_to_do(outcome: str, winner: str | None, means: str, next_step: str) -> None:
    found = view(judged(PAIR.model_copy(update={"verdict": outcome, "winner": winner})))
    lines = dict(found["lines"])
    assert means in lines["What it means"] and next_step in lines["What to do next"]
    assert "another hospital" in lines["What it does not mean"]
    assert found["command"] == (None if outcome == "refused" else "train it")
    assert (found["verdict"], found["pair"]) == (outcome, ["vit", "cnn"])


def test_a_run_without_a_pair_answers_nothing() -> None:
    found = view(judged())
    assert (found["lines"], found["command"], found["verdict"], found["pair"]) == ([], None, None, [])


def test_metrics_have_the_names_of_the_field() -> None:
    assert [metric_title(m) for m in ("auroc", "npv", "mcc", "balanced_accuracy")] == [
        "AUROC", "NPV", "Matthews correlation", "balanced accuracy",
    ]  # fmt: skip
