"""`headtohead report`, `diff` and `figure`: from the files of finished runs, on any laptop, without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

FinishedRun = Annotated[
    Path, typer.Argument(metavar="RUN", show_default=False, help="The folder of a finished run.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("report")(report)
    app.command("diff")(diff)
    app.command("figure")(figure)


def report(run: FinishedRun) -> None:
    """Rebuild report.html, report.json and card.md from the files of a run folder; needs no torch and no images.

    For example:  headtohead report runs/scans
    """
    from headtohead.report.page import write_report

    print(write_report(run))


def diff(
    first: Annotated[Path, typer.Argument(metavar="RUN1", show_default=False, help="A finished run.")],
    second: Annotated[Path, typer.Argument(metavar="RUN2", show_default=False, help="A later one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for scripts.")] = False,
) -> None:
    """Say what changed between two runs: images, settings, scores, verdict.

    For example:  headtohead diff runs/before runs/after
    """
    from headtohead.report.run_diff import diff_lines, diff_runs

    found = diff_runs(first, second)
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(diff_lines(found)))


def figure(
    run: FinishedRun,
    name: Annotated[
        str,
        typer.Argument(help="roc, calibration, decision, differences, scores or ranks.", show_default=False),
    ],
    kind: Annotated[str, typer.Option("--format", help="svg, pdf or png.")] = "svg",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; RUN/NAME.FORMAT by default.")
    ] = None,
) -> None:
    """Write one figure of a run as a file for a paper.

    For example:  headtohead figure runs/scans roc --format pdf
    """
    from headtohead.core.atomic_io import check_writable, write_atomic
    from headtohead.core.run_folder import RunFolder
    from headtohead.report.figure_file import figure_bytes

    target = check_writable(out or run / f"{name}.{kind}")
    write_atomic(target, figure_bytes(RunFolder(run).verdict(), name, kind))
    print(target)
