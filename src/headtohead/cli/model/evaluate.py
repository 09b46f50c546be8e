"""`headtohead evaluate`: models on data that they were not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import split_list, with_settings

if TYPE_CHECKING:
    from pathlib import Path

    from headtohead.core.records import Score
    from headtohead.deploy.evaluation.records import Evaluation

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


# The positive class is the model's.
@with_settings("DataConfig", without=("positive",))
def evaluate(
    words: Annotated[
        list[str],
        typer.Argument(metavar="MODEL… DATA", help="One model or several, and at the end the images with labels."),
    ],
    out: o.Out,
    *,
    settings: Mapping[str, Any],
    metric: Annotated[str, typer.Option(help="The primary metric.")] = "auroc",
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN,…", show_default=False, help="Columns to split scores by, such as site."),
    ] = None,
    recalibrate: Annotated[
        bool,
        typer.Option("--recalibrate", help="Fit a temperature here too, and say what it would change."),
    ] = False,
    keep_training: Annotated[
        bool,
        typer.Option("--keep-training", help="Score images that were in training too; then no verdict is given."),
    ] = False,
    per: o.Per = None,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
    as_json: o.AsJson = False,
) -> None:  # fmt: skip
    """Evaluate models on labelled images that they were not trained on; several are compared in pairs.

    Images that were in training are found by their hashes and left out. For example:

    headtohead evaluate model other-hospital --map-labels healthy=no,tumour=yes --out external

    headtohead evaluate model chest.csv --label-has Effusion --drop-unlabelled --out external

    headtohead evaluate model volumes --group-from '(P[0-9]+)' --per case --out external
    """
    from headtohead.api.models import evaluate as run_evaluation
    from headtohead.core.errors import UsageError

    if len(words) < 2:
        raise UsageError("Give at least one model and, at the end, the images with labels.")
    result = run_evaluation(
        words[:-1], words[-1], out=out, metric=metric, by=split_list(by), recalibrate=recalibrate,
        keep_training=keep_training, per=per, seed=seed, **settings,
    )  # fmt: skip
    if as_json:
        print(result.evaluation.model_dump_json())
    else:
        _show(result.evaluation, out)


def _show(evaluation: Evaluation, out: Path) -> None:
    """Print the answer, its caveats, and each model's scores here against those of its cross-validation."""
    for sentence in evaluation.sentences:
        print(sentence)
    for caveat in evaluation.caveats:
        print(f"Caveat: {caveat}")
    for model in evaluation.models:
        print(f"\n{model.name}\n  {'score':30} {'here':22} cross-validated")
        for line in model.internal:
            shifted = "  shifted" if line.shifted else ""
            print(
                f"  {line.metric:30} {_short(line.external):22} {_short(line.internal):22}{shifted}".rstrip()
            )
        for flag, count in model.flags.items():
            print(f"  guard: {flag} on {count} of {evaluation.n_samples} images")
    print(f"\nPage: {out / 'evaluation.html'}\nAll numbers: {out / 'evaluation.json'}")


def _short(score: Score) -> str:
    """Return a score that fits a column; why one is not defined is in evaluation.json."""
    return "not defined" if score.value is None else str(score)
