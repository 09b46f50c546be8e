"""`headtohead audit` and `headtohead clean`: is this data fit for a comparison, and what to leave out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import parse_reasons, with_settings

if TYPE_CHECKING:
    from headtohead.audit.audit import AuditResult

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
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE=REASON",
        rich_help_panel="Data",
        help="Set a check aside, with the reason kept in the run; may be repeated.",
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


@with_settings("DataConfig")
def audit(
    data: o.Data,
    out: o.Out,
    *,
    settings: Mapping[str, Any],
    fail_on: FailOn = None,
    as_json: o.AsJson = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed; results are bit-identical for equal seeds.")
    ] = 0,
    groups: o.Groups = None,
    similar: o.Similar = False,
    ignore: Ignore = None,
    features: Features = None,
) -> None:
    """Look for what would invalidate a comparison: copies, leaks, shortcuts, odd files, too few cases.

    Writes audit.html, audit.json and groups.csv. For example:

    headtohead audit scans --out audit-of-scans --fail-on severe

    headtohead audit scans --out audit-of-scans --features efficientnet-lite0
    """
    from headtohead.api.data import audit as run_audit

    reasons = parse_reasons(ignore or ())
    found = run_audit(
        data,
        out=out,
        seed=seed,
        groups=groups,
        similar=similar,
        ignore=reasons,
        features=features,
        **settings,
    )
    if as_json:
        print(json.dumps(found.result.record(), ensure_ascii=False, allow_nan=False))
    else:
        _show(found.result, found.report())
    if fail_on is not None and found.at_least(fail_on):
        raise typer.Exit(1)


@with_settings("DataConfig")
def clean(
    data: o.Data,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="NEW.csv", show_default=False, help="The manifest to write."),
    ],
    *,
    settings: Mapping[str, Any],
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
    """Write a cleaned manifest with patient and duplicate groups; originals are never touched.

    Beside NEW.csv stands NEW.dropped.csv: each file left out, with the reason. For example:

    headtohead clean scans --out clean.csv --keep one-per-group --without looked-at.csv
    """
    from headtohead.api.data import clean as write_manifest

    done = write_manifest(data, out, keep=keep, without=without, groups=groups, similar=similar, **settings)
    print(
        f"{done.manifest}: {done.n_kept} images in {done.n_groups} groups. {done.dropped}: {done.n_dropped} left out."
    )


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
