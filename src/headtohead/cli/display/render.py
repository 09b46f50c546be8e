"""A verdict in the terminal: the numbers, the caveats, and the answer last, just above the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from headtohead.cli.display.terminal import console, fit_names, print_table, print_text, text_lines
from headtohead.core.records import Comparison, Verdict

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["headlines", "render_full", "render_verdict"]

METRICS = ("auroc", "accuracy", "sensitivity", "specificity", "balanced_accuracy")
LINES = 15  # of the short answer, so that it is on the screen when the command ends
WIDEST_NAME = 42  # characters: leaves room for one metric in 80 columns
_TITLES = {"auroc": "AUROC"}
_GAP = 2  # characters between columns
_WHY = {
    "groups": ": too few groups",
    "events": ": too few of a class",
    "degrees": ": a handful of groups decides",
    "uneven": ": groups of very unequal size",
    "width": ": interval too wide",
    "scale": ": pooled over folds otherwise",
    "reversed": ": scores reversed",
}


def headlines(verdict: Verdict, binary: tuple[str, ...] = METRICS) -> list[str]:
    """Return the metrics to show first: those given, or beyond two classes the sensitivity of each class."""
    several = tuple(f"sensitivity_{name}" for name in verdict.details.classes)
    wanted = binary
    if verdict.positive is None and several:
        wanted = (*(m for m in binary if m not in ("sensitivity", "specificity")), *several)
    present = {score.metric for score in verdict.scores}
    return [name for name in dict.fromkeys((verdict.metric, *wanted)) if name in present]


def render_verdict(verdict: Verdict, *, as_json: bool = False, after: Sequence[str] = ()) -> None:
    """Print a verdict: JSON for scripts, or at most fifteen lines that end with the answer.

    Args:
        verdict: of a run.
        as_json: print JSON.
        after: lines below the answer, such as where the report is.
    """
    if as_json:
        print(verdict.model_dump_json(indent=1))
        return
    out = console()
    sentences = _short_answer(verdict)
    width = out.width if out.is_terminal else 10_000  # lines of a file may have any length
    answer = [line for text in sentences for line in text_lines(text, width)]
    room = LINES - len(answer) - len(after) - 2  # the head of the table and a blank line are taken
    names = list(dict.fromkeys(score.contender for score in verdict.scores))
    caveats = _caveat_lines(verdict, width, room - min(len(names), 5) - 1)  # room for five contenders
    rows = room - len(caveats)
    # The pair compared is always shown; a line says how many more there are.
    shown = names if len(names) <= rows else _foremost(verdict, names, max(2, rows - 1))
    _print_scores(out, verdict, shown)
    if len(shown) < len(names):
        print_text(out, f"and {len(names) - len(shown)} more: headtohead verdict RUN", style="dim")
    for line in caveats:
        out.print(line, markup=False, soft_wrap=True)
    out.print()
    for line in answer:
        out.print(line, style="bold", markup=False, soft_wrap=True)
    for line in after:
        out.print(line, markup=False, soft_wrap=True)


def render_full(verdict: Verdict, *, all_tests: bool = False) -> None:
    """Print a verdict with all its metrics and tables and the tests of the first pair, the answer last.

    Args:
        verdict: of a run or of predictions.
        all_tests: print the tests of every pair.
    """
    out = console()
    names = list(dict.fromkeys(score.contender for score in verdict.scores))
    print_text(out, _score_title(verdict), style="italic")
    _print_scores(out, verdict, names)
    out.print()
    _print_all_metrics(out, verdict)
    if verdict.comparisons:
        _print_pairs(out, verdict)
    first = [c for c in verdict.comparisons if c.primary] or verdict.comparisons[:1]
    for comparison in verdict.comparisons if all_tests else first:
        _print_tests(out, comparison)
    _print_details(out, verdict)
    for gain in verdict.details.gains or ():
        print_text(out, gain.sentence, mark="+ ")
    for caveat in verdict.caveats:
        print_text(out, caveat, mark="! ")
    if verdict.rule:
        out.print()
        print_text(out, f"Rule. {verdict.rule}")
    out.print()
    print_text(out, verdict.sentence, style="bold")


def _short_answer(verdict: Verdict) -> list[str]:
    """Return the sentence on the primary pair, and how the best contender stands to the file facts."""
    if not verdict.comparisons:
        return [verdict.sentence]
    first = verdict.comparisons[0].sentence
    if not verdict.sentence.startswith(first):
        return [verdict.sentence]
    facts = verdict.sentence[verdict.sentence.find("A classifier that sees only") :]
    return [first, facts] if facts.startswith("A classifier") else [first]


def _foremost(verdict: Verdict, names: Sequence[str], most: int) -> list[str]:
    """Return the contenders that the answer speaks of, as many as there is room for, in their order."""
    first = verdict.comparisons[0] if verdict.comparisons else None
    wanted = [] if first is None else [first.a, first.b, *(n for n in names if n == "file-facts")]
    chosen = list(dict.fromkeys([*wanted, *names]))[:most]
    return [name for name in names if name in chosen]


def _caveat_lines(verdict: Verdict, width: int, room: int) -> list[str]:
    """Return the caveats as far as there is room, and how many more there are."""
    lines: list[str] = []
    for number, caveat in enumerate(verdict.caveats):
        wrapped = text_lines(caveat, width, mark="! ")
        if len(lines) + len(wrapped) > max(1, room):
            left = len(verdict.caveats) - number
            return [
                *lines,
                f"! {left} {'caveat' if left == 1 else 'caveats'}{' more' if lines else ''}: see the report",
            ]
        lines += wrapped
    return lines


def _score_title(verdict: Verdict) -> str:
    level = f"{100 * verdict.scores[0].level:g} %"
    return f"Scores, with {level} intervals over groups{_positive(verdict)}"


def _positive(verdict: Verdict) -> str:
    """Return the words that name the positive class, "" beyond two classes."""
    return "" if verdict.positive is None else f"; positive class: {verdict.positive}"


def _print_scores(out: Console, verdict: Verdict, names: Sequence[str]) -> None:
    """Print a line for each contender with as many metrics as the width holds, the primary one first."""
    found = {(score.contender, score.metric): score for score in verdict.scores}
    width = out.width if out.is_terminal else 10_000
    cell = len("0.000 [0.000, 0.000]") + _GAP
    limit = min(WIDEST_NAME, max(16, width - cell - _GAP)) if out.is_terminal else 10_000
    labels = fit_names(names, limit)
    corner = "contender" if verdict.positive is None else f"positive class: {verdict.positive}"
    wide = max(*map(len, labels), len(corner) if len(corner) <= limit else 0) + _GAP
    known = headlines(verdict)
    heads = [_head(metric, verdict.positive) for metric in known]
    if out.is_terminal:
        heads = [head if len(head) + _GAP <= cell else f"{head[: cell - _GAP - 1]}…" for head in heads]
    cells = [max(cell, len(head) + _GAP) for head in heads]
    fitting = known[: max(1, sum(taken <= width - wide for taken in accumulate(cells)))]
    rows = []
    for name, label in zip(names, labels, strict=True):
        scores = [found.get((name, metric)) for metric in fitting]
        rows.append(
            [
                label.ljust(wide),
                *(
                    "" if s is None else _cell(str(s), s.note).ljust(n)
                    for s, n in zip(scores, cells, strict=False)
                ),
            ]
        )
    head = fit_names([corner, ""], limit)[0].ljust(wide) + "".join(
        text.ljust(n) for text, n in zip(heads[: len(fitting)], cells, strict=False)
    )
    out.print(head.rstrip(), style="bold", markup=False, soft_wrap=True)
    for row in rows:
        if out.is_terminal and len(row[0]) > width - cell:  # a name that could not be shortened
            out.print(row[0].rstrip(), markup=False, soft_wrap=True)
            row = ["  ", *row[1:]]
        out.print("".join(row).rstrip(), markup=False, soft_wrap=True)


def _cell(text: str, note: str) -> str:
    return "not defined" if note and text.startswith("not defined") else text


def _head(metric: str, positive: str | None) -> str:
    title = _TITLES.get(metric, metric.replace("_", " "))
    return f"{title} ({positive})" if metric == "sensitivity" and positive else title


def _print_all_metrics(out: Console, verdict: Verdict) -> None:
    contenders = list(dict.fromkeys(score.contender for score in verdict.scores))
    found = {(score.contender, score.metric): str(score) for score in verdict.scores}
    rows = [
        [_TITLES.get(name, name.replace("_", " ")), *(found.get((who, name), "") for who in contenders)]
        for name in dict.fromkeys(score.metric for score in verdict.scores)
    ]
    print_table(out, f"All metrics{_positive(verdict)}", ("metric", *contenders), rows)


def _print_tests(out: Console, one: Comparison) -> None:
    """Print the tests of one pair: those of the quantity that the rule tests first, then those of other quantities."""
    from headtohead.report.tables.comparison import adjusted_tests
    from headtohead.report.tables.format import p_words

    for title, wanted in (("Tests", ("decides", "same")), ("Tests of other quantities", ("other",))):
        tests = {name: test for name, test in one.tests.items() if test.role in wanted}
        if not tests:
            continue
        rows = [
            [
                ("→ " if test.role == "decides" else "  ") + name.replace("_", " "),
                test.of,
                "" if test.statistic is None else f"{test.statistic:.3g}",
                p_words(test.p_value),
                f"{test.note}; ignores the groups" if test.ignores_groups else test.note,
            ]
            for name, test in tests.items()
        ]
        dim = [number for number, test in enumerate(tests.values()) if test.ignores_groups]
        if "decides" in wanted:
            told = adjusted_tests(one)
            rows[1:1] = [[f"  {name}", "", row["statistic"], row["p"], row["note"]] for name, row in told]
            dim = [number + len(told) for number in dim]
        print_table(
            out, f"{title}, {one.a} against {one.b}", ("test", "of", "statistic", "p", "note"), rows, dim
        )


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}".replace("-", "−")


def _print_details(out: Console, verdict: Verdict) -> None:
    from headtohead.report.tables.supplement import supplement_tables

    order = list(dict.fromkeys(score.contender for score in verdict.scores))
    for found in supplement_tables(verdict.details, order):
        print_table(out, found.title, found.head, found.rows)
        print_text(out, found.note, mark="  ", style="dim")
        out.print()


def _print_pairs(out: Console, verdict: Verdict) -> None:
    from headtohead.report.tables.format import p_words, signed_digits

    rows = []
    for one in verdict.comparisons:
        figures = "not defined"
        if one.difference is not None and one.low is not None and one.high is not None:
            low, high = signed_digits(one.low), signed_digits(one.high)
            figures = f"{signed_digits(one.difference)} [{low}, {high}]"
        word = f"{one.winner} better" if one.winner else one.verdict.replace("_", " ")
        word += _WHY.get(one.details.reason, "")
        rows.append([f"{one.a} − {one.b}", figures, p_words(one.details.p_holm), word])
    metric = _TITLES.get(verdict.metric, verdict.metric.replace("_", " "))
    title = f"Paired differences in {metric}{_positive(verdict)}"
    print_table(out, title, ("pair", "difference", "adjusted p", "verdict"), rows)
