"""`headtohead verdict`: the whole battery on predictions made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headtohead.core.records import Verdict

__all__ = ["register", "show"]

_SHOWN = ("accuracy", "sensitivity", "specificity", "brier")


def register(app: typer.Typer) -> None:
    """Add the command `verdict`."""
    app.command("verdict")(_verdict)


def _verdict(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet: sample,group,model,label,score.")],
    metric: Annotated[str, typer.Option(help="Primary metric.")] = "auroc",
    positive: Annotated[str | None, typer.Option(help="The positive one of two classes.")] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="A model that is a control (repeatable).")
    ] = None,
    rope: Annotated[
        float | None, typer.Option(help="Differences up to this size count as equivalent (0.02).")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of positives where the model is to be used (0.02).")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Subgroup columns, with commas (sex,scanner).")] = None,
    level: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    replicates: Annotated[int, typer.Option(help="Bootstrap replicates.", min=100)] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the resampling.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as in verdict.json.")] = False,
) -> None:
    """Compare models on predictions made elsewhere: scores, intervals, paired tests, one verdict.

    Example: headtohead verdict cnn.csv vit.csv --rope 0.02
    """
    from headtohead.cli.voice import voice
    from headtohead.evaluate.battery import judge
    from headtohead.evaluate.external import read_predictions

    columns = [name.strip() for name in (by or "").split(",") if name.strip()]
    found = read_predictions(files, positive=positive, by=columns)
    verdict = judge(
        found.frame, classes=found.classes, positive=found.positive, metric=metric, baselines=baseline or (),
        rope=rope, prevalence=prevalence, by=found.by, level=level, n_boot=replicates, seed=seed,
        reporter=voice(),
    )  # fmt: skip
    verdict = verdict.model_copy(update={"caveats": (*verdict.caveats, *found.notes)})
    if as_json:
        print(verdict.model_dump_json(indent=2))
    else:
        show(verdict)


def show(verdict: Verdict) -> None:
    """Print a verdict for a terminal: the answer first, then scores, comparisons and caveats."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from headtohead.cli.show import headlines

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(f"\n{verdict.sentence}\n", style="bold", highlight=False, markup=False)
    scores = Table(title="Scores with intervals", title_justify="left")
    names = headlines(verdict, _SHOWN)
    for heading in ("model", *names):
        scores.add_column(escape(heading.replace("_", " ")))
    for contender in dict.fromkeys(score.contender for score in verdict.scores):
        mine = {score.metric: score for score in verdict.scores if score.contender == contender}
        scores.add_row(
            escape(contender), *(escape(str(mine[name])) if name in mine else "" for name in names)
        )
    console.print(scores)
    for comparison in verdict.comparisons[1:]:
        console.print(f"· {comparison.sentence}", highlight=False, markup=False)
    if verdict.comparisons and verdict.comparisons[0].tests:
        tests = Table(title=escape(f"Tests, {verdict.comparisons[0].a} against {verdict.comparisons[0].b}"))
        for heading in ("test", "statistic", "p", "note"):
            tests.add_column(heading)
        for name, test in verdict.comparisons[0].tests.items():
            numbers = [("" if n is None else f"{n:.4g}") for n in (test.statistic, test.p_value)]
            tests.add_row(name, *numbers, escape(test.note))
        console.print(tests)
    for caveat in verdict.caveats:
        console.print(f"! {caveat}", highlight=False, markup=False)
    console.print(f"\nRule. {verdict.rule}", highlight=False, markup=False)
