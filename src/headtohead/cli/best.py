"""`headtohead best`: the best model that the images allow, with an honest estimate of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.data_options import load_options, with_data_options

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("best")(best)


@with_data_options
def best(
    data: o.Data,
    out: o.Out,
    *,
    reading: dict[str, Any],
    minutes: Annotated[
        float,
        typer.Option(min=1, help="Time to spend, fine-tuning included; what it did not suffice for is told."),
    ] = 20.0,
    backbones: Annotated[
        str, typer.Option(metavar="A,B,…", help="Backbones to search over.")
    ] = "efficientnet-lite0,efficientnet-lite1,efficientnet-lite2,dinov2-small",
    finetune: Annotated[
        str, typer.Option(metavar="A,B,…", help="Backbones to fine-tune as well; minutes to hours each.")
    ] = "",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of fine-tuning.")] = 20,
    augment: Annotated[
        str,
        typer.Option(help="Augmentation preset; one that does not mirror (xray) rules mirror images out."),
    ] = "auto",
    copies: Annotated[
        int,
        typer.Option(
            min=0, help="Augmented copies of each training image, in a rung that shows what they buy."
        ),
    ] = 0,
    folds: Annotated[int, typer.Option(min=2, help="Outer grouped folds.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats of the outer folds.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Decides every draw.")] = 0,
    as_json: o.AsJson = False,
) -> None:
    """Search backbones, recipes, features and ensembles inside inner folds; estimate the search on outer ones.

    For example:

    headtohead best brain-mri --minutes 20 --out runs/best
    """
    from headtohead.cli.progress import console_reporter
    from headtohead.studies.search.search import search

    names = tuple(word.strip() for word in backbones.split(",") if word.strip())
    tuned = tuple(word.strip() for word in finetune.split(",") if word.strip())
    told = search(
        data,
        out,
        options=load_options(reading),
        backbones=names,
        finetune=tuned,
        epochs=epochs,
        augment=augment,
        copies=copies,
        minutes=minutes,
        folds=folds,
        repeats=repeats,
        seed=seed,
        reporter=console_reporter(),
    )
    if as_json:
        import json

        print(json.dumps(told, ensure_ascii=False))
        return
    above = [*told["sentences"], *told["caveats"], *told["notes"]]
    print("\n".join([*above, "", *told["table"], f"\nPage: {out / 'best.html'}"]))
