"""`headtohead reproduce`: the published study as it was done, then mended one flaw at a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.data_options import load_options, with_data_options

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce")(reproduce)


@with_data_options
def reproduce(
    data: o.Data,
    out: o.Out,
    *,
    reading: dict[str, Any],
    cnn: Annotated[str, typer.Option(help="The CNN; auto: InceptionResNetV2, or its stand-in.")] = "auto",
    vit: Annotated[str, typer.Option(help="The transformer; auto: ViT-B/16, or its stand-in.")] = "auto",
    splits: Annotated[int, typer.Option(min=1, help="Random splits of each state for the transformer.")] = 2,
    full: Annotated[
        bool,
        typer.Option("--full", help="Fine-tune the whole transformer for 20 epochs; hours without a GPU."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides every draw.")] = 0,
    as_json: o.AsJson = False,
) -> None:
    """Take the published study apart: what each of its flaws is worth, with intervals.

    A stopped call goes on where it was. For example:

    headtohead reproduce brain-mri --out runs/reproduced
    """
    import json

    from headtohead.cli.progress import console_reporter
    from headtohead.studies.reproduction.reproduce import ReproductionPlan
    from headtohead.studies.reproduction.reproduce import reproduce as run

    plan = ReproductionPlan(
        seed=seed, splits=splits, epochs=20 if full else ReproductionPlan.epochs, short=not full
    )
    told = run(
        data, out, options=load_options(reading), cnn=cnn, vit=vit, plan=plan, reporter=console_reporter()
    )
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    print(told["title"])
    for step in told["steps"]:
        figures = "   ".join(
            f"{what} {step[what]['value']:{sign}.3f} [{step[what]['low']:{sign}.3f}, {step[what]['high']:{sign}.3f}]"
            for what, sign in (("cnn", ""), ("vit", ""), ("difference", "+"))
        )
        print(f"{step['name']:>22}   {figures}")
    print("\n" + "\n\n".join([*told["sentences"], *told["shortened"]]))
    print(f"\nWaterfall: {out / 'waterfall.svg'}   Page: {out / 'reproduce.html'}")
