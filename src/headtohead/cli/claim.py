"""`headtohead claim`: how uncertain a published figure is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command `claim`."""
    app.command("claim")(_claim)


def _claim(
    correct: Annotated[int | None, typer.Option(help="Cases that were right.")] = None,
    total: Annotated[int | None, typer.Option(help="Cases in all.")] = None,
    accuracy: Annotated[
        str | None, typer.Option(help="Instead of --correct, as the paper has it (97.2% or 0.972).")
    ] = None,
    auroc: Annotated[
        str | None, typer.Option(help="With --positives and --negatives, as printed (0.90).")
    ] = None,
    sensitivity: Annotated[
        str | None, typer.Option(help="With --specificity: 18/20, or 90% with --positives.")
    ] = None,
    specificity: Annotated[str | None, typer.Option(help="70/80, or 87.5% with --negatives.")] = None,
    positives: Annotated[int | None, typer.Option(help="Cases of the positive class.")] = None,
    negatives: Annotated[int | None, typer.Option(help="Cases of the negative class.")] = None,
    versus: Annotated[
        str | None,
        typer.Option(
            help="The other figure, on other cases: 43/50 or 86%/50; for an AUROC 0.90/30/70 (positives/negatives); "
            "for sensitivity,specificity 17/20,75/80."
        ),
    ] = None,
    paired: Annotated[
        str | None,
        typer.Option(help="On the same cases: right for the first alone / for the other alone (5/1)."),
    ] = None,
    matters: Annotated[
        float | None,
        typer.Option(
            help="The smallest difference that matters (0.05); prints how many cases are needed to show it."
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a published figure: interval, difference and test that agree, one sentence.

    Examples: headtohead claim --correct 35 --total 36 --versus 43/50;
    headtohead claim --auroc 0.95 --positives 20 --negatives 80 --versus 0.90/30/70
    """
    from headtohead.api.predictions import claim

    found = claim(
        correct, total, accuracy=accuracy, auroc=auroc, sensitivity=sensitivity, specificity=specificity,
        positives=positives, negatives=negatives, versus=versus, paired=_pair(paired), matters=matters, level=level,
    )  # fmt: skip
    print(json.dumps(found.to_json(), indent=2) if as_json else f"{found.sentence}\n{found.caveat}")


def _pair(text: str | None) -> tuple[int, int] | None:
    """Return "5/1" as two numbers."""
    from headtohead.core.errors import UsageError
    from headtohead.core.formatting import is_whole

    if text is None:
        return None
    parts = text.split("/")
    if len(parts) != 2 or not all(is_whole(part.strip()) for part in parts):
        raise UsageError(f"Got --paired {text!r}; expected two counts with a slash, such as 5/1.")
    return int(parts[0]), int(parts[1])
