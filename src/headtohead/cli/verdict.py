"""`headtohead verdict`: all statistics on predictions made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headtohead.cli import common_options as o

if TYPE_CHECKING:
    from headtohead.core.records import Verdict

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command `verdict`."""
    app.command("verdict")(_verdict)


def _verdict(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="CSV, Parquet, JSON or XLSX (sample,group,model,label,score; or label and a column per model), or the "
            "folder of a finished run.",
            metavar="PREDICTIONS",
        ),
    ],
    metric: Annotated[str, typer.Option(help="Primary metric.")] = "auroc",
    positive: Annotated[
        str | None,
        typer.Option(help="The positive of two classes; needed where neither name reads as negative."),
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="A model that is a control (repeatable).")
    ] = None,
    rope: Annotated[
        float | None, typer.Option(help="Differences up to this size count as equivalent (0.02).")
    ] = None,
    primary: Annotated[
        str | None,
        typer.Option(
            help="The pair that is compared first, at the full level (cnn,vit); name it beforehand."
        ),
    ] = None,
    matters: Annotated[
        float | None,
        typer.Option(help="The smallest difference that matters (0.05); prints how many patients show it."),
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of positives where the model is to be used (0.02).")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Subgroup columns, with commas (sex,scanner).")] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Which column is what (sample=img,label=truth).", metavar="ROLE=COLUMN,…"),
    ] = None,
    complete_cases: Annotated[
        bool, typer.Option("--complete-cases", help="Leave out samples that a model has no prediction for.")
    ] = False,
    score: Annotated[
        str,
        typer.Option(
            help="What the numbers are: probability, percent, logit, or ordinal (grades; only their order counts)."
        ),
    ] = "probability",
    ordered_classes: Annotated[
        str | None,
        typer.Option(
            help="Classes that are grades, all of them, from the least to the most (mild,moderate,severe): adds "
            "weighted kappa.",
            metavar="CLASS,…",
        ),
    ] = None,
    per: o.Per = None,
    level: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    replicates: Annotated[int, typer.Option(help="Bootstrap replicates.", min=100)] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the resampling.")] = 0,
    all_tests: Annotated[
        bool, typer.Option("--all-tests", help="Print the tests of every pair, not of the first alone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as in verdict.json.")] = False,
) -> None:
    """Compare models on predictions made elsewhere, or show all tables of a finished run.

    Example: headtohead verdict cnn.csv vit.csv --rope 0.02
    """
    from headtohead.api.predictions import verdict as judge
    from headtohead.cli.config_options import split_list, split_pairs
    from headtohead.cli.display.render import render_full

    # What a verdict that is finished cannot follow, where it was given.
    asked = {
        "--metric": metric != "auroc", "--positive": positive, "--baseline": baseline,
        "--rope": rope is not None, "--primary": primary, "--matters": matters is not None,
        "--prevalence": prevalence is not None, "--by": by, "--columns": columns,
        "--complete-cases": complete_cases, "--score": score != "probability",
        "--ordered-classes": ordered_classes, "--per": per,
        "--level": level != 0.95, "--replicates": replicates != 2000,
        "--seed": seed,
    }  # fmt: skip
    verdict = _stored(files, [name for name, is_given in asked.items() if is_given])
    if verdict is None:
        verdict = judge(
            files, metric=metric, positive=positive, baselines=baseline or (), rope=rope,
            primary=split_list(primary), matters=matters, prevalence=prevalence,
            by=split_list(by), columns=split_pairs(columns, "--columns") if columns else None,
            complete_cases=complete_cases, score=score, ordered_classes=split_list(ordered_classes), per=per,
            level=level, n_boot=replicates, seed=seed,
        )  # fmt: skip
    if as_json:
        print(verdict.model_dump_json(indent=2))
    else:
        render_full(verdict, all_tests=all_tests)


def _stored(files: list[Path], given: list[str]) -> Verdict | None:
    """Return the verdict of a finished run whose folder was given, None where predictions were given.

    Args:
        given: the options that were given.

    Raises:
        NoEffectError: an option that a stored verdict cannot follow.
        RunFolderError: the run is not finished.
    """
    from pydantic import ValidationError

    from headtohead.core.config.settings import explain
    from headtohead.core.errors import NoEffectError, RunFolderError
    from headtohead.core.records import Verdict
    from headtohead.core.run_folder import RunFolder

    if len(files) != 1 or not (files[0] / "study.toml").is_file():
        return None
    if given:
        raise NoEffectError(
            f"Got {', '.join(given)} with the run folder {str(files[0])!r}: its verdict was fixed when it ran. Give "
            f"them to compare with another --out, or judge its predictions again: {files[0] / 'predictions.parquet'}."
        )
    try:
        return Verdict.model_validate(RunFolder(files[0]).json("verdict.json"))
    except ValidationError as error:
        raise RunFolderError(
            f"{files[0] / 'verdict.json'} is not a verdict of headtohead: {explain(error)}. Run the study again."
        ) from error
