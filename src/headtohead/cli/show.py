"""A verdict in the terminal: the answer first, then the numbers that it rests on."""

from __future__ import annotations

from headtohead.core.records import Verdict

__all__ = ["headlines", "show_verdict"]

METRICS = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")


def headlines(verdict: Verdict, binary: tuple[str, ...]) -> list[str]:
    """Return the metrics to show first: those given, or beyond two classes the sensitivity of each class."""
    several = tuple(f"sensitivity_{name}" for name in verdict.details.get("classes", ()))
    wanted = binary
    if verdict.details.get("positive") is None and several:
        wanted = (*(m for m in binary if m not in ("sensitivity", "specificity")), *several)
    present = {score.metric for score in verdict.scores}
    return [name for name in dict.fromkeys((verdict.metric, *wanted)) if name in present]


def show_verdict(verdict: Verdict, *, as_json: bool = False) -> None:
    """Print a verdict: JSON for scripts, or a sentence and two tables for people."""
    if as_json:
        print(verdict.model_dump_json(indent=1))
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=160)
    console.print(f"\n{verdict.sentence}\n", style="bold", markup=False)
    console.print(_scores(verdict))
    if verdict.comparisons:
        console.print(_pairs(verdict))
    for gain in verdict.details.get("gains", ()):
        console.print(f"+ {gain['sentence']}", markup=False)
    for caveat in verdict.caveats:
        console.print(f"! {caveat}", markup=False)


def _scores(verdict: Verdict) -> object:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    wanted = headlines(verdict, METRICS)
    heads = [escape(name.replace("_", " ")) for name in wanted]
    level = f"{100 * verdict.scores[0].level:g} %"
    title = f"Out of fold, with {level} intervals over groups"
    table = Table("contender", *heads, box=box.SIMPLE_HEAD, title=title)
    found = {(score.contender, score.metric): str(score) for score in verdict.scores}
    for contender in dict.fromkeys(score.contender for score in verdict.scores):
        table.add_row(contender, *(found.get((contender, name), "") for name in wanted))
    return table


def _pairs(verdict: Verdict) -> object:
    from rich import box
    from rich.table import Table

    table = Table(
        "pair", "difference", "verdict", box=box.SIMPLE_HEAD, title=f"Paired differences in {verdict.metric}"
    )
    for one in verdict.comparisons:
        figures = "not defined"
        if one.difference is not None and one.low is not None and one.high is not None:
            figures = f"{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        table.add_row(f"{one.a} − {one.b}", figures, one.verdict.replace("_", " "))
    return table
