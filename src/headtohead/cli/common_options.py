"""Options that several commands share and that are no settings: where to write, how to print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Data", "Groups", "Log", "Out", "Per", "Similar", "Verbose"]

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="A folder with a folder per class (or train/val/test folders of them), a table (CSV, TSV, Parquet), "
        "an .npz, a zip or tar (scans.zip/labels.csv is a table inside one), kaggle:owner/set, hf:owner/set, "
        "or any of these but the last under s3:// or gs://.",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="FOLDER", show_default=False, help="Output folder; created if needed."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for scripts.")]
Groups = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel="Data",
        help="Your corrected groups.csv, which replaces the search for copies.",
    ),
]
Similar = Annotated[
    bool,
    typer.Option(
        "--group-similar",
        rich_help_panel="Data",
        help="Also group images that are possibly of one patient (other slices).",
    ),
]
Log = Annotated[
    str | None,
    typer.Option(
        metavar="A,B",
        rich_help_panel="Training",
        help="Trackers of the learning curves: tensorboard, mlflow (extras of these names); files in the run folder.",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Print decisions and a line per finished fold on stderr, piped or not."),
]
Per = Annotated[
    str | None,
    typer.Option(
        help="Score each case (group) once: case (mean probability of its images) or case:max.",
        metavar="case[:mean|max]",
    ),
]
