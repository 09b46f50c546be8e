"""`headtohead reproduce`: the published study as published, then corrected one flaw at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import with_settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce")(reproduce)


@with_settings("ReproductionConfig")
def reproduce(data: o.Data, out: o.Out, *, settings: Mapping[str, Any], as_json: o.AsJson = False) -> None:
    """Run the published study and correct it one flaw at a time, with intervals for each correction.

    A stopped call goes on where it was. For example:

    headtohead reproduce brain-mri --out runs/reproduced
    """
    import json

    from headtohead.api.studies import reproduce as run_reproduction

    content = run_reproduction(data, out=out, **settings).content
    if as_json:
        print(json.dumps(content, ensure_ascii=False))
        return
    print(content["title"])
    print(f"Study: {content['cited']['study']}, {content['cited']['study_url']}")
    print(f"Data: {content['cited']['data']}, {content['cited']['data_url']}")
    for step in content["steps"]:
        figures = "   ".join(
            f"{what} {step[what]['value']:{sign}.3f} [{step[what]['low']:{sign}.3f}, {step[what]['high']:{sign}.3f}]"
            for what, sign in (("cnn", ""), ("vit", ""), ("difference", "+"))
        )
        print(f"{step['name']:>22}   {figures}")
    print("\n" + "\n\n".join([*content["sentences"], *content["shortened"]]))
    print(f"\nWaterfall: {out / 'waterfall.svg'}   Page: {out / 'reproduce.html'}")
