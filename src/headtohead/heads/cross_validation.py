"""Cross-validation of every contender: each cell (contender, repeat, fold) is computed once and stored."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.core.atomic_io import write_atomic
from headtohead.core.epoch_log import read_epoch_log
from headtohead.core.errors import RunFolderError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.provenance import package_versions
from headtohead.core.run_folder import RunFolder, write_record
from headtohead.data.splits.folds import Fold
from headtohead.heads.base import CellLookup, FoldJob, FoldResult, Head, SampleLabels
from headtohead.heads.cell_io import read_cell, write_cell
from headtohead.heads.side_by_side import FittedFold, fit_folds
from headtohead.training.records import FITTING

__all__ = [
    "cell_key",
    "cell_lookup",
    "fit_cells",
    "load_cell",
    "load_cells",
    "make_fold_job",
    "training_costs",
    "trials_of",
]

VERSIONS = "versions.json"
# Whose versions decide digits of features and fits: a run that goes on with others would be a mixture.
COMPUTING = (
    "torch",
    "timm",
    "transformers",
    "numpy",
    "scipy",
    "scikit-learn",
    "opencv-python-headless",
    "pillow",
)
# Runtimes of frozen features; folders begun before these were noted know nothing of them.
RUNTIMES = ("openvino", "onnxruntime")
REPORTED_FROM = 1.0  # seconds; a line for each shorter cell would drown the others


def fit_cells(
    heads: Mapping[str, Head],
    folds: Sequence[Fold],
    data: SampleLabels,
    run: RunFolder,
    *,
    seed: int,
    reporter: Reporter = QUIET,
    select: Callable[[str, Fold], bool] | None = None,
) -> None:
    """Compute each cell that the run folder does not hold yet.

    A cell's file is written whole when it is finished; what a head left in its work folder
    (checkpoints) is removed then. Cells go contender by contender, so that a network's features
    are needed for one contender at a time.

    Args:
        heads: contender name -> head, ensembles after their members.
        folds: which samples to train on and which to predict.
        data: labels and groups of all samples.
        run: where finished cells lie.
        seed: the study's seed; each cell's own seed follows from it, the repeat and the fold.
        reporter: hears how far the work is.
        select: whether a cell is to be computed; all are if None.

    Raises:
        RunFolderError: a stored cell is damaged, or was computed from something else, or by other versions of
            the libraries while others are missing.
    """
    cells = [(name, fold) for name in heads for fold in folds if select is None or select(name, fold)]
    missing: dict[str, list[Fold]] = {name: [] for name in heads}
    for name, fold in cells:
        path = run.cell_path(name, fold.repeat, fold.fold)
        if read_cell(path, cell_key(name, fold, seed), len(data.classes)) is None:
            missing[name].append(fold)
    lacking = {(name, fold.repeat, fold.fold) for name, own in missing.items() for fold in own}
    if lacking:
        _refuse_other_versions(run)
    with ExitStack() as stack:
        fitted = {
            name: stack.enter_context(closing(_fits(heads[name], name, own, data, run, seed, reporter)))
            for name, own in missing.items()
        }
        for number, (name, fold) in enumerate(reporter.progress(cells, "Fitting", total=len(cells)), start=1):
            if (name, fold.repeat, fold.fold) not in lacking:
                continue
            workdir = run.work_folder(name, fold.repeat, fold.fold)
            earlier = _seconds_before_interruption(workdir)
            one = next(fitted[name])
            seconds = one.seconds + earlier
            # Before the cell, whose file says that all of it is done.
            cost = _cost(one, seconds)
            _store_cost(workdir, run.training_path(name, fold.repeat, fold.fold), cost)
            path = run.cell_path(name, fold.repeat, fold.fold)
            write_cell(path, cell_key(name, fold, seed), one.result)
            if workdir.is_dir():  # there is none where another process made the fit
                shutil.rmtree(workdir)
            if seconds >= REPORTED_FROM:
                reporter.info(f"cell {number} of {len(cells)}: {_cell_line(name, fold, one.result, seconds)}")


def _fits(
    head: Head,
    name: str,
    folds: Sequence[Fold],
    data: SampleLabels,
    run: RunFolder,
    seed: int,
    reporter: Reporter,
) -> Generator[FittedFold, None, None]:
    """Return the fits of one contender, made when they are asked for."""

    def workdir(job: FoldJob) -> Path:
        path = run.work_folder(name, job.repeat, job.fold)
        path.mkdir(parents=True, exist_ok=True)
        return path

    return fit_folds([(head, make_fold_job(fold, seed)) for fold in folds], data, workdir, reporter)


def _cost(one: FittedFold, seconds: float) -> dict[str, Any]:
    cost: dict[str, Any] = {"seconds": round(seconds, 2), "trials": trials_of(one.result)}
    if one.peak is not None:
        cost["peak_mib"] = one.peak
    chosen = one.result.chosen
    if "at_edge" in chosen:
        cost["rate"] = {name: chosen[name] for name in ("learning_rate", "rates", "at_edge")}
    return cost


def _refuse_other_versions(run: RunFolder) -> None:
    """Note the versions that compute the cells of a run, or refuse to go on with others.

    Raises:
        RunFolderError: names each version that changed.
    """
    now = package_versions((*COMPUTING, *RUNTIMES))
    if not (run / VERSIONS).is_file():
        run.write(VERSIONS, now)
        return
    before = run.json(VERSIONS)
    names = (*COMPUTING, *(name for name in RUNTIMES if name in before))
    changed = [
        f"{name} {before.get(name)}, now {now[name]}" for name in names if before.get(name) != now[name]
    ]
    if changed:
        raise RunFolderError(
            f"The cells of {run.path} were begun with {'; '.join(changed)}, so the rest could have other digits. "
            "Install the versions of before to go on, or choose another --out."
        )


def trials_of(result: FoldResult) -> int:
    """Return how many combinations of settings were tried inside a cell; 0 where nothing was chosen."""
    tried = result.chosen.get("trials", result.chosen.get("grid", ()))
    return len(tried)


def training_costs(names: Sequence[str], folds: Sequence[Fold], run: RunFolder) -> dict[str, dict[str, Any]]:
    """Return contender -> what its cells took: seconds in all and of a typical cell, trials and rates, largest MiB."""
    costs = {}
    for name in names:
        paths = [run.training_path(name, fold.repeat, fold.fold) for fold in folds]
        cells = [json.loads(path.read_text()) for path in paths if path.is_file()]
        seconds = round(sum(cell["seconds"] for cell in cells), 1)
        costs[name] = {"seconds": seconds, "trials": [cell["trials"] for cell in cells]}
        if cells:  # the first cell of a contender also holds the extraction of its features
            costs[name]["typical_cell"] = float(np.median([cell["seconds"] for cell in cells]))
        if peaks := [cell["peak_mib"] for cell in cells if "peak_mib" in cell]:
            costs[name]["peak_mib"] = max(peaks)
        if rates := [cell["rate"] for cell in cells if "rate" in cell]:
            costs[name]["rates"] = rates
    return costs


def _seconds_before_interruption(workdir: Path) -> float:
    """Return what finished epochs took in an earlier call."""
    return float(sum(epoch["seconds"] for epoch in read_epoch_log(workdir / "metrics.jsonl")))


def _store_cost(workdir: Path, target: Path, cost: Mapping[str, Any]) -> None:
    """Store what a cell took, and the epoch log of its trainings next to it."""
    write_record(target, cost)
    log = workdir / "metrics.jsonl"
    if log.is_file():
        write_atomic(target.with_suffix(".jsonl"), log.read_bytes())


def _cell_line(name: str, fold: Fold, result: FoldResult, seconds: float) -> str:
    loss = "" if result.inner.loss is None else f", inner log loss {result.inner.loss:.3f}"
    return f"{name}, repeat {fold.repeat + 1}, fold {fold.fold + 1}: {seconds:.0f} s{loss}"


def make_fold_job(fold: Fold, seed: int) -> FoldJob:
    """Return the job of a fold; its seed is shared by all contenders."""
    state = np.random.SeedSequence([seed, fold.repeat, fold.fold]).generate_state(1)
    return FoldJob(fold.repeat, fold.fold, fold.train, fold.test, int(state[0]))


def cell_key(name: str, fold: Fold | FoldJob, seed: int) -> str:
    """Return what identifies a cell's inputs: version of fitting, contender, seed, and who is in which part."""
    digest = hashlib.sha256(f"{FITTING}|{name}|{seed}|{fold.repeat}|{fold.fold}|".encode())
    digest.update(np.asarray(fold.train, dtype=np.int64).tobytes())  # the same bytes on every platform
    digest.update(b"|")
    digest.update(np.asarray(fold.test, dtype=np.int64).tobytes())
    return digest.hexdigest()[:32]


def load_cell(name: str, fold: Fold | FoldJob, run: RunFolder, *, seed: int, k: int) -> FoldResult:
    """Return a finished cell.

    Raises:
        RunFolderError: it is not finished, or was computed from something else.
    """
    result = read_cell(run.cell_path(name, fold.repeat, fold.fold), cell_key(name, fold, seed), k)
    if result is None:
        raise RunFolderError(
            f"The cell of {name}, repeat {fold.repeat}, fold {fold.fold} is not finished in {run.path}. "
            "Run the same command again."
        )
    return result


def cell_lookup(run: RunFolder, *, seed: int, k: int) -> CellLookup:
    """Return what loads finished cells of a run folder, for heads that combine other contenders."""
    return lambda name, job: load_cell(name, job, run, seed=seed, k=k)


def load_cells(
    names: Sequence[str], folds: Sequence[Fold], run: RunFolder, *, seed: int, k: int
) -> Iterator[tuple[str, Fold, FoldResult]]:
    """Yield every finished cell, contender by contender."""
    for name in names:
        for fold in folds:
            yield name, fold, load_cell(name, fold, run, seed=seed, k=k)
