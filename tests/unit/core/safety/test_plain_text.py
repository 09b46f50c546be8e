"""Nothing from data reaches a terminal as an order."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from headtohead.core.console import ConsoleReporter
from headtohead.core.safety.plain_text import PlainStream, visible


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    shown = visible(text)
    assert all(
        letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") for letter in shown
    )
    shown.encode("utf-8")
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_means_the_same(text: str) -> None:
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("text", ["plain", "größer … − 5 %", "脑\t部\n", ""])
def test_other_text_stays(text: str) -> None:
    assert visible(text) == text


def test_a_stream_keeps_the_line_ends_of_a_csv() -> None:
    inner = io.StringIO(newline="")
    PlainStream(inner).write("a,b\r\n\x1b]52;c;AAAA\x07,\r\n")
    assert inner.getvalue() == "a,b\r\n\\u001b]52;c;AAAA\\u0007,\r\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_and_messages(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200, emoji=False, color_system=None)
    reporter = ConsoleReporter(console, verbose=True)
    reporter.info("a\x1b[2Jb")
    reporter.warning("c\x1b]0;t\x07 :bomb:")
    assert list(reporter.progress([1], "features of path:m[/x]\x9b2J")) == [1]
    text = out.getvalue()
    assert "a\\u001b[2Jb" in text
    assert ":bomb:" in text
    assert not {"\x1b[2J", "\x1b]", "\x07", "\x9b"} & {
        text[i : i + n] for n in (1, 2, 4) for i in range(len(text))
    }
