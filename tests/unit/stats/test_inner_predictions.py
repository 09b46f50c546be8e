"""Inner predictions by contender, repeat and fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.stats.builders import some_lines, table_from

from headtohead.core.errors import LeakageError, ManifestError
from headtohead.stats.inner_predictions import InnerCell, InnerPredictions, build_inner, per_line
from headtohead.stats.predictions import PredictionTable


def grouped_table() -> PredictionTable:
    lines = some_lines(n=60, n_groups=20)
    return table_from(
        {"a": lines.__class__(lines.sample, lines.group, lines.label, lines.group % 3, lines.prob)}
    )


TABLE = grouped_table()


def inner_frame() -> pd.DataFrame:
    lines = TABLE.of("a")[0]
    rows = [
        {
            "sample": TABLE.samples[i],
            "group": TABLE.groups[lines.group[i]],
            "repeat": 0,
            "fold": fold,
            "contender": "a",
            "label": str(lines.label[i]),
            "prob_0": 1 - i / 60,
            "prob_1": i / 60,
        }
        for fold in range(3)
        for i in np.flatnonzero(lines.fold != fold)
    ]
    return pd.DataFrame(rows)


def test_each_fold_has_its_own_lines() -> None:
    inner = build_inner(inner_frame(), TABLE)
    assert inner.has("a")
    assert set(inner.cells) == {("a", 0, fold) for fold in range(3)}
    lines = TABLE.of("a")[0]
    cell = inner.cells["a", 0, 1]
    assert len(cell.label) == int((lines.fold != 1).sum())
    assert cell.group.max() + 1 == len(np.unique(lines.group[lines.fold != 1]))


def test_without_inner_lines_every_contender_lacks_them() -> None:
    assert build_inner(None, TABLE).without == ("a",)
    assert not build_inner(inner_frame().iloc[:0], TABLE).has("a")


def test_a_fold_without_lines_or_without_a_class_is_not_enough() -> None:
    frame = inner_frame()
    assert not build_inner(frame[frame["fold"] != 2], TABLE).has("a")
    assert not build_inner(frame[(frame["fold"] != 2) | (frame["label"] == "1")], TABLE).has("a")


def test_lines_without_a_probability_are_left_out() -> None:
    frame = inner_frame()
    frame.loc[0, "prob_0"] = np.nan
    whole, part = build_inner(inner_frame(), TABLE), build_inner(frame, TABLE)
    assert len(part.cells["a", 0, 0].label) == len(whole.cells["a", 0, 0].label) - 1


def test_a_tested_group_among_the_inner_lines_is_a_leak() -> None:
    frame = inner_frame()
    frame.loc[0, "group"] = TABLE.groups[TABLE.of("a")[0].group[TABLE.of("a")[0].fold == 0][0]]
    with pytest.raises(LeakageError, match="is tested in that fold"):
        build_inner(frame, TABLE)


def test_missing_columns_and_unknown_labels_are_named() -> None:
    with pytest.raises(ManifestError, match="fold"):
        build_inner(inner_frame().drop(columns="fold"), TABLE)
    with pytest.raises(ManifestError, match="third"):
        build_inner(inner_frame().replace({"label": {"1": "third"}}), TABLE)


def test_what_a_fold_chooses_goes_to_its_own_test_lines() -> None:
    cells = {
        ("a", 0, fold): InnerCell(np.array([0, 1]), np.array([0, 1]), np.full((2, 2), fold / 10))
        for fold in range(3)
    }
    chosen = per_line(TABLE, InnerPredictions(cells, ()), "a", lambda cell: float(cell.prob[0, 0]))
    assert chosen[0] == pytest.approx(TABLE.of("a")[0].fold / 10)
