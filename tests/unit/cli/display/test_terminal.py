"""Text and tables in a terminal: words whole, names told apart, cells never lost."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from headtohead.cli.display import terminal
from headtohead.cli.display.terminal import (
    PIPED_WIDTH,
    console,
    fit_names,
    print_table,
    print_text,
    text_lines,
)

# of at most nine letters, which fit beside the longest mark in 13 columns: words stay whole
WORDS = st.lists(st.text("abcdef-", min_size=1, max_size=9), max_size=30).map(" ".join)


@given(WORDS, st.integers(13, 60), st.sampled_from(["", "! ", "    "]))
def test_wrapping_loses_no_word_and_keeps_the_width(text: str, width: int, mark: str) -> None:
    lines = text_lines(text, width, mark=mark)
    assert all(len(line) <= width for line in lines)
    assert " ".join(line[len(mark) :] for line in lines).split() == text.split()
    assert all(line.startswith(mark if number == 0 else " " * len(mark)) for number, line in enumerate(lines))


@given(st.lists(st.text("abcx", min_size=1, max_size=30), min_size=1, max_size=6), st.integers(1, 40))
def test_names_are_shortened_only_if_they_stay_apart(names: list[str], width: int) -> None:
    found = fit_names(names, width)
    assert len(found) == len(names) and len(set(found)) == len(set(names))
    if found != names:
        assert width >= 12 and all(len(name) <= width for name in found)
        assert all("…" in short or short == name for short, name in zip(found, names, strict=True))


@pytest.mark.parametrize(
    ("names", "width", "found"),
    [
        (["short", "names"], 5, ["short", "names"]),
        (["efficientnet-lite0"], 14, ["efficie…-lite0"]),
        (["efficientnet-lite0"], 11, ["efficientnet-lite0"]),
        (
            ["a-long-name-x-same-end", "a-long-name-y-same-end"],
            14,
            ["a-long-name-x-same-end", "a-long-name-y-same-end"],
        ),
    ],
)
def test_names_that_would_look_alike_stay_whole(names: list[str], width: int, found: list[str]) -> None:
    assert fit_names(names, width) == found


def screen(width: int = 60, *, is_terminal: bool = True) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(
        file=text, force_terminal=is_terminal, width=width, highlight=False, color_system=None
    ), text


ROWS = [
    ("first", "1.0", "a note of several words that goes on"),
    ("second", "", ""),
    ("third", "3.0", "short"),
]


def test_a_table_that_fits_is_lines_under_its_heads() -> None:
    out, text = screen(80)
    print_table(out, "Title", ("name", "value", "note"), ROWS)
    lines = text.getvalue().splitlines()
    assert lines[:2] == ["Title", "name    value  note"]
    assert lines[2] == "first   1.0    a note of several words that goes on" and lines[3] == "second"
    assert lines[4] == "third   3.0    short" and lines[5] == ""


def test_a_wide_last_column_is_wrapped_under_itself() -> None:
    out, text = screen(45)
    print_table(out, "", ("name", "value", "note"), ROWS)
    lines = text.getvalue().splitlines()
    assert lines[1] == "first   1.0    a note of several words that" and lines[2] == "               goes on"
    assert all(len(line) <= 45 for line in lines)


def test_a_table_that_is_too_wide_is_a_block_for_each_row() -> None:
    out, text = screen(24)
    print_table(out, "", ("name", "value", "other"), [("a-name", "12345678", "87654321"), ("b", "", "x")])
    assert text.getvalue().splitlines() == [
        "a-name", "  value  12345678", "  other  87654321", "b", "  other  x", "",
    ]  # fmt: skip


def test_a_file_gets_each_row_on_one_line_whatever_its_length() -> None:
    out, text = screen(20, is_terminal=False)
    print_table(out, "A title that is longer than that", ("name", "note"), [("a", "word " * 30)])
    print_text(out, "word " * 30, mark="! ")
    lines = text.getvalue().splitlines()
    assert lines[0] == "A title that is longer than that" and lines[2].count("word") == 30
    assert lines[-1].startswith("! word") and lines[-1].count("word") == 30


def test_markup_of_data_is_text() -> None:
    out, text = screen()
    print_text(out, "[bold]not bold[/bold] [link=x]y[/link]")
    assert text.getvalue() == "[bold]not bold[/bold] [link=x]y[/link]\n"


def test_output_to_a_file_is_wide_and_obeys_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    monkeypatch.setattr(terminal, "raw_stream", lambda _: text)
    out: Any = console()
    assert out.width == PIPED_WIDTH and not out.is_terminal
    out.print("\x1b[31mred\x1b[0m", markup=False)
    assert "\x1b" not in text.getvalue() and "red" in text.getvalue()
