"""`headtohead predict`: one line per image."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from headtohead.cli import common_options as o

if TYPE_CHECKING:
    from headtohead.deploy.prediction import ImagePrediction

__all__ = ["register"]

SOME_FAILED = 3  # exit status where at least one image has no prediction


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("predict")(predict)


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The folder that `train` wrote, or an exported file.")],
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILES…", help="Images, folders, archives; - reads a list from standard input."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE.csv", show_default=False, help="Write the table here."),
    ] = None,
    as_json: o.AsJson = False,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|NUMBER", show_default=False,
            help="A threshold of the model (half, youden, …) or a probability such as 0.42.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse images that the guard flags.")] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Images in one pass through the network.")] = 16,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="torch; that of an exported file",
            help="torch, openvino, onnxruntime, or auto: the fastest that agrees with torch.",
        ),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", show_default=False,
            help="Write here where in each image the model found its evidence: .npy, .png and index.csv.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Predict images with a model: one line an image, in the order given.

    Exit status 3 if some image could not be predicted; its line says why. For example:

    headtohead predict model scans --out predictions.csv

    find . -name "*.dcm" | headtohead predict model - --json

    headtohead predict model scans --explain maps
    """
    from headtohead.api.models import load_model
    from headtohead.core.atomic_io import check_writable
    from headtohead.core.console import console_reporter

    reporter = console_reporter()
    if out is not None:
        check_writable(out)
    loaded = load_model(model, strict=strict, runtime=runtime)
    names: Iterable[str] = _names(files)
    if explain is not None:
        if loaded.map_problem:
            reporter.info(f"Maps are by occlusion: {loaded.map_problem}.")
        names = list(names)  # standard input can be read once
    found = loaded.predict(names, threshold=threshold, batch_size=batch_size, progress=reporter)
    watch = _Counter(found)
    _pass_on(watch, loaded.classes, out, as_json=as_json)
    if explain is not None:
        from headtohead.deploy.predict.maps import write_maps

        index = write_maps(loaded, names, explain, reporter)
        print(f"Maps: {index}", file=sys.stderr)
    if watch.failed:
        print(
            f"{watch.failed} of {watch.total} images have no prediction; see the column error.",
            file=sys.stderr,
        )
        raise typer.Exit(SOME_FAILED)


def _pass_on(
    found: Iterable[ImagePrediction], classes: Iterable[str], out: Path | None, *, as_json: bool
) -> None:
    """Print predictions as lines of JSON, write them to a table, do both, or else print the table."""
    lines = _printed(found) if as_json else found
    if out is not None:
        _write_table(out, lines, classes)
    elif as_json:
        for _ in lines:
            pass
    else:
        _write_lines(sys.stdout, found, classes)


class _Counter:
    """Counts predictions, and those that failed, as they pass."""

    def __init__(self, found: Iterable[ImagePrediction]) -> None:
        self._found, self.total, self.failed = iter(found), 0, 0

    def __iter__(self) -> Iterator[ImagePrediction]:
        for prediction in self._found:
            self.total += 1
            self.failed += prediction.error is not None
            yield prediction


def _printed(found: Iterable[ImagePrediction]) -> Iterator[ImagePrediction]:
    """Yield predictions after each was printed as one line of JSON."""
    for prediction in found:
        print(prediction.model_dump_json(), flush=True)
        yield prediction


def _names(files: list[str]) -> Iterator[str]:
    for name in files:
        if name == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())  # a name may end in blanks
        else:
            yield name


def _write_table(path: Path, found: Iterable[ImagePrediction], classes: Iterable[str]) -> None:
    """Write a CSV; it has its final name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", newline="", encoding="utf-8") as file:
        _write_lines(file, found, classes)
    part.replace(path)


def _write_lines(file: TextIO, found: Iterable[ImagePrediction], classes: Iterable[str]) -> None:
    import csv

    from headtohead.core.safety.spreadsheet import guard_row
    from headtohead.deploy.prediction import row_columns

    names = list(classes)
    writer = csv.DictWriter(file, row_columns(names), lineterminator="\n")
    writer.writeheader()
    for prediction in found:
        row = prediction.to_row(names)
        writer.writerow(dict(zip(row, guard_row(row.values()), strict=True)))
