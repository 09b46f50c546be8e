"""The voice on stderr: a line with the time for each stage where nobody watches."""

from __future__ import annotations

import io
import re

from rich.console import Console

from headtohead.core.console import ConsoleReporter


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
