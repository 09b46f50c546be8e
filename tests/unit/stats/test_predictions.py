"""The table of predictions: counts, parts of it, and what its numbers are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.unit.stats.builders import CLASSES, two_repeats

from headtohead.stats.prediction_builder import build_prediction_table
from headtohead.stats.predictions import PredictionTable


def built() -> PredictionTable:
    return build_prediction_table(two_repeats(), classes=CLASSES, positive="yes")


def test_groups_of_a_class_are_counted_once() -> None:
    table = built()
    assert [table.groups_with(c) for c in (0, 1)] == [3, 3]
    part = table.restrict(np.array([True, False, True, False, True, True]))
    assert (part.n_samples, part.n_groups) == (4, 3)
    assert part.groups_with(1) == 1
    assert part.of("a")[0].sample.tolist() == [0, 1, 2, 3]


def test_a_restricted_table_numbers_its_groups_anew() -> None:
    part = built().restrict(np.array([False, False, False, False, True, True]))
    assert part.groups.tolist() == ["g2"]
    assert part.of("b")[1].group.tolist() == [0, 0]
    assert part.samples.tolist() == ["s4", "s5"]


def test_a_contender_gives_labels_where_all_its_numbers_are_zero_or_one() -> None:
    table = built()
    assert table.kind("a") == "probabilities"
    hard = {
        key: replace(lines, prob=lines.prob.round()) for key, lines in table.lines.items() if key[0] == "a"
    }
    half = replace(table, lines=table.lines | {("a", 0): hard["a", 0]})
    assert half.kind("a") == "probabilities", "its second repeat holds probabilities"
    assert replace(table, lines=table.lines | hard).kind("a") == "labels"


def test_ranks_stay_ranks_in_a_part_of_the_table() -> None:
    table = build_prediction_table(two_repeats(), classes=CLASSES, positive="yes", ranks_only=True)
    assert table.kind("a") == table.restrict(np.arange(6) > 1).kind("b") == "ranks"


def with_folds(folds: dict[int, list[int]], kept: dict[int, list[int]]) -> PredictionTable:
    """Return a table whose repeats hold the samples in `kept`, in the folds given."""
    frame = two_repeats()
    number = frame["sample"].str[1:].astype(int)
    frame["fold"] = [folds[r][n] for r, n in zip(frame["repeat"], number, strict=True)]
    keep = [n in kept[r] for r, n in zip(frame["repeat"], number, strict=True)]
    return build_prediction_table(frame[keep], classes=CLASSES, positive="yes")


ALL = list(range(6))


def test_a_statement_is_about_methods_where_several_training_samples_made_the_predictions() -> None:
    parts, one = [0, 0, 1, 1, 2, 2], [0] * 6
    assert with_folds({0: parts, 1: parts}, {0: ALL, 1: ALL}).target == "learners"
    assert with_folds({0: one, 1: one}, {0: ALL, 1: ALL}).target == "fixed_models"
    hold_out = with_folds({0: one, 1: one}, {0: [0, 1, 2, 3], 1: [2, 3, 4, 5]})
    assert (hold_out.hold_out, hold_out.has_folds, hold_out.target) == (True, True, "learners")
    same = with_folds({0: one, 1: one}, {0: [0, 1, 2, 3], 1: [0, 1, 2, 3]})
    assert (same.hold_out, same.has_folds, same.target) == (False, False, "fixed_models")


def test_lines_are_taken_in_all_their_columns() -> None:
    lines = built().of("a")[0]
    part = lines.take(np.array([False, True, True, False, False, True]))
    for field in ("sample", "group", "label", "fold", "prob"):
        assert np.array_equal(getattr(part, field), getattr(lines, field)[[1, 2, 5]])
