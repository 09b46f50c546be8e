"""A verdict in the terminal: fifteen lines, the answer last, and no two contenders that look alike."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from rich.console import Console
from tests.planting.reported import comparison, score

from headtohead.cli.display import render, terminal
from headtohead.cli.display.terminal import fit_names, print_table
from headtohead.core.records import Verdict
from headtohead.core.tables.details import VerdictDetails

NAMES = (
    "efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "dinov2-small",
    "ensemble(efficientnet-lite0,dinov2-small)", "ensemble(efficientnet-lite1,dinov2-small)", "majority", "file-facts",
)  # fmt: skip


def verdict() -> Verdict:
    pair = comparison(NAMES[0], NAMES[1])
    facts = "A classifier that sees only the file's facts (size, type), never the image, reaches AUROC 0.7."
    return Verdict(
        sentence=f"{pair.sentence} Among the other pairs, nobody is better. {facts}",
        metric="auroc",
        scores=tuple(
            score(name, metric) for name in NAMES for metric in ("auroc", "accuracy", "sensitivity")
        ),
        comparisons=(pair, comparison(NAMES[0], NAMES[3], -0.0001)),
        caveats=(
            "One caveat that is long enough to need more than one line in a terminal of eighty columns.",
        )
        * 3,
        rule="The rule.",
        positive="yes",
        details=VerdictDetails(classes=("no", "yes"), positive="yes"),
    )


@pytest.fixture(params=[60, 80, 120])
def screen(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[io.StringIO, int]]:
    text = io.StringIO()

    def made() -> Console:
        return Console(
            file=text, force_terminal=True, width=request.param, highlight=False, color_system=None
        )

    monkeypatch.setattr(render, "console", made)
    monkeypatch.setattr(terminal, "console", made)
    yield text, request.param


def lines(text: io.StringIO) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue()).rstrip("\n").split("\n")


def test_the_short_answer_fits_and_ends_with_the_answer(screen: tuple[io.StringIO, int]) -> None:
    text, width = screen
    render.render_verdict(verdict(), after=("Report: x/report.html", "Details: headtohead verdict x"))
    shown = lines(text)
    assert len(shown) <= 15
    assert all(len(line) <= width for line in shown), shown
    joined = " ".join(" ".join(shown).split())
    assert "No evidence that efficientnet-lite0 and efficientnet-lite1 differ." in joined
    assert shown[-2:] == ["Report: x/report.html", "Details: headtohead verdict x"]
    assert joined.index("caveat") < joined.index("No evidence")
    table = [line for line in shown if re.search(r"0\.812 \[0\.712", line)]
    assert len({line.split()[0] for line in table}) == len(table), (
        "each contender can be told from the others"
    )
    assert (width < 80) or any(line.startswith("file-facts") for line in table)


def test_all_tables_fit_and_name_the_class(screen: tuple[io.StringIO, int]) -> None:
    text, width = screen
    render.render_full(verdict())
    shown = lines(text)
    assert all(len(line) <= width for line in shown if " " in line.strip()), [
        x for x in shown if len(x) > width
    ]
    joined = " ".join(" ".join(shown).split())
    assert "positive class: yes" in joined and "< 0.001" in joined
    assert "-0.000" not in joined and "+0.000" not in joined
    assert joined.endswith("reaches AUROC 0.7.")
    for name in NAMES:
        assert name in joined


def test_a_winner_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    won = comparison("aaa_bad", "zzz_good", -0.26).model_copy(
        update={"verdict": "better", "winner": "zzz_good"}
    )
    plain = verdict().model_copy(update={"comparisons": (won,)})
    render.render_full(plain)
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("aaa_bad − zzz_good"))
    assert row.rstrip().endswith("zzz_good better") and "−0.260" in row


def test_heads_of_long_class_names_are_whole_where_nothing_limits_the_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "a class with a name of many letters"
    content = verdict().model_copy(update={"positive": long})
    render.render_full(content)
    head = next(
        line for line in capsys.readouterr().out.splitlines() if "AUROC" in line and "accuracy" in line
    )
    assert f"sensitivity ({long})" in head


def test_heads_never_touch(screen: tuple[io.StringIO, int]) -> None:
    text, _ = screen
    names = ("meningioma of the skull base", "pituitary")
    scores = tuple(score("a", metric) for metric in ("auroc", *(f"sensitivity_{name}" for name in names)))
    details = VerdictDetails(classes=names)
    render.render_full(Verdict(sentence="S.", metric="auroc", scores=scores, comparisons=(), details=details))
    head = next(line for line in lines(text) if line.startswith("contender"))
    wanted = ("contender", "AUROC", "sensitivity meningi…", "sensitivity pituita…")
    found = re.split(r" {2,}", head)
    assert len(found) > 1 and tuple(found) == wanted[: len(found)]


def test_a_piped_table_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    render.render_verdict(verdict())
    shown = capsys.readouterr().out
    assert all(name in shown for name in NAMES[:3]) and "\x1b" not in shown
    print_table(terminal.console(), "", ("a", "b"), [["x" * 150, "y" * 90]])
    assert "x" * 150 + "  " + "y" * 90 in capsys.readouterr().out


def test_names_are_shortened_only_where_they_stay_different() -> None:
    assert fit_names(["abcdefghijklmno-1", "abcdefghijklmno-2"], 13) == ["abcdef…lmno-1", "abcdef…lmno-2"]
    same = [f"{'a' * 20}{i}{'b' * 20}" for i in range(3)]
    assert fit_names(same, 14) == same


def test_tests_of_the_first_pair_alone_unless_all_are_asked_for(screen: tuple[io.StringIO, int]) -> None:
    text, _ = screen
    render.render_full(verdict())
    once = text.getvalue().count("delong")
    text.truncate(0), text.seek(0)
    render.render_full(verdict(), all_tests=True)
    assert once == 1 and text.getvalue().count("delong") == 2


def test_the_title_names_the_positive_class(screen: tuple[io.StringIO, int]) -> None:
    text, _ = screen
    render.render_full(verdict())
    assert "positive class: yes" in text.getvalue()
    text.truncate(0), text.seek(0)
    render.render_full(verdict().model_copy(update={"positive": None}))
    assert "positive class" not in text.getvalue()
