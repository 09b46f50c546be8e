"""Cells and the table of out-of-fold lines: planted leaks are refused, files are whole, nothing is counted twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import DataError, LeakageError, RunFolderError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.provenance import package_versions
from headtohead.core.records import Sample
from headtohead.core.run_folder import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import CrossValidationSplits, Fold, make_folds
from headtohead.heads import cross_validation
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.cross_validation import cell_key, fit_cells, load_cell, load_cells, make_fold_job
from headtohead.heads.prediction_tables import (
    exclude_test_groups,
    highest_loss_samples,
    learning_table,
    predictions_table,
)
from headtohead.training.records import FitMetrics, fit_metrics

CLASSES = ("no", "yes")


def sample(i: int, *, group: str = "", pixels: str = "") -> Sample:
    return Sample(
        id=f"{CLASSES[i % 2]}/{i:02d}.png",
        path=f"{CLASSES[i % 2]}/{i:02d}.png",
        label=CLASSES[i % 2],
        group=group or f"g{i:02d}",
        sha256=f"{i:064x}",
        pixel_hash=pixels or f"p{i:02d}",
        width=8,
        height=8,
        n_bytes=100 + i,
        mode="L",
        format="PNG",
        suffix=".png",
        bit_depth=8,
    )


def dataset(samples: Sequence[Sample]) -> Dataset:
    ordered = tuple(sorted(samples, key=lambda one: one.id))
    return Dataset(root="images", samples=ordered, classes=CLASSES, positive="yes")


def cell_data(data: Dataset) -> SampleLabels:
    return SampleLabels(data.labels(), data.groups(), data.classes)


def ids_of(data: Dataset) -> list[str]:
    return [one.id for one in data.samples]


def position(data: Dataset, name: str) -> int:
    return ids_of(data).index(name)


class CountingHead:
    """Answers each sample with a number of its own, so that a line out of place shows; counts its calls."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen: list[tuple[int, int]] = []
        self.stop_after = stop_after

    def fit_predict(self, cell: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter) -> FoldResult:
        del reporter
        (workdir / "checkpoint.bin").write_bytes(b"half done")
        if self.stop_after is not None and len(self.seen) == self.stop_after:
            raise KeyboardInterrupt
        self.seen.append((cell.repeat, cell.fold))
        inner = own_probabilities(cell.train)
        inner[0] = np.nan
        outer = own_probabilities(cell.test)
        return FoldResult(
            outer, inner, fit_metrics(data.labels[cell.train], inner), FitMetrics(None, None), {"C": 0.1}
        )


def own_probabilities(index: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    yes = (np.asarray(index) + 1) / 37.0
    return np.column_stack([1 - yes, yes])


@pytest.fixture
def data() -> Dataset:
    return dataset([sample(i) for i in range(24)])


@pytest.fixture
def plan(data: Dataset) -> CrossValidationSplits:
    return make_folds(data, folds=3, repeats=2, seed=5)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


# ---- planted leaks --------------------------------------------------------------------------------


def halves(data: Dataset, test: Sequence[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    everyone = np.arange(len(data.samples))
    return np.setdiff1d(everyone, test), np.asarray(test, dtype=np.int64)


@pytest.mark.parametrize("how", ["pixels", "group"])
def test_a_planted_duplicate_across_the_parts_is_refused_and_named(how: str) -> None:
    twins = [sample(i) for i in range(24)]
    twins[3] = sample(3, pixels="p07") if how == "pixels" else sample(3, group="g07")
    data = dataset(twins)
    train, test = halves(data, [position(data, "yes/03.png"), position(data, "no/04.png")])
    with pytest.raises(LeakageError, match=r"yes/03\.png") as caught:
        Fold.checked(data, repeat=0, fold=0, train=train, test=test)
    assert "yes/07.png" in str(caught.value)
    with pytest.raises(LeakageError, match=r"yes/07\.png"):
        CrossValidationSplits.checked(data, (Fold(0, 0, train, test),))
    allowed = CrossValidationSplits.checked(data, (Fold(0, 0, train, test),), allow_leaks=True)
    assert len(allowed.leaks) == 1 and any("yes/03.png" in note for note in allowed.notes)
    assert allowed.proof[0][{"pixels": "shared_pixel_hashes", "group": "shared_groups"}[how]] == 1


def test_a_fold_without_a_leak_passes_the_same_check(data: Dataset) -> None:
    train, test = halves(data, [0, 1, 12, 13])
    fold = Fold.checked(data, repeat=0, fold=0, train=train, test=test)
    assert CrossValidationSplits.checked(data, (fold,)).leaks == ()


def test_a_sample_in_both_parts_is_refused() -> None:
    with pytest.raises(LeakageError, match="in train and in test"):
        Fold(0, 0, np.array([0, 1, 2]), np.array([2, 3]))


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(DataError, match="empty test part"):
        Fold(0, 0, np.array([0, 1, 2]), np.array([], dtype=np.int64))


def test_a_table_of_folds_that_was_tampered_with_is_refused(data: Dataset) -> None:
    twins = dataset([replace_group(one, "g04", "g02") for one in data.samples])
    table = make_folds(twins, folds=3, repeats=1, seed=5).frame()
    here = (table["sample"] == "no/04.png") & (table["part"] == "test")
    fold = int(table.loc[here, "fold"].iloc[0])
    table.loc[(table["sample"] == "no/04.png") & (table["fold"] == fold), "part"] = "train"
    with pytest.raises(LeakageError, match=r"no/02\.png"):
        CrossValidationSplits.from_frame(table, twins)


def replace_group(one: Sample, old: str, new: str) -> Sample:
    return one.model_copy(update={"group": new}) if one.group == old else one


# ---- cells ----------------------------------------------------------------------------------------


def test_each_cell_is_computed_once_and_kept_whole(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    head = CountingHead()
    fit_cells({"a": head}, plan.folds, cell_data(data), run, seed=1)
    assert head.seen == [(fold.repeat, fold.fold) for fold in plan.folds]
    files = sorted((run.path / "cells").rglob("*"))
    assert [path.name for path in files if path.is_file()] == [
        f"r{r}f{f}.json" for r in (0, 1) for f in (0, 1, 2)
    ]
    assert not [path for path in files if path.suffix == ".work"], "work folders are removed"
    fit_cells({"a": head}, plan.folds, cell_data(data), run, seed=1)
    assert len(head.seen) == len(plan.folds), "nothing is computed twice"


def test_a_stopped_run_leaves_whole_cells_and_goes_on_to_the_same_bytes(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit_cells({"a": CountingHead(stop_after=2)}, plan.folds, cell_data(data), run, seed=1)
    kept = sorted((run.path / "cells").rglob("*.json"))
    assert [path.name for path in kept] == ["r0f0.json", "r0f1.json"]
    assert all(json.loads(path.read_text())["key"] for path in kept)
    second = CountingHead()
    fit_cells({"a": second}, plan.folds, cell_data(data), run, seed=1)
    assert len(second.seen) == len(plan.folds) - 2
    whole = RunFolder(tmp_path / "whole")
    fit_cells({"a": CountingHead()}, plan.folds, cell_data(data), whole, seed=1)
    assert contents(run) == contents(whole)


def contents(run: RunFolder) -> dict[str, bytes]:
    cells = run.path / "cells"
    return {str(path.relative_to(cells)): path.read_bytes() for path in sorted(cells.rglob("*.json"))}


def test_a_foreign_cell_is_refused(data: Dataset, plan: CrossValidationSplits, run: RunFolder) -> None:
    fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)
    with pytest.raises(RunFolderError, match="other folds or settings"):
        fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=2)
    moved = replace(plan.folds[0], train=plan.folds[0].train[1:])
    with pytest.raises(RunFolderError, match="other folds or settings"):
        load_cell("a", moved, run, seed=1, k=2)


def test_a_damaged_cell_is_refused_by_its_path(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)
    path = run.cell_path("a", 0, 0)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(RunFolderError, match=r"r0f0\.json is damaged"):
        fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)


@pytest.mark.parametrize("package", ["torch", "openvino"])
def test_cells_of_two_versions_are_never_mixed(
    package: str, data: Dataset, plan: CrossValidationSplits, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)
    older = package_versions((*cross_validation.COMPUTING, *cross_validation.RUNTIMES))
    monkeypatch.setattr(cross_validation, "package_versions", lambda names: {**older, package: "99.0"})
    fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)  # nothing is missing
    with pytest.raises(RunFolderError, match=rf"{package} {older[package]}, now 99\.0"):
        fit_cells({"a": CountingHead()}, plan.folds[:2], cell_data(data), run, seed=1)
    assert not run.cell_path("a", 0, 1).exists()
    monkeypatch.undo()
    fit_cells({"a": CountingHead()}, plan.folds[:2], cell_data(data), run, seed=1)


def test_a_folder_that_knows_no_runtimes_goes_on(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    run.write("versions.json", package_versions(cross_validation.COMPUTING))
    fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)


def test_an_unfinished_cell_is_named(data: Dataset, plan: CrossValidationSplits, run: RunFolder) -> None:
    fit_cells({"a": CountingHead()}, plan.folds[:1], cell_data(data), run, seed=1)
    with pytest.raises(RunFolderError, match="repeat 0, fold 1 is not finished"):
        list(load_cells(["a"], plan.folds, run, seed=1, k=2))


def test_the_key_knows_contender_seed_and_parts(plan: CrossValidationSplits) -> None:
    first = plan.folds[0]
    swapped = Fold(first.repeat, first.fold, first.test, first.train)
    keys = [
        cell_key("a", first, 1),
        cell_key("b", first, 1),
        cell_key("a", first, 2),
        cell_key("a", plan.folds[1], 1),
        cell_key("a", swapped, 1),
    ]
    assert len(set(keys)) == len(keys)
    assert cell_key("a", make_fold_job(first, 1), 1) == keys[0]


def test_contenders_share_a_cell_seed_and_cells_do_not(plan: CrossValidationSplits) -> None:
    seeds = [make_fold_job(fold, 3).seed for fold in plan.folds]
    assert len(set(seeds)) == len(seeds)
    assert seeds == [make_fold_job(fold, 3).seed for fold in plan.folds]


# ---- tables ---------------------------------------------------------------------------------------


def test_predictions_have_one_line_per_sample_repeat_and_contender(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    heads = {"z-first": CountingHead(), "a-second": CountingHead()}
    fit_cells(heads, plan.folds, cell_data(data), run, seed=1, reporter=QUIET)
    cells = list(load_cells(list(heads), plan.folds, run, seed=1, k=2))
    table = predictions_table(cells, cell_data(data), ids_of(data))
    columns = ["sample", "group", "repeat", "fold", "contender", "label", "prob_no", "prob_yes"]
    assert list(table.columns) == columns
    assert len(table) == 24 * 2 * 2
    assert not table.duplicated(["sample", "repeat", "contender"]).any()
    assert list(dict.fromkeys(table["contender"])) == ["z-first", "a-second"], "in the order given"
    truth = {one.id: one for one in data.samples}
    for line in table.to_dict("records"):
        assert (line["label"], line["group"]) == (truth[line["sample"]].label, truth[line["sample"]].group)
        assert line["prob_yes"] == (position(data, line["sample"]) + 1) / 37.0


def test_inner_lines_are_of_the_training_part_without_gaps(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    fit_cells({"a": CountingHead()}, plan.folds, cell_data(data), run, seed=1)
    cells = list(load_cells(["a"], plan.folds, run, seed=1, k=2))
    table = predictions_table(cells, cell_data(data), ids_of(data), inner=True)
    assert not table[["prob_no", "prob_yes"]].isna().any().any()
    assert len(table) == sum(len(fold.train) - 1 for fold in plan.folds)
    for fold in plan.folds:
        lines = table[(table["repeat"] == fold.repeat) & (table["fold"] == fold.fold)]
        assert not set(lines["sample"]) & {ids_of(data)[i] for i in fold.test}


def test_learning_table_scores_the_test_part_itself(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    fit_cells({"a": CountingHead()}, plan.folds, cell_data(data), run, seed=1)
    cells = list(load_cells(["a"], plan.folds, run, seed=1, k=2))
    table = learning_table(cells, cell_data(data))
    assert len(table) == len(plan.folds)
    for row, fold in zip(table.to_dict("records"), plan.folds, strict=True):
        answers = own_probabilities(fold.test).argmax(axis=1)
        assert row["test_accuracy"] == pytest.approx((answers == data.labels()[fold.test]).mean())
        assert json.loads(row["chosen"]) == {"C": 0.1} and json.loads(row["epochs"]) == []


def test_worst_samples_come_worst_first_and_without_baselines(
    data: Dataset, plan: CrossValidationSplits, run: RunFolder
) -> None:
    heads = {"a": CountingHead(), "majority": CountingHead()}
    fit_cells(heads, plan.folds, cell_data(data), run, seed=1)
    cells = list(load_cells(list(heads), plan.folds, run, seed=1, k=2))
    table = predictions_table(cells, cell_data(data), ids_of(data))
    table.loc[table["contender"] == "majority", ["prob_no", "prob_yes"]] = 0.0
    worst = highest_loss_samples(table, without=("majority",), most=5)
    assert len(worst) == 5 and all(0 < one["truth"] < 0.5 for one in worst)
    assert [one["truth"] for one in worst] == sorted(one["truth"] for one in worst)


def test_inner_lines_of_tested_groups_are_left_out_where_a_leak_was_allowed(run: RunFolder) -> None:
    twins = dataset([sample(i) if i != 3 else sample(3, group="g07") for i in range(24)])
    train, test = halves(twins, [position(twins, "yes/03.png"), position(twins, "no/04.png")])
    parts = CrossValidationSplits.checked(twins, (Fold(0, 0, train, test),), allow_leaks=True).folds
    fit_cells({"a": CountingHead()}, parts, cell_data(twins), run, seed=1)
    cells = list(load_cells(["a"], parts, run, seed=1, k=2))
    outer = predictions_table(cells, cell_data(twins), ids_of(twins))
    inner = predictions_table(cells, cell_data(twins), ids_of(twins), inner=True)
    kept = exclude_test_groups(inner, outer)
    assert set(inner["sample"]) - set(kept["sample"]) == {"yes/07.png"}
    assert list(exclude_test_groups(kept, outer)["sample"]) == list(kept["sample"])
