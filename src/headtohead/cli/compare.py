"""`headtohead compare`: from images to a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import split_list, with_settings
from headtohead.core.errors import NoEffectError

if TYPE_CHECKING:
    from headtohead.api.results.comparison_run import Run

__all__ = ["print_run", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)


@with_settings("StudyConfig")
def compare(
    data: o.Data,
    out: o.Out,
    *,
    settings: Mapping[str, Any],
    log: o.Log = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also write maps of where each contender looked (RUN/maps).")
    ] = False,
    learning_curve: Annotated[
        bool | None,
        typer.Option(
            "--learning-curve/--no-learning-curve",
            help="Fit every probe on 25, 50 and 75 % of the training groups too: would more data help? Done without "
            "asking where it takes no more than two minutes.",
        ),
    ] = None,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="local|ray",
            help="Where cells are computed: local, ray (extra `ray`; the cluster of RAY_ADDRESS or of this machine) "
            "or ray://HOST:PORT. The digits are the same.",
        ),
    ] = "local",
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            show_default=False,
            help="Compute only shard I of N in the run folder, for arrays of batch jobs; the same command without it "
            "gathers them.",
        ),
    ] = None,
) -> None:
    """Compare pretrained networks on your own images: audit, controlled comparison, verdict, report.

    The same command on the same folder goes on where it stopped. For example:

    headtohead compare scans -c efficientnet-lite0,dinov2-small --out runs/scans
    """
    from headtohead.api.studies import compare as run_comparison

    if shard is not None:
        others = {
            "engine": engine, "log": log, "explain": explain, "learning-curve": learning_curve,
            "no-learning-curve": learning_curve is False,
        }  # fmt: skip
        _run_shard(data, out, shard, others, verbose, settings)
        return
    print_run(
        run_comparison(
            data,
            out=out,
            log=split_list(log),
            engine=engine,
            explain=explain,
            learning_curve=learning_curve,
            verbose=verbose,
            **settings,
        ),
        out,
        as_json=as_json,
    )


def _run_shard(
    data: str,
    out: Path,
    shard: str,
    others: Mapping[str, Any],
    verbose: bool,
    settings: Mapping[str, Any],
) -> None:
    """Compute one shard, and say how to go on; options for the gathering call are refused."""
    from headtohead.api.studies import compare_shard

    # "local" is what --engine is unless stated.
    if idle := [name for name, value in others.items() if value and value != "local"]:
        raise NoEffectError(
            f"--{idle[0]} has no effect with --shard; give it to the call without --shard that gathers the shards."
        )
    cells = compare_shard(data, out=out, shard=shard, verbose=verbose, **settings)
    print(
        f"Shard {shard} is done ({cells} cells). When all shards are, the same command without --shard gathers them."
    )


def print_run(run: Run, out: Path, *, as_json: bool = False) -> None:
    """Print a run's answer: one sentence, the scores, where the report is."""
    from headtohead.cli.display.render import render_verdict

    after = (f"Report: {out / 'report.html'}", f"Details: headtohead verdict {out}", train_line(run, out))
    render_verdict(run.verdict, as_json=as_json, after=after)


def train_line(run: Run, out: Path) -> str:
    """Return the command that makes a model of the contender with the best score on the primary metric."""
    from headtohead.core.run_folder import RunFolder
    from headtohead.report.next_step import train_command

    command = train_command(run.verdict, getattr(RunFolder(run.path).config(), "contenders", ()), str(out))
    if command is None:
        return "No contender has a score, so none can be trained as a model."
    return f"Use it: {command}"
