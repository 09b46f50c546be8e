"""`headtohead claim`: how uncertain a published accuracy is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command `claim`."""
    app.command("claim")(_claim)


def _claim(
    correct: Annotated[int, typer.Option(help="Cases that were right.")],
    total: Annotated[int, typer.Option(help="Cases in all.")],
    versus: Annotated[
        str | None, typer.Option(help="The other figure, as CORRECT/TOTAL on other cases (43/50).")
    ] = None,
    paired: Annotated[
        str | None,
        typer.Option(help="On the same cases: right for the first alone / for the other alone (5/1)."),
    ] = None,
    level: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a published accuracy: interval, exact test, cases needed, one sentence.

    Example: headtohead claim --correct 35 --total 36 --versus 43/50
    """
    from headtohead.api.predictions import claim

    found = claim(
        correct, total, versus=_pair("--versus", versus), paired=_pair("--paired", paired), level=level
    )
    print(json.dumps(found.to_json(), indent=2) if as_json else f"{found.sentence}\n{found.caveat}")


def _pair(option: str, text: str | None) -> tuple[int, int] | None:
    """Return "43/50" as two numbers."""
    from headtohead.core.errors import UsageError

    if text is None:
        return None
    parts = text.split("/")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"Got {option} {text!r}; expected two counts with a slash, such as 43/50.")
    return int(parts[0]), int(parts[1])
