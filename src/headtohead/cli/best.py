"""`headtohead best`: the best model found by a nested search, with an honest estimate of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import with_settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("best")(best)


@with_settings("SearchConfig")
def best(data: o.Data, out: o.Out, *, settings: Mapping[str, Any], as_json: o.AsJson = False) -> None:
    """Search backbones, recipes, features and ensembles inside inner folds; estimate the search on outer ones.

    For example:

    headtohead best brain-mri --minutes 20 --out runs/best
    """
    from headtohead.api.studies import best as run_search

    content = run_search(data, out=out, **settings).content
    if as_json:
        import json

        print(json.dumps(content, ensure_ascii=False))
        return
    from headtohead.cli.display.terminal import console, print_text

    shown = console()
    for line in content["table"]:
        print_text(shown, line)
    for caveat in (*content["caveats"], *content["notes"]):
        print_text(shown, caveat, mark="! ")
    shown.print()
    for sentence in content["sentences"]:
        print_text(shown, sentence, style="bold")
    shown.print(f"Page: {out / 'best.html'}", markup=False, soft_wrap=True)
