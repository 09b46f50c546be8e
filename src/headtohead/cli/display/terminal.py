"""Text and tables that fit the terminal: prose is wrapped, names are never cut so that two look alike."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.core.safety.plain_text import raw_stream, visible

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["PIPED_WIDTH", "console", "fit_names", "print_table", "print_text", "text_lines"]

PIPED_WIDTH = 200
"""Columns where the output goes to a file: wide enough that no cell is folded."""
_GAP = 2  # blanks between two columns
_SHORTEST = 12  # a shortened name keeps at least so many letters


def console() -> Console:
    """Return a console as wide as the terminal."""
    from rich.console import Console

    class PlainConsole(Console):
        """A console that obeys nothing in the texts it is given; its own colours pass."""

        def print(self, *objects: Any, **options: Any) -> None:
            plain = (visible(item) if isinstance(item, str) else item for item in objects)
            super().print(*plain, **options)

    file = raw_stream(sys.stdout)
    found = PlainConsole(file=file, highlight=False, emoji=False)
    if found.is_terminal:
        return found
    return PlainConsole(file=file, highlight=False, emoji=False, soft_wrap=True, width=PIPED_WIDTH)


def text_lines(text: str, width: int, *, mark: str = "") -> list[str]:
    """Return a text in lines of at most `width` columns, words whole.

    Args:
        mark: stands before the first line; the others are indented by its width.

    >>> text_lines("one two three", 10, mark="! ")
    ['! one two', '  three']
    """
    return textwrap.wrap(
        text, width, initial_indent=mark, subsequent_indent=" " * len(mark), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def print_text(out: Console, text: str, *, mark: str = "", style: str | None = None) -> None:
    """Print a text, wrapped where a terminal shows it and on one line where it goes to a file."""
    lines = text_lines(text, out.width, mark=mark) if out.is_terminal else [mark + text]
    for line in lines:
        out.print(line, style=style, markup=False, soft_wrap=True)


def fit_names(names: Sequence[str], width: int) -> list[str]:
    """Return the names in at most `width` columns, middles left out, where they stay different; else whole.

    >>> fit_names(["efficientnet-lite0", "efficientnet-lite1"], 14)
    ['efficie…-lite0', 'efficie…-lite1']
    """
    if all(len(name) <= width for name in names):
        return list(names)
    end = max(1, (width - 1) // 2)
    short = [n if len(n) <= width else f"{n[: width - 1 - end]}…{n[-end:]}" for n in names]
    distinct = len(set(short)) == len(set(names))
    return short if distinct and width >= _SHORTEST else list(names)


def print_table(
    out: Console,
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    dim: Collection[int] = (),
) -> None:
    """Print a table; where it is wider than the terminal, one block for each row instead.

    Args:
        title: above it, "" for none.
        heads: of the columns. rows: their cells, as text.
        dim: numbers of the rows that are printed grey.
    """
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    if title:
        print_text(out, title, style="italic")
    if out.is_terminal and sum(widths) + _GAP * (len(widths) - 1) > out.width:
        if widths[-1] > out.width // 3 and sum(widths[:-1]) + _GAP * len(widths) < out.width - 24:
            narrowed = [*widths[:-1], out.width - sum(widths[:-1]) - _GAP * (len(widths) - 1)]
            _print_lines(out, heads, rows, narrowed, dim)
        else:
            _print_blocks(out, heads, rows)
    else:
        _print_lines(out, heads, rows, widths, dim)
    out.print()


def _print_lines(
    out: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    dim: Collection[int] = (),
) -> None:
    """Print one line for each row; the last column is wrapped to its width."""
    _print_row(out, heads, widths, "bold")
    for number, row in enumerate(rows):
        style = "dim" if number in dim else None
        *first, last = row
        parts = textwrap.wrap(last, widths[-1], break_long_words=False) or [""]
        if len(last) <= widths[-1]:  # wrapping would drop blanks at its ends
            parts = [last]
        _print_row(out, [*first, parts[0]], widths, style)
        for part in parts[1:]:
            _print_row(out, [*("" for _ in first), part], widths, style)


def _print_row(out: Console, cells: Sequence[str], widths: Sequence[int], style: str | None = None) -> None:
    line = (" " * _GAP).join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    out.print(line.rstrip(), style=style, markup=False, soft_wrap=True)


def _print_blocks(out: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each row as a block: the first cell as its heading, then a line for each other cell."""
    label = min(max(map(len, heads[1:]), default=0), out.width // 2)
    for row in rows:
        for line in text_lines(row[0], out.width) or [""]:
            out.print(line, style="bold", markup=False, soft_wrap=True)
        for head, cell in zip(heads[1:], row[1:], strict=True):
            if cell:
                for line in text_lines(cell, out.width, mark=f"  {head.ljust(label)}  ") or [""]:
                    out.print(line, markup=False, soft_wrap=True)
