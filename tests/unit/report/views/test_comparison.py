"""The page of a comparison: what names it, what each pair is called, and which files it can do without."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from tests.planting.reported import PIXEL, comparison, verdict, write_run

from headtohead.core.run_folder import RunFolder
from headtohead.core.tables.details import SampleSize, VerdictDetails
from headtohead.report.views import comparison as view
from headtohead.report.views.image_store import ImageStore
from headtohead.report.views.run_contents import RunContents, optional_json, read_contents

SIZE: dict[str, Any] = {"n_samples": 4, "n_groups": 3, "n_repeats": 7, "samples_per_class": {},
                        "groups_per_class": {}, "n_boot": 9, "seed": 0}  # fmt: skip


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> RunContents:
    return read_contents(RunFolder(write_run(tmp_path_factory.mktemp("runs") / "by-hand")))


def test_the_subtitle_counts_the_repeats_that_were_run(contents: RunContents) -> None:
    order = ("vit", "majority")

    def subtitle(**config: Any) -> str:
        details = VerdictDetails(size=SampleSize(**SIZE)) if config.pop("sized", False) else VerdictDetails()
        asked = {"repeats": "auto", "folds": 5, "split": "kfold", "seed": 3, **config}
        made = verdict().model_copy(update={"details": details})
        facts = SimpleNamespace(config=asked, audit=contents.audit, verdict=made)
        return view._subtitle(facts, order)  # type: ignore[arg-type]

    start = "4 images in 3 groups (a patient, or copies of one scene), 2 classes; "
    end = "; 2 contenders with baselines; seed 3."
    assert subtitle(sized=True) == f"{start}7 × 5 grouped, stratified folds{end}"
    assert subtitle(repeats=2) == f"{start}2 × 5 grouped, stratified folds{end}"
    assert subtitle(split="given") == f"{start}split given{end}"


@pytest.mark.parametrize(
    ("outcome", "winner", "word", "tone"),
    [
        ("better", "cnn", "cnn better", "passed"), ("equivalent", None, "equivalent", "passed"),
        ("no_evidence", None, "no evidence of a difference", "note"),
        ("cannot_tell", None, "the data cannot tell", "warning"), ("refused", None, "refused", "severe"),
    ],
)  # fmt: skip
def test_pairs_are_called_by_what_was_found(outcome: str, winner: str | None, word: str, tone: str) -> None:
    made = comparison("vit", "cnn").model_copy(update={"verdict": outcome, "winner": winner})
    found = view._pair(made)
    assert (found["a"], found["b"], found["word"], found["tone"]) == ("vit", "cnn", word, tone)
    assert found["metric"] == "AUROC"


def test_the_majority_has_no_colour_and_keeps_its_place(contents: RunContents) -> None:
    from headtohead.report.figures.palette import css_color
    from headtohead.report.views.cases import build_cases

    order = contents.order
    cases = build_cases(contents.predictions, contents.classes, "yes", order)
    found = view._results(contents, cases)
    assert [one["name"] for one in found["legend"]] == [name for name in order if name != "majority"]
    assert found["legend"][-1] == {"name": "file-facts", "color": css_color(order.index("file-facts"))}
    assert [name for name, _ in found["baselines"]] == ["majority", "file-facts"]


def test_images_before_and_after_the_recipe_need_the_after() -> None:
    store = ImageStore({}, {"a": PIXEL})
    shown = [
        {"id": "a", "src": PIXEL.replace("AAA", "AAB")},
        {"id": "b", "src": PIXEL},
        {"id": "a", "src": "x"},
    ]
    found = view._shown(shown, store, {"name": "crop", "reason": "as asked for"})
    assert [(one["id"], one["before"]) for one in found["pairs"]] == [("a", 0), ("b", None)]
    assert found["note"] == "Left the image, right what the recipe 'crop' makes of it (as asked for)."


def test_the_head_names_data_and_run_and_says_what_is_synthetic(contents: RunContents) -> None:
    head = view._head(contents, contents.order)
    assert head["title"].endswith(" (by-hand)") and (head["level"], head["digest"]) == ("95 %", "abc123")
    assert head["synthetic"] is False
    lines = contents.predictions.assign(sample="synthetic/" + contents.predictions["sample"])
    some = lines.copy()
    some.loc[some.index[0], "sample"] = "real/1"
    for table, answer in ((lines, True), (some, False)):
        facts = {name: getattr(contents, name) for name in ("run", "verdict", "audit", "config")}
        made = SimpleNamespace(**facts, predictions=table)
        assert view._head(made, contents.order)["synthetic"] is answer  # type: ignore[arg-type]


def test_contenders_and_classes_come_in_the_order_of_the_predictions(contents: RunContents) -> None:
    table = pd.DataFrame({"contender": ["b", "a", "b"], "prob_yes": 0.5, "prob_no": 0.5, "label": "no"})
    known = {name: getattr(contents, name) for name in contents.__dataclass_fields__} | {"predictions": table}
    made = RunContents(**known)
    assert made.order == ["b", "a"] and made.classes == ["yes", "no"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/home/me/runs/x", "x"), ("../runs/x", "x"), ("runs/../x", "x"), ("runs/x", "runs/x"), ("x", "x")],
)
def test_a_page_tells_no_folder_of_this_machine(contents: RunContents, path: str, shown: str) -> None:
    known = {name: getattr(contents, name) for name in contents.__dataclass_fields__}
    made = RunContents(**{**known, "run": SimpleNamespace(path=Path(path))})
    assert made.shared_name == shown


def test_a_run_may_lack_what_not_every_run_has(contents: RunContents) -> None:
    assert contents.samples is None
    assert (contents.features, contents.spent, contents.growth, contents.checklist) == ({}, {}, {}, [])
    assert optional_json(contents.run, "none.json") == {} and optional_json(contents.run, "audit.json") != {}
