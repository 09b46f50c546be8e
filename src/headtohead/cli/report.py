"""`headtohead report`: rebuild a run's page, on any laptop, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", show_default=False, help="The folder of a finished run.")
    ],
) -> None:
    """Rebuild report.html from the files of a run folder; needs no torch and no images.

    For example:  headtohead report runs/scans
    """
    from headtohead.report.page import write_report

    print(write_report(run))
