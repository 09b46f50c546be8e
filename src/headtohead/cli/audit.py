"""`headtohead audit` and `headtohead clean`: check whether the data are fit for a comparison, and leave files out."""

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

MOST_LINES = 10  # of issues, so that they and the answer are on one screen; the page has them all
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

    headtohead audit chest --out audit-of-chest --label-has Effusion --against 'No Finding'

    headtohead audit brats --out audit-of-brats --include '*_flair.nii.gz' --exclude runs
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
    if fail_on is not None and (bad := found.at_least(fail_on)):
        codes = ", ".join(one.code for one in bad[:5])
        typer.echo(f"headtohead: --fail-on {fail_on}: {len(bad)} found ({codes}).", err=True)
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
    """Print the issues worst first, a line each, then the answer and where the page is."""
    from headtohead.cli.display.terminal import console, print_text, text_lines
    from headtohead.core.formatting import pluralize

    styles = {"severe": "bold red", "warning": "yellow", "note": "dim"}
    out = console()
    issues = [one for one in found.findings if one.outcome == "issue"]
    shown, lines = 0, 0
    for one in issues:
        mark, text = f"{one.severity:<8} {one.code}  ", f"{one.title}: {one.message}"
        lines += len(text_lines(text, out.width, mark=mark)) if out.is_terminal else 1
        if lines > MOST_LINES:
            break
        print_text(out, text, mark=mark, style=styles[one.severity])
        shown += 1
    if len(issues) > shown:
        print_text(out, f"and {len(issues) - shown} more, each with what to do, on the page below")
    facts, counts = found.dataset_facts, found.record()["counts"]
    words = [
        pluralize(counts.get("severe", 0), "severe issue"),
        pluralize(counts.get("warning", 0), "warning"),
        pluralize(counts.get("note", 0), "note"),
        f"{counts.get('passed', 0)} of {len(found.findings)} checks passed",
    ]
    out.print()
    size = f"{pluralize(facts['n_samples'], 'image')} in {pluralize(facts['n_groups'], 'group')}"
    print_text(out, f"{size}: {', '.join(words)}.", style="bold")
    out.print(f"Page: {page}", markup=False, soft_wrap=True)
