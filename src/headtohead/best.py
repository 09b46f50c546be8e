"""The best model that the pictures allow, found inside inner folds and judged on outer ones.

What is searched over (backbone, crop, input size, features, mirror images, which of them to join)
is chosen anew in each outer training part, on inner grouped folds of it; the outer test part then
scores the whole procedure, choices included (nested cross-validation: Varma and Simon 2006, BMC
Bioinformatics 7:91). A ladder of fixed contenders beside it tells what each ingredient bought.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import TooFewError
from headtohead.core.files import write_json, write_whole
from headtohead.core.records import Verdict
from headtohead.core.reporter import QUIET, Reporter
from headtohead.core.runs import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.heads.base import Cell, CellData, CellResult, Head
from headtohead.heads.ensemble import EnsembleHead
from headtohead.searching.figures import SEARCHED, content, final_model
from headtohead.searching.ingredients import Ingredients, Kitchen, candidates, ladder

if TYPE_CHECKING:
    from headtohead.data.folds import Fold
    from headtohead.data.options import LoadOptions

__all__ = ["search"]

WITH_TUNED = "searched + fine-tuned"
DEFAULT = ("efficientnet-lite0", "efficientnet-lite2", "dinov2-small")


def search(
    source: str,
    out: Path,
    *,
    options: LoadOptions | None = None,
    backbones: Sequence[str] = DEFAULT,
    finetune: Sequence[str] = (),
    minutes: float = 20.0,
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
    cache: Path | None = None,
    reporter: Reporter = QUIET,
) -> dict[str, Any]:
    """Search inside, estimate outside; write `best.json`, `best.html`, `predictions.parquet`.

    Args:
        finetune: backbones that are fine-tuned as well (fixed policy, nothing chosen); the mean of them
            and the searched model is a rung of its own. Twenty minutes and more each without a GPU.
        minutes: no repeat is begun after so much time; those finished are reported, at least one.
        cache: where features are kept between runs.

    Returns:
        The content of `best.json`: the estimate, the ladder, what was chosen how often, the model.
    """
    began = time.monotonic()
    dataset = _grouped(source, options, reporter)
    crop = _crop(dataset, reporter)
    kitchen = Kitchen(dataset, cache or _cache(), seed, reporter)
    run = RunFolder(out)
    with run.held():
        tried = candidates(backbones, crop)
        rungs = ladder(backbones, crop)
        heads = _heads(tried, rungs, kitchen, run, seed)
        tuned = _tuned(finetune, dataset, crop)
        heads |= tuned
        shown = [*(name for name, _ in rungs), SEARCHED, *tuned]
        if tuned:
            heads[WITH_TUNED] = EnsembleHead([SEARCHED, *tuned], _lookup(run, seed), "mean")
            shown.append(WITH_TUNED)
        parts = _cells(heads, dataset, run, (folds, repeats, seed), began + 60 * minutes, reporter)
        verdict, table, chosen = _judged(shown, dataset, run, parts, seed, reporter)
        table.to_parquet(out / "predictions.parquet", index=False)
        told = content(verdict, chosen, parts, dataset, [one.name for one in tried], time.monotonic() - began)
        told["model"] = final_model(tried, kitchen, dataset, out, seed)
        write_json(out / "best.json", told)
        from headtohead.report.ladder import page

        write_whole(out / "best.html", page(told, verdict))
    return told


def _heads(
    tried: Sequence[Ingredients],
    rungs: Sequence[tuple[str, list[Ingredients]]],
    kitchen: Kitchen,
    run: RunFolder,
    seed: int,
) -> dict[str, Head]:
    """Return name -> head: every candidate, then the rungs of the ladder, then the search itself."""
    from headtohead.heads.probe import ProbeHead

    needed = list(dict.fromkeys([*tried, *(one for _, members in rungs for one in members)]))
    heads: dict[str, Head] = {one.name: ProbeHead(_maker(kitchen, one)) for one in needed}
    lookup = _lookup(run, seed)
    for name, members in rungs:
        names = [one.name for one in members]
        heads[name] = EnsembleHead(names, lookup, "mean") if len(names) > 1 else _Same(names[0], lookup)
    heads[SEARCHED] = EnsembleHead([one.name for one in tried], lookup, "greedy")
    return heads


class _Same:
    """A rung that is one candidate: its result under the rung's name."""

    def __init__(self, name: str, lookup: Callable[[str, Cell], CellResult]) -> None:
        self._name, self._lookup = name, lookup

    def fit_predict(
        self, cell: Cell, data: CellData, workdir: Path, reporter: Reporter = QUIET
    ) -> CellResult:
        """Return the candidate's result."""
        del data, workdir, reporter
        return self._lookup(self._name, cell)


def _maker(kitchen: Kitchen, one: Ingredients) -> Callable[[], Any]:
    return lambda: kitchen.rows(one)


def _lookup(run: RunFolder, seed: int) -> Callable[[str, Cell], CellResult]:
    from headtohead.evaluate.crossval import cell_key
    from headtohead.heads.cellfile import read_cell

    def find(name: str, cell: Cell) -> CellResult:
        found = read_cell(run.cell_path(name, cell.repeat, cell.fold), cell_key(name, cell, seed), 2)
        if found is None:
            raise TooFewError(f"The cell of {name} in repeat {cell.repeat}, fold {cell.fold} is missing.")
        return found

    return find


def _tuned(names: Sequence[str], dataset: Dataset, crop: str) -> dict[str, Head]:
    """Return a fine-tuning head per backbone, with the settings that a study would use by default."""
    from headtohead.backbones.catalog import resolve
    from headtohead.core.config import TrainConfig
    from headtohead.heads.finetune import FinetuneHead
    from headtohead.heads.modes import settings_for
    from headtohead.preprocess.recipe import get_recipe

    found: dict[str, Head] = {}
    for name in names:
        record = resolve(name)
        settings = settings_for(TrainConfig(workers=1), "finetune", record)
        found[f"{name}@finetune"] = FinetuneHead(record, dataset, get_recipe(crop), settings)
    return found


def _cells(
    heads: Mapping[str, Head],
    dataset: Dataset,
    run: RunFolder,
    how: tuple[int, int, int],
    deadline: float,
    reporter: Reporter,
) -> list[Fold]:
    """Fit the heads repeat by repeat until the time is over; return the parts that are finished."""
    from headtohead.data.folds import make_folds
    from headtohead.evaluate.crossval import run_cells

    folds, repeats, seed = how
    plan = make_folds(dataset, folds=folds, repeats=repeats, seed=seed)
    data = CellData(dataset.labels(), dataset.groups(), dataset.classes)
    done: list[Fold] = []
    for repeat in range(repeats):
        if done and time.monotonic() > deadline:
            reporter.warn(f"The time is over after {repeat} of {repeats} repeats; those are reported.")
            break
        parts = [fold for fold in plan.folds if fold.repeat == repeat]
        run_cells(heads, parts, data, run, seed=seed, reporter=reporter)
        done += parts
    return done


def _judged(
    shown: Sequence[str],
    dataset: Dataset,
    run: RunFolder,
    parts: Sequence[Fold],
    seed: int,
    reporter: Reporter,
) -> tuple[Verdict, Any, dict[str, int]]:
    """Return the verdict over ladder and search, their out-of-fold lines, and what was chosen how often."""
    from headtohead.evaluate.battery import judge
    from headtohead.evaluate.crossval import gather, predictions_table

    data = CellData(dataset.labels(), dataset.groups(), dataset.classes)
    cells = list(gather(shown, parts, run, seed=seed, k=len(dataset.classes)))
    table = predictions_table(cells, data, [sample.id for sample in dataset.samples])
    verdict = judge(
        table, classes=dataset.classes, positive=dataset.positive, metric="auroc", seed=seed, contenders=shown,
        reporter=reporter,
    )  # fmt: skip
    chosen: dict[str, int] = {}
    for name, _, result in cells:
        if name == SEARCHED:
            for member, weight in zip(result.chosen["members"], result.chosen["weights"], strict=True):
                chosen[member] = chosen.get(member, 0) + (weight > 0)
    return verdict, table, {name: n for name, n in sorted(chosen.items(), key=lambda item: -item[1]) if n}


def _grouped(source: str, options: LoadOptions | None, reporter: Reporter) -> Dataset:
    from headtohead.audit.duplicates import find_groups
    from headtohead.data.load import load
    from headtohead.data.options import LoadOptions

    dataset = load(source, options or LoadOptions(), reporter)
    return dataset.with_groups(find_groups(dataset, reporter=reporter).groups)


def _crop(dataset: Dataset, reporter: Reporter) -> str:
    from headtohead.preprocess.suggest import suggest_recipe

    step = max(1, len(dataset.samples) // 40)
    name, reason = suggest_recipe(dataset.read(sample) for sample in dataset.samples[::step][:40])
    reporter.say(f"Crop: {name} ({reason}).")
    return str(name)


def _cache() -> Path:
    from headtohead.backbones.store import cache_home

    return cache_home() / "features"
