"""Run whole studies from Python: compare, best, reproduce; and read finished ones."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headtohead.api.arguments import (
    mirror_settings,
    names_of,
    path_of,
    reporter_for,
    run_path,
    settings_from,
    source_of,
)
from headtohead.api.results.comparison_run import Run
from headtohead.api.results.study_runs import BestRun, ReproductionRun
from headtohead.core.errors import RunFolderError

if TYPE_CHECKING:
    from headtohead.core.config import StudyConfig

__all__ = ["best", "compare", "compare_shard", "load_run", "reproduce"]


@mirror_settings("StudyConfig", without=("data", "contenders"))
def compare(
    data: str | os.PathLike[str],
    contenders: str | Iterable[str],
    *,
    out: str | os.PathLike[str] | None = None,
    log: str | Iterable[str] = (),
    engine: str = "local",
    explain: bool = False,
    learning_curve: bool | None = None,
    quiet: bool = False,
    verbose: bool = False,
    **settings: Any,
) -> Run:
    """Compare pretrained networks on your own images: audit, controlled comparison, verdict, report.

    The same call on the same folder goes on where it stopped; a finished run is returned at once.

    Args:
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set.
        contenders: names or expressions, as a list or with commas: "vit-b16", "dinov2-small@finetune",
            "ensemble(a,b)", "timm:resnet50.a1_in1k".
        out: the run folder; a temporary one, with a warning, if None.
        log: trackers that follow the training: "tensorboard", "mlflow", as a list or with commas.
        engine: where features and cells are computed: "local", "ray" (extra `ray`; the cluster of `RAY_ADDRESS` or of
            this machine) or "ray://HOST:PORT". The digits are the same.
        explain: also write the maps of images that a contender gets wrong, as `Run.explain` does.
        learning_curve: fit every probe on 25, 50 and 75 % of the training groups too (`Run.learning_curve`); by
            default where that takes no more than two minutes.
        quiet: show no progress.
        verbose: also say every decision and finished fold where no terminal watches.
        **settings: see below.

    Returns:
        the finished run: verdict, frames, figures.

    Raises:
        HeadToHeadError: anything that headtohead explains: settings, data, weights, a changed run folder.
    """
    from headtohead.studies.comparison import compare_study

    reporter = reporter_for(quiet, verbose=verbose)
    config = _study_config(data, contenders, settings)
    folder = compare_study(
        config,
        run_path(out, reporter, source_of(data)),
        reporter,
        log=names_of(log, "log") if log else (),
        engine=engine,
        learning_curve=learning_curve,
    )
    run = Run(folder.path)
    if explain:
        run.explain(quiet=quiet)
    return run


@mirror_settings("StudyConfig", without=("data", "contenders"))
def compare_shard(
    data: str | os.PathLike[str],
    contenders: str | Iterable[str],
    *,
    out: str | os.PathLike[str],
    shard: str,
    quiet: bool = False,
    verbose: bool = False,
    **settings: Any,
) -> int:
    """Compute one shard of `compare`, for arrays of batch jobs that share the run folder.

    When the shards have ended, `compare` with the same arguments gathers them: it computes what is missing, and writes
    verdict and report. The digits are those of one process.

    Args:
        data: a folder, table, archive, .npz or kaggle:owner/set.
        contenders: names or expressions, as for `compare`.
        out: the run folder.
        shard: "2/8" for the second of eight.
        quiet: show no progress.
        verbose: also say every decision and finished fold where no terminal watches.
        **settings: see below.

    Returns:
        how many cells were the shard's share.

    Raises:
        HeadToHeadError: anything that headtohead explains: settings, data, weights, a changed run folder.
    """
    from headtohead.studies.shards import compare_shard as run_shard

    config = _study_config(data, contenders, settings)
    reporter = reporter_for(quiet, verbose=verbose)
    return run_shard(config, run_path(out, reporter, source_of(data)), shard, reporter)


@mirror_settings("SearchConfig", without=("data",))
def best(
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    quiet: bool = False,
    **settings: Any,
) -> BestRun:
    """Search backbones, recipes, features and ensembles inside inner folds; estimate the search on outer ones.

    Args:
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set.
        out: the run folder; a temporary one, with a warning, if None.
        quiet: show no progress.
        **settings: see below.

    Returns:
        the nested estimate, the ablation, and the model.

    Raises:
        HeadToHeadError: anything that headtohead explains: settings, data, weights, a changed run folder.
    """
    from headtohead.core.config import SearchConfig
    from headtohead.studies.search.search import best_study

    reporter = reporter_for(quiet)
    config = SearchConfig.from_settings(settings_from(SearchConfig, {"data": source_of(data), **settings}))
    return BestRun(best_study(config, run_path(out, reporter, source_of(data)), reporter).path)


@mirror_settings("ReproductionConfig", without=("data",))
def reproduce(
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    quiet: bool = False,
    **settings: Any,
) -> ReproductionRun:
    """Run the published study as published and corrected, one flaw at a time, with intervals.

    Args:
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set; two classes.
        out: the run folder; a temporary one, with a warning, if None.
        quiet: show no progress.
        **settings: see below.

    Returns:
        each state of the protocol with its figures.

    Raises:
        HeadToHeadError: anything that headtohead explains: settings, data, weights, a changed run folder.
    """
    from headtohead.core.config import ReproductionConfig
    from headtohead.studies.reproduction.reproduce import reproduce_study

    reporter = reporter_for(quiet)
    given = {"data": source_of(data), **settings}
    config = ReproductionConfig.from_settings(settings_from(ReproductionConfig, given))
    return ReproductionRun(reproduce_study(config, run_path(out, reporter, source_of(data)), reporter).path)


def load_run(path: str | os.PathLike[str]) -> Run | BestRun | ReproductionRun:
    """Read a finished run from its folder.

    Args:
        path: the folder that `compare`, `best` or `reproduce` wrote.

    Returns:
        the run, of the kind that wrote it.

    Raises:
        RunFolderError: there is no finished run.
    """
    folder = path_of(path, "path")
    # These two first, since their folders hold a verdict.json too.
    if (folder / "best.json").is_file():
        return BestRun(folder)
    if (folder / "reproduce.json").is_file():
        return ReproductionRun(folder)
    if (folder / "verdict.json").is_file():
        return Run(folder)
    raise RunFolderError(f"There is no finished run at {folder}; expected a folder with verdict.json.")


def _study_config(
    data: str | os.PathLike[str], contenders: str | Iterable[str], settings: dict[str, Any]
) -> StudyConfig:
    from headtohead.core.config import StudyConfig

    given = {"data": source_of(data), "contenders": names_of(contenders, "contenders"), **settings}
    return StudyConfig.from_settings(settings_from(StudyConfig, given))
