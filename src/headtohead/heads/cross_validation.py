"""Every contender on every fold: cells computed once, kept, and gathered into one table.

The table of out-of-fold predictions is all that statistics see.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.epoch_log import read_epoch_log
from headtohead.core.errors import RunFolderError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.run_folder import RunFolder
from headtohead.data.splits.folds import Fold
from headtohead.heads.base import FoldJob, FoldResult, Head, TrainingData
from headtohead.heads.cell_io import read_cell, write_cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "exclude_test_groups",
    "highest_loss_samples",
    "learning_table",
    "load_cell",
    "load_cells",
    "predictions_table",
    "run_cells",
    "training_costs",
    "trials_of",
]

TOLD_FROM = 1.0  # seconds; shorter cells are not worth a line


def run_cells(
    heads: Mapping[str, Head],
    parts: Sequence[Fold],
    data: TrainingData,
    run: RunFolder,
    *,
    seed: int,
    reporter: Reporter = QUIET,
) -> None:
    """Compute each cell that the run folder does not hold yet.

    A cell's file is written whole when it is finished; what a head left in its work folder
    (checkpoints) is removed then. Cells go contender by contender, so that a network's features
    are needed for one contender at a time.

    Args:
        heads: contender name -> head, ensembles after their members.
        seed: the study's seed; each cell's own seed follows from it, the repeat and the fold.
    """
    todo = [(name, part) for name in heads for part in parts]
    for place, (name, part) in enumerate(reporter.progress(todo, "Fitting", total=len(todo)), start=1):
        path = run.cell_path(name, part.repeat, part.fold)
        key = cell_key(name, part, seed)
        if read_cell(path, key, len(data.classes)) is not None:
            continue
        work = run.work_folder(name, part.repeat, part.fold)
        work.mkdir(parents=True, exist_ok=True)
        started, before = time.perf_counter(), _seconds_before(work)
        result = heads[name].fit_predict(make_cell(part, seed), data, work, reporter)
        seconds = time.perf_counter() - started + before
        spent = {"seconds": round(seconds, 2), "trials": trials_of(result)}
        _keep(work, run.training_path(name, part.repeat, part.fold), spent)
        write_cell(path, key, result)
        shutil.rmtree(work)
        if seconds >= TOLD_FROM:
            reporter.info(f"cell {place} of {len(todo)}: {_in_words(name, part, result, seconds)}")


def trials_of(result: FoldResult) -> int:
    """Return how many combinations of settings were tried inside a cell; 0 where nothing was chosen."""
    tried = result.chosen.get("trials", result.chosen.get("grid", ()))
    return len(tried)


def training_costs(names: Sequence[str], parts: Sequence[Fold], run: RunFolder) -> dict[str, dict[str, Any]]:
    """Return contender -> what its cells took: seconds in all, and the trials of each cell."""
    found = {}
    for name in names:
        paths = [run.training_path(name, part.repeat, part.fold) for part in parts]
        spent = [json.loads(path.read_text()) for path in paths if path.is_file()]
        seconds = round(sum(one["seconds"] for one in spent), 1)
        found[name] = {"seconds": seconds, "trials": [one["trials"] for one in spent]}
    return found


def _seconds_before(work: Path) -> float:
    """Return what finished epochs took before an interruption."""
    return float(sum(line["seconds"] for line in read_epoch_log(work / "metrics.jsonl")))


def _keep(work: Path, target: Path, spent: Mapping[str, Any]) -> None:
    """Keep what a cell took, and the lines of its trainings."""
    write_json(target, dict(spent))
    lines = work / "metrics.jsonl"
    if lines.is_file():
        write_atomic(target.with_suffix(".jsonl"), lines.read_bytes())


def _in_words(name: str, part: Fold, result: FoldResult, seconds: float) -> str:
    loss = "" if result.inner.loss is None else f", inner log loss {result.inner.loss:.3f}"
    return f"{name}, repeat {part.repeat + 1}, fold {part.fold + 1}: {seconds:.0f} s{loss}"


def make_cell(part: Fold, seed: int) -> FoldJob:
    """Return the cell of a part; its seed is shared by all contenders."""
    state = np.random.SeedSequence([seed, part.repeat, part.fold]).generate_state(1)
    return FoldJob(part.repeat, part.fold, part.train, part.test, int(state[0]))


def cell_key(name: str, part: Fold | FoldJob, seed: int) -> str:
    """Return what identifies a cell's inputs: contender, seed, and who is in which part."""
    digest = hashlib.sha256(f"{name}|{seed}|{part.repeat}|{part.fold}|".encode())
    digest.update(np.asarray(part.train, dtype=np.int64).tobytes())
    digest.update(b"|")
    digest.update(np.asarray(part.test, dtype=np.int64).tobytes())
    return digest.hexdigest()[:32]


def load_cell(name: str, part: Fold | FoldJob, run: RunFolder, *, seed: int, k: int) -> FoldResult:
    """Return a finished cell.

    Raises:
        RunFolderError: it is not finished, or was computed from something else.
    """
    result = read_cell(run.cell_path(name, part.repeat, part.fold), cell_key(name, part, seed), k)
    if result is None:
        raise RunFolderError(
            f"The cell of {name}, repeat {part.repeat}, fold {part.fold} is not finished in {run.path}. "
            "Run the same command again."
        )
    return result


def load_cells(
    names: Sequence[str], parts: Sequence[Fold], run: RunFolder, *, seed: int, k: int
) -> Iterator[tuple[str, Fold, FoldResult]]:
    """Yield every finished cell, contender by contender."""
    for name in names:
        for part in parts:
            yield name, part, load_cell(name, part, run, seed=seed, k=k)


def predictions_table(
    cells: Sequence[tuple[str, Fold, FoldResult]],
    data: TrainingData,
    ids: Sequence[str],
    *,
    inner: bool = False,
) -> pd.DataFrame:
    """Return one line per sample, repeat and contender.

    Args:
        ids: sample ids in index order.
        inner: the training part's inner out-of-fold probabilities instead of the test part's
            (samples that no inner fold covered are left out).

    Returns:
        Columns sample, group, repeat, fold, contender, label, prob_<class>…; sorted by contender
        (in the order given), repeat, fold, sample.
    """
    import pandas as pd

    frames = []
    for name, part, result in cells:
        index = part.train if inner else part.test
        rows = result.inner_probabilities if inner else result.probabilities
        known = ~np.isnan(rows).any(axis=1)
        index, rows = np.asarray(index)[known], rows[known]
        columns: dict[str, Any] = {
            "sample": [ids[i] for i in index],
            "group": [str(data.groups[i]) for i in index],
            "repeat": part.repeat,
            "fold": part.fold,
            "contender": name,
            "label": [data.classes[data.labels[i]] for i in index],
        }
        columns.update({f"prob_{label}": rows[:, j] for j, label in enumerate(data.classes)})
        frames.append(pd.DataFrame(columns).sort_values("sample", kind="stable"))
    return pd.concat(frames, ignore_index=True)


def exclude_test_groups(inner: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the inner lines whose group is not tested in the same fold; where nothing leaks, all of them.

    Thresholds and temperatures come from inner lines: where a leak was allowed, they must at least
    not be chosen on the leaked groups.

    Args:
        inner, table: inner and out-of-fold lines, as `predictions_table` makes them.
    """
    keys = ["repeat", "fold", "group"]
    tested = set(table[keys].itertuples(index=False, name=None))
    kept = [key not in tested for key in inner[keys].itertuples(index=False, name=None)]
    return inner[kept].reset_index(drop=True)


def highest_loss_samples(table: pd.DataFrame, *, without: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Return the samples to whose truth the contenders give the least probability, worst first.

    Args:
        table: out-of-fold lines, as `predictions_table` makes them.
        without: contenders (baselines) that are not asked.

    Returns:
        id, label and the mean probability of the truth, only where that is below one half.
    """
    lines = table[~table["contender"].isin(list(without))]
    truth = [float(row[f"prob_{row['label']}"]) for row in lines.to_dict("records")]
    means = lines.assign(truth=truth).groupby(["sample", "label"], sort=True)["truth"].mean().reset_index()
    worst = means[means["truth"] < 0.5].sort_values(["truth", "sample"]).head(most)
    return [
        {"id": r["sample"], "label": r["label"], "truth": float(r["truth"])} for r in worst.to_dict("records")
    ]


def learning_table(cells: Sequence[tuple[str, Fold, FoldResult]], data: TrainingData) -> pd.DataFrame:
    """Return per cell the accuracy and log loss on train, inner validation and test, and what was chosen."""
    import pandas as pd

    from headtohead.training.records import fit_metrics

    rows = []
    for name, part, result in cells:
        test = fit_metrics(data.labels[part.test], result.probabilities)
        rows.append(
            {
                "contender": name,
                "repeat": part.repeat,
                "fold": part.fold,
                "train_accuracy": result.train.accuracy,
                "train_loss": result.train.loss,
                "inner_accuracy": result.inner.accuracy,
                "inner_loss": result.inner.loss,
                "test_accuracy": test.accuracy,
                "test_loss": test.loss,
                "chosen": json.dumps(dict(result.chosen), sort_keys=True),
                "epochs": json.dumps([_epoch(line) for line in result.epochs]),
            }
        )
    return pd.DataFrame(rows)


def _epoch(line: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(line)
