"""`headtohead explain`: where each contender of a finished run found its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import split_list

if TYPE_CHECKING:
    from headtohead.api.explain import Explanation

__all__ = ["print_explanation", "register"]

SHOWN = 3  # maps whose words are printed; the pictures hold all


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", show_default=False, help="The folder of a finished compare run.")
    ],
    images: Annotated[
        str,
        typer.Option(
            metavar="WHICH",
            help="errors (wrong for a contender), all, or sample ids with commas (yes/Y1.jpg,no/N3.jpg).",
        ),
    ] = "errors",
    contenders: Annotated[
        str | None, typer.Option("--contenders", "-c", metavar="A,B", help="Only these contenders.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="contributions (exact), integrated-contributions (finer), gradcam, layercam, attention-gradient, integrated-gradients, occlusion, rise."
        ),
    ] = "contributions",
    target: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="The class explained. [default: the positive one]"),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            show_default=False,
            help="Masks called like their images (x_mask.png): how well do the maps find what they mark?",
        ),
    ] = None,
    as_json: o.AsJson = False,
) -> None:
    """Show where each contender found its evidence: maps in the images' own pixels, in RUN/maps.

    A linear head's log-odds are a sum over places of the image, so the map is exact: offset + map + what has no
    place = the log-odds in the run's table. Each image is explained by the head that did not see it.

    For example:  headtohead explain runs/scans --images all --masks scans/masks
    """
    from headtohead.api.explain import explain as run_explanation

    found = run_explanation(
        run, images=images, contenders=split_list(contenders), method=method, target=target, masks=masks
    )
    print_explanation(found, as_json=as_json)


def print_explanation(found: Explanation, *, as_json: bool = False) -> None:
    """Print what was made: the words of the first maps, and where the files are."""
    if as_json:
        print(found.frame().to_json(orient="records", indent=1))
        return
    for one in found.maps[:SHOWN]:
        print(f"{one.contender}, {one.sample}: {one.words}\n")
    if len(found.maps) > SHOWN:
        print(f"… and {len(found.maps) - SHOWN} more.")
    for finding in found.findings:
        print(f"Finding: {finding}\n")
    print(f"Maps (.npy), pictures (.png) and index: {found.folder / 'index.csv'}")
