"""The gallery: who is shown first, which filters there are, and that their counts are those of the cards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.planting.reported import PIXEL

from headtohead.report.views import gallery
from headtohead.report.views.cases import CaseTable
from headtohead.report.views.gallery import gallery_view, main_pair
from headtohead.report.views.image_store import ImageStore


def view(cases: CaseTable, pair: tuple[str, ...] = ("vit", "cnn"), **more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"features": {}, "maps": {}, "members": {}}
    return gallery_view(cases, ImageStore({}, {"a": PIXEL}), pair, **{**known, **more})


def test_the_pair_is_that_of_the_answer_or_the_first_two_contenders(cases: CaseTable) -> None:
    assert main_pair(cases, ("cnn", "vit")) == ["cnn", "vit"]
    assert main_pair(cases, ("gone", "cnn")) == ["cnn", "vit"]
    assert main_pair(cases, ()) == ["vit", "cnn"]
    assert main_pair(cases, ("vit", "majority")) == ["vit", "majority"]
    assert main_pair(replace(cases, contenders=("majority",)), ()) == ["majority"]


def test_cards_begin_with_what_both_get_wrong(cases: CaseTable) -> None:
    # first repeat: vit is wrong on b and d, cnn on a and d
    cards = view(cases)["cards"]
    assert [card["id"] for card in cards] == ["d", "a", "b", "c"]
    assert cards[0]["rows"] == [
        {"name": "vit", "p": "0.45", "share": 0.45, "right": False},
        {"name": "cnn", "p": "0.15", "share": 0.15, "right": False},
    ]
    assert [card["plain"] for card in cards] == [False, False, False, True]
    assert [card["im"] for card in cards] == [None, 0, None, None] and cards[0]["label"] == "yes"
    doubted = cases.probabilities.copy()
    doubted[:2, :, 0] = [0.1, 0.9]  # both say "yes" to `a`, which is labelled "no"
    found = view(replace(cases, probabilities=doubted))
    assert found["cards"][0]["id"] == "a" and found["cards"][0]["doubt"]
    assert found["chips"][-1] == {"key": "doubt", "text": "label in doubt", "n": 1}
    assert [one["doubt"] for one in found["records"]] == [1, 0, 0, 0]


def test_an_image_that_the_first_repeat_left_out_has_no_probability(cases: CaseTable) -> None:
    missing = cases.probabilities.copy()
    missing[:, 0, 2] = np.nan
    folds = cases.folds.copy()
    folds[0, 2] = -1
    cards = view(replace(cases, probabilities=missing, folds=folds))["cards"]
    assert next(card for card in cards if card["id"] == "c")["rows"] == []


def test_chips_count_what_they_show(cases: CaseTable) -> None:
    chips = {chip["key"]: (chip["text"], chip["n"]) for chip in view(cases)["chips"]}
    assert chips == {
        "all": ("all", 4), "a": ("only vit right", 1), "b": ("only cnn right", 1), "none": ("both wrong", 1),
        "fp": ("a false positive", 2), "fn": ("a false negative", 1), "unsure": ("unsure (within 0.1 of 0.5)", 3),
        "doubt": ("label in doubt", 0),
    }  # fmt: skip
    alone = replace(
        cases, contenders=("cnn",), probabilities=cases.probabilities[1:2], predicted=cases.predicted[1:2]
    )
    chips = {chip["key"]: (chip["text"], chip["n"]) for chip in view(alone, ("cnn",))["chips"]}
    assert chips["none"] == ("cnn wrong", 2) and "a" not in chips
    several = {chip["key"] for chip in view(replace(cases, positive=None))["chips"]}
    assert several == {"all", "a", "b", "none", "doubt"}


def test_a_large_set_shows_its_first_cards_and_counts_all(
    cases: CaseTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "MOST_CARDS", 3)
    found = view(cases)
    assert (found["n_cards"], found["n_images"], found["n_plain"], len(found["records"])) == (3, 4, 0, 4)


def test_records_point_to_neighbours_maps_and_subgroups(cases: CaseTable) -> None:
    features = {"cnn": {"neighbours": {"a": ["d", "gone", "b"]}}, "gone": {"neighbours": {"a": ["b"]}}}
    maps = {"vit": {"a": "grid"}, "gone": {"a": "grid"}}
    found = view(cases, features=features, maps=maps, members={"a": {"sex": "f"}, "b": {}})["records"]
    assert (
        found[0]["near"] == {"1": [3, 1]}
        and found[0]["maps"] == {"0": "grid"}
        and found[0]["by"] == {"sex": "f"}
    )
    assert found[1]["near"] == {"1": []} and "maps" not in found[1] and "by" not in found[1]


def test_the_probability_that_is_shown_is_named(cases: CaseTable) -> None:
    assert view(cases)["shown_probability"] == "probability of yes, the positive class"
    assert view(replace(cases, positive=None))["shown_probability"] == "probability of the true class"
    assert view(replace(cases, positive=None))["cards"][0]["rows"][0]["p"] == "0.45", "d is a yes"
