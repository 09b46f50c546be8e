"""Predictions by image, against counts by hand and scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from headtohead.report.views.cases import DOUBT, SHOWN, CaseTable, build_cases


def test_images_are_sorted_whatever_the_order_of_the_lines(cases: CaseTable, lines: pd.DataFrame) -> None:
    assert cases.ids == ("a", "b", "c", "d") and cases.groups == ("ga", "gb", "gc", "gd")
    assert cases.labels.tolist() == [0, 0, 1, 1] and cases.n_repeats == 2
    assert cases.folds.tolist() == [[0, 1, 0, 1], [0, 1, -1, 1]]
    again = build_cases(lines.iloc[::-1], ("no", "yes"), "yes", cases.contenders)
    assert np.array_equal(again.probabilities, cases.probabilities, equal_nan=True)


def test_a_probability_of_a_half_is_a_positive_answer(cases: CaseTable, lines: pd.DataFrame) -> None:
    assert cases.predicted[0, 0].tolist() == [0, 1, 1, 0] and cases.predicted[1, 0].tolist() == [1, 0, 1, 0]
    turned = build_cases(lines, ("no", "yes"), "no", cases.contenders)
    assert turned.predicted[0, 0].tolist() == [0, 0, 1, 0], "b has a half for no, too"
    unnamed = build_cases(lines, ("no", "yes"), None, cases.contenders)
    assert unnamed.predicted[0, 0].tolist() == [0, 0, 1, 0], "of equals the first class"


def test_counts_leave_out_what_was_not_scored(cases: CaseTable) -> None:
    assert cases.confusion("vit", 0) == [[1, 1], [1, 1]]
    assert cases.confusion("vit", 1) == [[2, 0], [1, 0]] and cases.confusion("cnn", 1) == [[1, 1], [1, 0]]
    assert cases.scored(1).tolist() == [True, True, False, True]
    assert cases.right("cnn", 0).tolist() == [False, True, True, False]
    assert cases.discordant("vit", "cnn", 0) == (1, 1, 1) and cases.discordant("vit", "cnn", 1) == (1, 0, 1)


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    raw = rng.dirichlet(np.ones(3), 60)
    truth = rng.integers(0, 3, 60)
    lines = pd.DataFrame(
        {"sample": [f"{i:02d}" for i in range(60)], "group": "g", "repeat": 0, "fold": 0, "contender": "a",
         "label": np.array(["x", "y", "z"])[truth], "prob_x": raw[:, 0], "prob_y": raw[:, 1], "prob_z": raw[:, 2]}
    )  # fmt: skip
    made = build_cases(lines, ("x", "y", "z"), None, ("a",))
    assert made.confusion("a", 0) == confusion_matrix(truth, raw.argmax(axis=1)).tolist()
    assert made.sweep("a") == {}, "beyond two classes there is no threshold"
    record = made.records({})[5]
    assert record["p"] == [[round(float(raw[5, truth[5]]), 3)]], "of the true class"


def test_the_slider_pools_the_repeats(cases: CaseTable) -> None:
    sweep = cases.sweep("vit")
    assert len(sweep["sensitivity"]) == 101
    at = {
        round(t / 100, 2): (sweep["sensitivity"][t], sweep["specificity"][t])
        for t in (0, 10, 45, 50, 51, 100)
    }
    # positives 0.9 0.45 0.1, negatives 0.1 0.5 0.2 0.3; an answer is positive from the threshold on
    assert at == {
        0.0: (1.0, 0.0), 0.1: (1.0, 0.0), 0.45: (0.666667, 0.75), 0.5: (0.333333, 0.75), 0.51: (0.333333, 1.0),
        1.0: (0.0, 1.0),
    }  # fmt: skip


def test_a_record_holds_what_the_script_reads(cases: CaseTable) -> None:
    record = cases.records({"b": {"im": 7}})[1]
    assert record == {
        "id": "b", "label": 0, "group": "gb", "fold": [1, 1], "im": 7,
        "p": [[0.5, 0.3], [0.2, 0.1], [0.5, 0.5]], "y": [[1, 0], [0, 0], [1, 1]],
    }  # fmt: skip
    many = replace(
        cases,
        folds=np.zeros((9, 4), np.int64),
        probabilities=np.repeat(cases.probabilities[:, :1], 9, axis=1),
        predicted=np.repeat(cases.predicted[:, :1], 9, axis=1),
    )
    first = many.records({})[0]
    assert (len(first["fold"]), len(first["p"][0]), len(first["y"][0])) == (SHOWN, SHOWN, SHOWN)


def test_a_label_is_doubtful_where_every_contender_gives_it_little(cases: CaseTable) -> None:
    # d: vit gives "yes" 0.45 and 0.1, cnn 0.15 and 0.1
    assert cases.doubtful(("majority",)).tolist() == []
    assert cases.doubtful(("majority", "vit")).tolist() == [3]
    assert cases.doubtful(cases.contenders).tolist() == []
    surer = cases.probabilities.copy()
    surer[0, 0, 3] = [0.8, 0.2]
    assert replace(cases, probabilities=surer).doubtful(("majority",)).tolist() == [3]
    surer[0, :, 3] = [1 - DOUBT, DOUBT]
    assert replace(cases, probabilities=surer).doubtful(("majority",)).tolist() == []
    surer[:, :, 3] = np.nan
    assert replace(cases, probabilities=surer).doubtful(("majority",)).tolist() == [], "nobody was asked"
