"""A verdict in the terminal: the answer first, then the numbers that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headtohead.core.records import Comparison, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["headlines", "render_full", "render_verdict"]

METRICS = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")


def headlines(verdict: Verdict, binary: tuple[str, ...] = METRICS) -> list[str]:
    """Return the metrics to show first: those given, or beyond two classes the sensitivity of each class."""
    several = tuple(f"sensitivity_{name}" for name in verdict.details.classes)
    wanted = binary
    if verdict.details.positive is None and several:
        wanted = (*(m for m in binary if m not in ("sensitivity", "specificity")), *several)
    present = {score.metric for score in verdict.scores}
    return [name for name in dict.fromkeys((verdict.metric, *wanted)) if name in present]


def _console() -> Console:
    """Return a console as wide as the terminal; 160 columns where the output goes to a file."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160)


def render_verdict(verdict: Verdict, *, as_json: bool = False) -> None:
    """Print a verdict: JSON for scripts, or a sentence and tables for people."""
    if as_json:
        print(verdict.model_dump_json(indent=1))
        return
    console = _console()
    _answer(console, verdict)
    if verdict.comparisons:
        _tests(console, verdict.comparisons[0])
    _last(console, verdict)


def render_full(verdict: Verdict) -> None:
    """Print a verdict with all its metrics, tests and tables, as far as a terminal can show them."""
    console = _console()
    _answer(console, verdict)
    console.print(_all_metrics(verdict))
    for comparison in verdict.comparisons:
        console.print(f"· {comparison.sentence}", markup=False)
        _tests(console, comparison)
    _details(console, verdict)
    _last(console, verdict)


def _answer(console: Console, verdict: Verdict) -> None:
    console.print(f"\n{verdict.sentence}\n", style="bold", markup=False)
    console.print(_scores(verdict))
    if verdict.comparisons:
        console.print(_pairs(verdict))


def _last(console: Console, verdict: Verdict) -> None:
    for gain in verdict.details.gains or ():
        console.print(f"+ {gain.sentence}", markup=False)
    for caveat in verdict.caveats:
        console.print(f"! {caveat}", markup=False)
    if verdict.rule:
        console.print(f"\nRule. {verdict.rule}", markup=False)


def _tests(console: Console, one: Comparison) -> None:
    if not one.tests:
        return
    from headtohead.report.tables.comparison import adjusted_tests

    table = _table(f"Tests, {one.a} against {one.b}", ("test", "statistic", "p", "note"))
    for name, test in one.tests.items():
        numbers = [("" if n is None else f"{n:.4g}") for n in (test.statistic, test.p_value)]
        _row(table, name, *numbers, test.note)
    for name, told in adjusted_tests(one):
        _row(table, name, told["statistic"], told["p"], told["note"])
    console.print(table)


def _details(console: Console, verdict: Verdict) -> None:
    from headtohead.report.tables.supplement import supplement_tables

    order = list(dict.fromkeys(score.contender for score in verdict.scores))
    for found in supplement_tables(verdict.details, order):
        table = _table(found.title, found.head)
        for row in found.rows:
            _row(table, *row)
        console.print(table)
        console.print(f"  {found.note}\n", markup=False, style="dim")


def _table(title: str, heads: tuple[str, ...]) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    return Table(
        *(escape(head) for head in heads), box=box.SIMPLE_HEAD, title=escape(title), title_justify="left"
    )


def _row(table: Table, *cells: str) -> None:
    from rich.markup import escape

    table.add_row(*(escape(cell) for cell in cells))


def _scores(verdict: Verdict) -> Table:
    wanted = headlines(verdict)
    level = f"{100 * verdict.scores[0].level:g} %"
    title = f"Scores, with {level} intervals over groups{_positive(verdict)}"
    table = _table(title, ("contender", *(name.replace("_", " ") for name in wanted)))
    found = {(score.contender, score.metric): str(score) for score in verdict.scores}
    for contender in dict.fromkeys(score.contender for score in verdict.scores):
        _row(table, contender, *(found.get((contender, name), "") for name in wanted))
    return table


def _positive(verdict: Verdict) -> str:
    """Return the words that name the positive class, "" beyond two classes."""
    return "" if verdict.positive is None else f"; positive class: {verdict.positive}"


def _all_metrics(verdict: Verdict) -> Table:
    contenders = list(dict.fromkeys(score.contender for score in verdict.scores))
    table = _table(f"All metrics{_positive(verdict)}", ("metric", *contenders))
    found = {(score.contender, score.metric): str(score) for score in verdict.scores}
    for name in dict.fromkeys(score.metric for score in verdict.scores):
        _row(table, name.replace("_", " "), *(found.get((who, name), "") for who in contenders))
    return table


def _pairs(verdict: Verdict) -> Table:
    table = _table(
        f"Paired differences in {verdict.metric}{_positive(verdict)}",
        ("pair", "difference", "adjusted p", "verdict"),
    )
    for one in verdict.comparisons:
        figures = "not defined"
        if one.difference is not None and one.low is not None and one.high is not None:
            figures = f"{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        p = one.details.p_holm
        _row(
            table,
            f"{one.a} − {one.b}",
            figures,
            "" if p is None else f"{p:.3g}",
            one.verdict.replace("_", " "),
        )
    return table
