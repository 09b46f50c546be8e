"""The voice on stderr: a line with the time for each stage where nobody watches."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from headtohead.core.console import ConsoleReporter, time_left
from headtohead.core.progress import QUIET


def spoken(*, verbose: bool = False) -> list[str]:
    text = io.StringIO()
    voice = ConsoleReporter(Console(file=text, width=60), verbose=verbose)
    voice.info("A decision that is longer than the sixty columns of this console, on one line.")
    for _ in range(2):
        for _ in voice.progress(range(3), "Fitting", 3):
            voice.info("inside")
            list(voice.progress(range(2), "inner"))
    voice.warning("careful")
    return text.getvalue().splitlines()


def test_a_file_gets_one_timed_line_for_each_stage() -> None:
    lines = spoken()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    assert [line[9:] for line in lines][1:] == ["Fitting (3)", "warning: careful"]
    assert lines[0].endswith("on one line.")


def test_what_happens_inside_a_stage_is_told_on_request() -> None:
    assert sum(line.endswith("inside") for line in spoken(verbose=True)) == 6


@pytest.mark.parametrize(
    ("elapsed", "done", "total", "left"),
    [
        (30.0, 10, 40, "1:30"), (10.0, 1, 361, "60:00"), (59.6, 1, 2, "1:00"), (5.0, 4, 4, "0:00"), (0.0, 1, 9, "0:00"),
        (30.0, 0, 40, None), (None, 1, 4, None), (30.0, 1, None, None),
    ],
)  # fmt: skip
def test_the_time_left_is_at_the_mean_speed(
    elapsed: float | None, done: float, total: float | None, left: str | None
) -> None:
    assert time_left(elapsed, done, total) == left


def test_a_stage_of_unknown_size_is_named_without_a_number() -> None:
    text = io.StringIO()
    voice = ConsoleReporter(Console(file=text, width=60))
    assert list(voice.progress(iter([1, 2]), "Reading")) == [1, 2]
    assert list(voice.progress([1, 2], "Reading")) == [1, 2]
    assert [line[9:] for line in text.getvalue().splitlines()] == ["Reading", "Reading (2)"]


def test_a_stage_that_was_left_early_is_over() -> None:
    text = io.StringIO()
    voice = ConsoleReporter(Console(file=text, width=60))
    stage = voice.progress(range(3), "First")
    next(iter(stage))
    stage.close()  # type: ignore[attr-defined]
    voice.info("outside again")
    list(voice.progress(range(1), "Second"))
    assert [line[9:] for line in text.getvalue().splitlines()] == ["First (3)", "outside again", "Second (1)"]


def test_a_terminal_sees_bars_inside_one_another_and_no_time_of_day() -> None:
    text = io.StringIO()
    console = Console(file=text, width=100, force_terminal=True, color_system=None, emoji=False)
    voice = ConsoleReporter(console)
    for _ in voice.progress(range(2), "outer [/b]", 2):
        voice.info("decided [bold]")
        assert list(voice.progress([7], "inner")) == [7]
    voice.warning("careful")
    said = text.getvalue()
    assert (
        "outer [/b]" in said and "inner" in said and "· decided [bold]" in said and "warning: careful" in said
    )


def test_the_quiet_reporter_passes_items_on() -> None:
    assert list(QUIET.progress(iter("ab"), "x")) == ["a", "b"]
    QUIET.info("x")
    QUIET.warning("x")
