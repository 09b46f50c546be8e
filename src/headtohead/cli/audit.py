"""`headtohead audit` and `headtohead clean`: may this data carry a comparison, and what to leave out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headtohead.cli import common_options as o
from headtohead.cli.data_options import load_options, with_data_options

if TYPE_CHECKING:
    from headtohead.audit.audit import AuditResult
    from headtohead.data.dataset import Dataset

__all__ = ["register"]

FailOn = Annotated[
    Literal["severe", "warning"] | None,
    typer.Option("--fail-on", help="End with status 1 if there is an issue this bad or worse; for CI."),
]
Features = Annotated[
    str | None,
    typer.Option(
        "--features",
        metavar="BACKBONE",
        help="Also rank unusual images by a pretrained network's features, e.g. efficientnet-lite0.",
    ),
]
Keep = Annotated[
    Literal["grouped", "one-per-group"],
    typer.Option("--keep", help="All images with their groups, or one (the largest) of each group."),
]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("audit")(audit)
    app.command("clean")(clean)


@with_data_options
def audit(
    data: o.Data,
    out: o.Out,
    *,
    reading: dict[str, Any],
    fail_on: FailOn = None,
    as_json: o.AsJson = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides every draw; same seed, same digits.")] = 0,
    groups: o.Groups = None,
    similar: o.Similar = False,
    ignore: o.Ignore = None,
    features: Features = None,
) -> None:
    """Look for what would ruin a comparison: copies, leaks, shortcuts, odd files, too few cases.

    Writes audit.html, audit.json and groups.csv. For example:

    headtohead audit scans --out audit-of-scans --fail-on severe

    headtohead audit scans --out audit-of-scans --features efficientnet-lite0
    """
    found = _run(
        data, reading, groups, similar=similar, ignore=o.parse_reasons(ignore), seed=seed, features=features
    )
    page = _write(found, out)
    if as_json:
        print(json.dumps(found.record(), ensure_ascii=False, allow_nan=False))
    else:
        _show(found, page)
    if fail_on is not None and found.at_least(fail_on):
        raise typer.Exit(1)


@with_data_options
def clean(
    data: o.Data,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="NEW.csv", show_default=False, help="The manifest to write."),
    ],
    *,
    reading: dict[str, Any],
    keep: Keep = "grouped",
    without: Annotated[
        Path | None,
        typer.Option(
            "--without",
            metavar="FILE",
            help="CSV with the columns path,reason: files that you leave out after looking at them.",
        ),
    ] = None,
    groups: o.Groups = None,
    similar: o.Similar = False,
) -> None:
    """Write a manifest with groups and without what was decided against; originals are never touched.

    Beside NEW.csv stands NEW.dropped.csv: each file left out, with the reason. For example:

    headtohead clean scans --out clean.csv --keep one-per-group --without looked-at.csv
    """
    from headtohead.audit.clean import plan_clean, read_decisions, write_clean

    dataset = _load(data, reading)
    grouping = _grouping(dataset, groups, similar=similar)
    decided = {} if without is None else read_decisions(without, dataset)
    plan = plan_clean(dataset, grouping, keep=keep, without=decided)
    dropped = write_clean(plan, out)
    print(
        f"{out}: {len(plan.kept)} images in {plan.n_groups} groups. {dropped}: {len(plan.dropped)} left out."
    )


def _load(data: str, reading: dict[str, Any]) -> Dataset:
    from headtohead.cli.progress import console_reporter
    from headtohead.data.load import load

    return load(data, load_options(reading), console_reporter())


def _grouping(dataset: Dataset, groups: Path | None, *, similar: bool) -> Any:
    """Return the reviewer's groups, or those that are found in the pixels."""
    from headtohead.audit.duplicates import Grouping, find_groups
    from headtohead.cli.progress import console_reporter
    from headtohead.core.errors import NoEffectError

    if groups is None:
        return find_groups(dataset, reporter=console_reporter(), similar=similar)
    if similar:
        raise NoEffectError(
            "--group-similar has no effect with --groups: your own file decides. Leave one out."
        )
    from headtohead.data.listing.groups_csv import read_groups

    return Grouping.from_reviewer(read_groups(groups, dataset))


def _run(
    data: str,
    reading: dict[str, Any],
    groups: Path | None,
    *,
    similar: bool,
    ignore: dict[str, str],
    seed: int,
    features: str | None,
) -> AuditResult:
    from headtohead.audit.audit import audit as run
    from headtohead.cli.progress import console_reporter

    dataset = _load(data, reading)
    rows = None
    if features is not None:
        from headtohead.studies.post_audit import pretrained_features

        rows = pretrained_features(dataset, features, reporter=console_reporter())
    grouping = _grouping(dataset, groups, similar=similar)
    return run(
        dataset,
        ignore=ignore,
        similar=similar,
        grouping=grouping,
        seed=seed,
        features=rows,
        reporter=console_reporter(),
    )


def _write(found: AuditResult, out: Path) -> Path:
    from headtohead.cli.progress import console_reporter
    from headtohead.report.audit_page import write_audit_page

    found.write(out, console_reporter())
    return write_audit_page(out)


def _show(found: AuditResult, page: Path) -> None:
    """Print the issues worst first, each with what to do, and what else was asked."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"severe": "bold red", "warning": "yellow", "note": "dim"}
    table = Table("", "code", "what was found, and what to do", box=box.SIMPLE_HEAD)
    for one in found.findings:
        if one.outcome not in ("issue", "tip"):
            continue
        word = one.severity if one.outcome == "issue" else "tip"
        told = Text(f"{one.title}. ", style="bold").append(one.message, style="not bold")
        told.append(f"\n{one.advice}", style="dim not bold")
        table.add_row(Text(word, style=colours[one.severity]), one.code, told)
    console = Console(highlight=False)
    facts = found.dataset_facts
    console.print(f"\n{facts['n_samples']} images in {facts['n_groups']} groups", style="bold", markup=False)
    console.print(table)
    counts = found.record()["counts"]
    rest = ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in counts.items())
    console.print(f"{len(found.findings)} checks: {rest}.\nPage: {page}", markup=False, soft_wrap=True)
