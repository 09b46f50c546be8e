"""The best model that the images allow, found inside inner folds and judged on outer ones.

What is searched over (backbone, crop, input size, features, mirror images, which of them to join)
is chosen anew in each outer training part, on inner grouped folds of it; the outer test part then
scores the whole procedure, choices included (nested cross-validation: Varma and Simon 2006, BMC
Bioinformatics 7:91). A ladder of fixed contenders beside it tells what each ingredient bought.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.atomic_io import write_atomic, write_json, write_table
from headtohead.core.config import SearchConfig
from headtohead.core.errors import ChangedConfigError, NoEffectError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.heads.base import FoldJob, FoldResult, Head, TrainingData
from headtohead.heads.ensemble import EnsembleHead
from headtohead.studies.search.deadline import DeadlineReporter
from headtohead.studies.search.final_model import searched_model
from headtohead.studies.search.fine_tuned import fine_tune, tuned_heads
from headtohead.studies.search.search_space import (
    AblationStep,
    CandidateSpec,
    FeatureProvider,
    ablation_steps,
    candidate_specs,
)
from headtohead.studies.search.summary import SEARCHED, WITH_TUNED, content

if TYPE_CHECKING:
    from headtohead.data.options import LoadOptions
    from headtohead.data.splits.folds import Fold

__all__ = ["best_study", "search"]

DEFAULT = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "dinov2-small")


def best_study(
    config: SearchConfig, out: Path, reporter: Reporter = QUIET, *, cache: Path | None = None
) -> RunFolder:
    """Run `best` in the folder `out`, or go on with it, and return the run folder.

    Args:
        config: everything that decides the digits, and the time that it may take.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.

    Raises:
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
    """
    from headtohead.data.options import LoadOptions

    search(
        config.data,
        out,
        options=LoadOptions.from_config(config.data_options),
        backbones=config.backbones,
        finetune=config.finetune,
        epochs=config.epochs,
        augment=config.augment,
        copies=config.copies,
        minutes=config.minutes,
        folds=config.folds,
        repeats=config.repeats,
        seed=config.seed,
        cache=cache,
        reporter=reporter,
    )
    return RunFolder(out)


def search(
    source: str,
    out: Path,
    *,
    options: LoadOptions | None = None,
    backbones: Sequence[str] = DEFAULT,
    finetune: Sequence[str] = (),
    epochs: int = 20,
    augment: str = "auto",
    copies: int = 0,
    minutes: float = 20.0,
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
    cache: Path | None = None,
    reporter: Reporter = QUIET,
) -> dict[str, Any]:
    """Search inside, estimate outside; write `best.json`, `best.html`, `predictions.parquet`, the model.

    Args:
        finetune: backbones that are fine-tuned as well (fixed policy, nothing chosen); the mean of them
            and the searched model is a rung of its own. Twenty minutes and more each without a GPU.
        epochs: of fine-tuning. augment: its preset; one that does not mirror keeps mirror images out
            of the search too.
        copies: above 0, a rung aside shows what so many augmented copies of each training image buy;
            their draws follow from the seed and the image.
        minutes: no repeat is begun after so much time, at least one is done; fine-tuning ends then in the
            middle of an epoch, and what it did not finish is left out and named. The same command
            with more minutes goes on.
        cache: where features are kept between runs.

    Returns:
        The content of `best.json`: the estimate, the ladder, what was chosen how often, the model.
    """
    from headtohead.training.data_loader import get_augmenter

    began = time.monotonic()
    augmenter = get_augmenter(augment)
    mirrors = augmenter.flips
    if copies and augmenter.name == "none":
        raise NoEffectError("The preset 'none' changes nothing, so copies are of no use; leave them out.")
    dataset = _grouped(source, options, reporter)
    crop = _crop(dataset, reporter)
    kitchen = FeatureProvider(dataset, cache or _cache(), seed, reporter, augmenter)
    run, clock = RunFolder(out), DeadlineReporter(reporter, began + 60 * minutes)
    tried = candidate_specs(backbones, crop, mirrors=mirrors)
    rungs = ablation_steps(backbones, crop, mirrors=mirrors, copies=copies)
    asked = {"backbones": [*backbones], "finetune": [*finetune], "epochs": epochs, "augment": augment}
    asked |= {"copies": copies}
    with run.lock():
        _claim(out / "settings.json", asked | {"folds": folds, "seed": seed, "data": dataset.digest()})
        data = TrainingData(dataset.labels(), dataset.groups(), dataset.classes)
        parts = _parts(dataset, folds, repeats, seed)
        heads = _heads(tried, rungs, kitchen, run, seed, len(dataset.classes))
        parts = _cells(heads, parts, data, run, seed, clock, reporter)
        model = searched_model(tried, kitchen, dataset, out, seed)
        shown = [*(rung.name for rung in rungs), SEARCHED]
        tuned = tuned_heads(finetune, dataset, crop, epochs=epochs, augment=augment)
        tuning = fine_tune(tuned, parts, data, run, dataset, crop, seed, clock)
        if tuning.models:
            parts, model["tuned"] = tuning.parts, tuning.models
            _joined(list(tuned), parts, data, run, seed, reporter)
            shown += [WITH_TUNED, *tuned]
        verdicts, table, chosen = _judged(shown, dataset, run, parts, seed, reporter)
        write_table(out / "predictions.parquet", table)
        asides = [rung.name for rung in rungs if rung.side_branch]
        told = content(verdicts, chosen, parts, dataset, [one.name for one in tried], asides)
        told |= {
            "asked": asked | {"seed": seed},
            "notes": tuning.notes,
            "minutes": round((time.monotonic() - began) / 60, 1),
            "model": model,
        }
        write_json(out / "best.json", told)
        from headtohead.report.search_page import page

        write_atomic(out / "best.html", page(told, verdicts["auroc"]))
    return told


def _claim(path: Path, asked: dict[str, Any]) -> None:
    """Keep what decides the digits; refuse a folder that was made with something else."""
    if path.is_file() and (before := json.loads(path.read_text(encoding="utf-8"))) != asked:
        changed = [
            f"{k}: {before.get(k)!r} there, {v!r} asked for" for k, v in asked.items() if before.get(k) != v
        ]
        raise ChangedConfigError(
            f"{path.parent} was made with other settings: {'; '.join(changed)}. Choose another --out."
        )
    write_json(path, asked)


def _heads(
    tried: Sequence[CandidateSpec],
    rungs: Sequence[AblationStep],
    kitchen: FeatureProvider,
    run: RunFolder,
    seed: int,
    k: int = 2,
) -> dict[str, Head]:
    """Return name -> head: every candidate, then the rungs of the ladder, then the search itself."""
    from headtohead.heads.linear_probe import ProbeHead
    from headtohead.studies.search.augmented_probe import AugmentedProbeHead

    needed = list(dict.fromkeys([*tried, *(one for rung in rungs for one in rung.members)]))
    heads: dict[str, Head] = {
        one.name: AugmentedProbeHead(_maker(kitchen, one), kitchen.copies(one))
        if one.copies
        else ProbeHead(_maker(kitchen, one))
        for one in needed
    }
    lookup = _lookup(run, seed, k)
    for rung in rungs:
        names = [one.name for one in rung.members]
        heads[rung.name] = EnsembleHead(names, lookup, "mean") if len(names) > 1 else _Same(names[0], lookup)
    heads[SEARCHED] = EnsembleHead([one.name for one in tried], lookup, "greedy")
    return heads


class _Same:
    """A rung that is one candidate: its result under the rung's name."""

    def __init__(self, name: str, lookup: Callable[[str, FoldJob], FoldResult]) -> None:
        self._name, self._lookup = name, lookup

    def fit_predict(
        self, cell: FoldJob, data: TrainingData, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Return the candidate's result."""
        del data, workdir, reporter
        return self._lookup(self._name, cell)


def _maker(kitchen: FeatureProvider, one: CandidateSpec) -> Callable[[], Any]:
    return lambda: kitchen.features(one)


def _lookup(run: RunFolder, seed: int, k: int) -> Callable[[str, FoldJob], FoldResult]:
    from headtohead.heads.cross_validation import load_cell

    return lambda name, cell: load_cell(name, cell, run, seed=seed, k=k)


def _parts(dataset: Dataset, folds: int, repeats: int, seed: int) -> list[Fold]:
    from headtohead.data.splits.folds import make_folds

    return list(make_folds(dataset, folds=folds, repeats=repeats, seed=seed).folds)


def _cells(
    heads: Mapping[str, Head],
    parts: Sequence[Fold],
    data: TrainingData,
    run: RunFolder,
    seed: int,
    clock: DeadlineReporter,
    reporter: Reporter,
) -> list[Fold]:
    """Fit the heads repeat by repeat until the time is over; return the parts that are finished."""
    from headtohead.heads.cross_validation import run_cells

    done: list[Fold] = []
    repeats = sorted({part.repeat for part in parts})
    for repeat in repeats:
        if done and time.monotonic() > clock.deadline:
            reporter.warning(
                f"The time is over after {repeat} of {len(repeats)} repeats; those are reported."
            )
            break
        now = [part for part in parts if part.repeat == repeat]
        run_cells(heads, now, data, run, seed=seed, reporter=reporter)
        done += now
    return done


def _joined(
    tuned: Sequence[str],
    parts: Sequence[Fold],
    data: TrainingData,
    run: RunFolder,
    seed: int,
    reporter: Reporter,
) -> None:
    """Fit the mean of the searched model and the fine-tuned networks."""
    from headtohead.heads.cross_validation import run_cells

    head = EnsembleHead([SEARCHED, *tuned], _bare(_lookup(run, seed, len(data.classes))), "mean")
    run_cells({WITH_TUNED: head}, parts, data, run, seed=seed, reporter=reporter)


def _bare(lookup: Callable[[str, FoldJob], FoldResult]) -> Callable[[str, FoldJob], FoldResult]:
    """Return results without inner probabilities, which the mean does not need and not every member has."""
    from dataclasses import replace

    import numpy as np

    def found(name: str, cell: FoldJob) -> FoldResult:
        result = lookup(name, cell)
        return replace(result, inner_probabilities=np.full_like(result.inner_probabilities, np.nan))

    return found


def _judged(
    shown: Sequence[str],
    dataset: Dataset,
    run: RunFolder,
    parts: Sequence[Fold],
    seed: int,
    reporter: Reporter,
) -> tuple[dict[str, Verdict], Any, dict[str, int]]:
    """Return verdicts by metric over ladder and search, their out-of-fold lines, and what was chosen how often."""
    from headtohead.evaluate.verdict import VerdictConfig, compute_verdict
    from headtohead.heads.cross_validation import load_cells, predictions_table

    data = TrainingData(dataset.labels(), dataset.groups(), dataset.classes)
    cells = list(load_cells(shown, parts, run, seed=seed, k=len(dataset.classes)))
    table = predictions_table(cells, data, [sample.id for sample in dataset.samples])
    verdicts = {
        metric: compute_verdict(
            table,
            VerdictConfig(
                classes=dataset.classes, positive=dataset.positive, metric=metric, seed=seed, contenders=tuple(shown)
            ),
            reporter=reporter,
        )
        for metric in ("auroc", "accuracy")
    }  # fmt: skip
    chosen: dict[str, int] = {}
    for name, _, result in cells:
        if name == SEARCHED:
            for member, weight in zip(result.chosen["members"], result.chosen["weights"], strict=True):
                chosen[member] = chosen.get(member, 0) + (weight > 0)
    return verdicts, table, {name: n for name, n in sorted(chosen.items(), key=lambda item: -item[1]) if n}


def _grouped(source: str, options: LoadOptions | None, reporter: Reporter) -> Dataset:
    from headtohead.audit.image_index import ImageIndex
    from headtohead.audit.summary_store import open_summaries
    from headtohead.data.load import load
    from headtohead.data.options import LoadOptions

    dataset = load(source, options or LoadOptions(), reporter)
    return dataset.with_groups(ImageIndex(dataset, store=open_summaries(), reporter=reporter).groups().groups)


def _crop(dataset: Dataset, reporter: Reporter) -> str:
    from headtohead.preprocess.suggest import suggest_recipe

    step = max(1, len(dataset.samples) // 40)
    name, reason = suggest_recipe(dataset.read(sample) for sample in dataset.samples[::step][:40])
    reporter.info(f"Crop: {name} ({reason}).")
    return str(name)


def _cache() -> Path:
    from headtohead.core.cache_home import cache_home

    return cache_home() / "features"
