"""`headtohead compare`: from images to a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.data_options import with_data_options

__all__ = ["register", "run_study"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)


@with_data_options
def compare(
    data: o.Data,
    contenders: Annotated[
        str,
        typer.Option(
            "--contenders",
            "-c",
            metavar="A,B,…",
            help="Names, optionally NAME@MODE; also timm:…, hf:…, path:…, scratch:…, ensemble(a,b,how=stacked), "
            "hybrid(a,b), seeds(a@finetune,3), snapshots(a@finetune,3), folds(a,5). "
            "'headtohead weights list' shows the catalogue.",
        ),
    ],
    out: o.Out,
    *,
    reading: dict[str, Any],
    metric: Annotated[str, typer.Option(help="The primary metric, fixed beforehand.")] = "auroc",
    split: Annotated[str, typer.Option(help="kfold, given (the data's own), or holdout:0.2.")] = "kfold",
    folds: Annotated[int, typer.Option(min=2, help="Folds per repeat.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats of the whole cross-validation.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Decides every draw; same seed, same digits.")] = 0,
    recipe: Annotated[str, typer.Option(help="Preprocessing: auto, foreground, classical or none.")] = "auto",
    mode: Annotated[str, typer.Option(help="How contenders without @MODE are trained.")] = "probe",
    rope: Annotated[
        float | None, typer.Option(help="Differences smaller than this do not matter to you.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of positives where the model is to be used.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN,…", help="Report subgroups of these table columns.")
    ] = None,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Go on with a given split that leaks.")
    ] = False,
    epochs: o.Epochs = None,
    policy: o.Policy = None,
    budget: o.TrialBudget = None,
    tune: o.Tune = None,
    augment: o.Augment = None,
    workers: o.Workers = None,
    sets: o.Sets = None,
    log: o.Log = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto (checked against fp32), fp32 or bf16.")] = "auto",
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    groups: o.Groups = None,
    similar: o.Similar = False,
    ignore: o.Ignore = None,
) -> None:
    """Compare pretrained networks on your own images: audit, fair fight, verdict, report.

    The same command on the same folder goes on where it stopped. For example:

    headtohead compare scans -c efficientnet-lite0,dinov2-small --out runs/scans
    """
    settings = {
        "data": data,
        "contenders": tuple(_split(contenders)),
        "recipe": recipe,
        "mode": mode,
        "split": split,
        "folds": folds,
        "repeats": repeats,
        "seed": seed,
        "metric": metric,
        "rope": rope,
        "prevalence": prevalence,
        "by": o.split_list(by),
        "allow_leaks": allow_leaks,
        "similar": similar,
        "groups": None if groups is None else str(groups),
        "ignore": o.parse_reasons(ignore),
        "precision": precision,
        "device": device,
        "data_options": reading,
        "train": o.train_settings(
            sets, epochs=epochs, policy=policy, budget=budget, tuner=tune, augment=augment, workers=workers
        ),
    }
    run_study(settings, out, as_json=as_json, log=o.split_list(log), verbose=verbose)


def run_study(
    settings: dict[str, Any],
    out: Path,
    *,
    as_json: bool = False,
    log: Sequence[str] = (),
    verbose: bool = False,
) -> None:
    """Run a study and print its answer: one sentence, the scores, where the report is."""
    from headtohead.cli.progress import console_reporter
    from headtohead.cli.render import render_verdict
    from headtohead.core.config import make_config
    from headtohead.studies.comparison import compare_study

    run = compare_study(make_config(settings), out, console_reporter(verbose=verbose), log=log)
    render_verdict(run.verdict(), as_json=as_json)
    if not as_json:
        print(f"\nAll tables in the terminal: headtohead verdict {out}\nReport: {out / 'report.html'}")


def _split(text: str) -> list[str]:
    from headtohead.contenders.expression import split_commas

    return [part for part in split_commas(text) if part]
