"""Look at data from Python: audit, clean, preprocess."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from headtohead.api.arguments import (
    mirror_settings,
    path_of,
    reporter_for,
    run_path,
    settings_from,
    source_of,
)
from headtohead.api.results.data_results import AuditReport, CleanResult, PreprocessResult
from headtohead.core.atomic_io import check_writable
from headtohead.core.errors import NoEffectError, UsageError
from headtohead.core.progress import Reporter

if TYPE_CHECKING:
    from headtohead.audit.duplicates import Grouping
    from headtohead.audit.image_index import ImageIndex
    from headtohead.data.dataset import Dataset

__all__ = [
    "audit",
    "clean",
    "find_or_read_groups",
    "load_data",
    "preprocess",
]


@mirror_settings("DataConfig")
def audit(
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    groups: str | os.PathLike[str] | None = None,
    similar: bool = False,
    ignore: Mapping[str, str] | str | Iterable[str] = (),
    features: str | None = None,
    quiet: bool = False,
    **settings: Any,
) -> AuditReport:
    """Audit a data set: copies, leaks, shortcuts, odd files, labels, size.

    Args:
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set.
        out: folder for audit.html, audit.json and groups.csv; a temporary one, with a warning, if None.
        seed: of folds, bootstraps and draws.
        groups: a corrected groups.csv, which replaces the search for copies.
        similar: also put images that are possibly of one patient into one group.
        ignore: checks set aside, code -> reason (or "CODE=reason" texts).
        features: a backbone whose features also rank unusual images, such as "efficientnet-lite0".
        quiet: show no progress.
        **settings: see below.

    Returns:
        findings, groups and the folder.

    Raises:
        HeadToHeadError: data that cannot be read or used; settings that do not fit.
    """
    from headtohead.audit.audit import audit as run_audit
    from headtohead.audit.context import AuditConfig
    from headtohead.audit.image_index import ImageIndex
    from headtohead.audit.summary_store import open_summaries
    from headtohead.report.audit_page import write_audit_page

    reporter = reporter_for(quiet)
    folder = run_path(out, reporter, source_of(data))  # refused, if it is, before the data are read
    dataset = load_data(source_of(data), settings, reporter)
    index = ImageIndex(dataset, store=open_summaries(), reporter=reporter)
    rows = None
    if features is not None:
        from headtohead.studies.post_audit import pretrained_features

        rows = pretrained_features(dataset, features, reporter=reporter)
    result = run_audit(
        dataset,
        AuditConfig(similar=similar, features=rows, seed=seed),
        ignore=[ignore] if isinstance(ignore, str) else ignore,
        grouping=find_or_read_groups(dataset, index, groups, similar=similar),
        index=index,
        reporter=reporter,
    )
    result.write(folder, reporter)
    write_audit_page(folder)
    return AuditReport(folder, result)


@mirror_settings("DataConfig")
def clean(
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    keep: Literal["grouped", "one-per-group"] = "grouped",
    without: str | os.PathLike[str] | None = None,
    groups: str | os.PathLike[str] | None = None,
    similar: bool = False,
    quiet: bool = False,
    **settings: Any,
) -> CleanResult:
    """Write a manifest with groups, without unreadable and contradicting files; originals are never touched.

    Args:
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set.
        out: the CSV to write; NEW.dropped.csv is written beside NEW.csv.
        keep: all images with their groups, or one (the largest) of each group.
        without: CSV with the columns path,reason: files that you leave out after looking at them.
        groups: a corrected groups.csv, which replaces the search for copies.
        similar: also put images that are possibly of one patient into one group.
        quiet: show no progress.
        **settings: see below.

    Returns:
        both files and the counts.

    Raises:
        HeadToHeadError: data that cannot be read or used; nothing would be left.
    """
    from headtohead.audit.clean import check_replaceable, plan_clean, read_decisions, write_clean
    from headtohead.audit.image_index import ImageIndex
    from headtohead.audit.summary_store import open_summaries

    if keep not in ("grouped", "one-per-group"):
        raise UsageError(f"Got keep = {keep!r}; expected grouped or one-per-group.")
    reporter = reporter_for(quiet)
    manifest = check_replaceable(check_writable(path_of(out, "out")))
    dataset = load_data(source_of(data), settings, reporter)
    index = ImageIndex(dataset, store=open_summaries(), reporter=reporter)
    grouping = find_or_read_groups(dataset, index, groups, similar=similar)
    decided = {} if without is None else read_decisions(path_of(without, "without"), dataset)
    plan = plan_clean(dataset, grouping, keep=keep, without=decided)
    dropped = write_clean(plan, manifest)
    return CleanResult(manifest, dropped, len(plan.kept), plan.n_groups, len(plan.dropped))


@mirror_settings("DataConfig")
def preprocess(
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    recipe: str = "auto",
    quiet: bool = False,
    **settings: Any,
) -> PreprocessResult:
    """Write contact sheets of every image before and after a recipe, and the boxes it cut.

    Args:
        data: a folder, table, archive, .npz, kaggle:owner/set or hf:owner/set.
        out: folder for the sheets and boxes.csv; a temporary one, with a warning, if None.
        recipe: "foreground", "foreground-plain", "classical", "none", or "auto", which looks at the images.
        quiet: show no progress.
        **settings: see below.

    Returns:
        the folder, the recipe and the counts.

    Raises:
        HeadToHeadError: data that cannot be read; an unknown recipe.
    """
    from headtohead.api.sheets import choose_recipe, write_boxes, write_sheets

    reporter = reporter_for(quiet)
    folder = run_path(out, reporter, source_of(data))
    dataset = load_data(source_of(data), settings, reporter)
    chosen, reason = choose_recipe(recipe, dataset)
    rows, n_sheets = write_sheets(dataset, chosen, folder, reporter)
    write_boxes(rows, folder / "boxes.csv")
    n_whole = sum(any("whole image kept" in line for line in row.history) for row in rows)
    return PreprocessResult(folder, chosen.name, reason, chosen.digest(), len(rows), n_sheets, n_whole)


def load_data(data: str, settings: Mapping[str, Any], reporter: Reporter) -> Dataset:
    """Read a data set under the settings of `DataConfig`."""
    from headtohead.core.config import DataConfig, parse_record
    from headtohead.data.load import load
    from headtohead.data.options import LoadOptions

    config = parse_record(DataConfig, settings_from(DataConfig, settings))
    return load(data, LoadOptions.from_config(config), reporter)


def find_or_read_groups(
    dataset: Dataset, index: ImageIndex, groups: str | os.PathLike[str] | None, *, similar: bool
) -> Grouping:
    """Return the reviewer's groups, or those that are found in the pixels.

    Raises:
        NoEffectError: `similar` beside the reviewer's own file.
    """
    from headtohead.audit.duplicates import Grouping

    if groups is None:
        return index.groups(similar=similar)
    if similar:
        raise NoEffectError(
            "--group-similar has no effect with --groups: your own file decides. Leave one out."
        )
    from headtohead.data.listing.groups_csv import read_groups

    return Grouping.from_reviewer(read_groups(path_of(groups, "groups"), dataset))
