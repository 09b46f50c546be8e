"""Read the code blocks of a Markdown page and run them as a reader would, output compared.

- ```` ```python ```` runs in one namespace per page; a `text` block right behind it is its expected output
  (what is printed, then the value of the last expression).
- ```` ```console ```` holds commands after `$ ` and, below each, what it prints on standard output.
- `...` in expected output stands for anything. White space at line ends does not count.
- `<!-- not run: reason -->` above a block sets it aside; the reason is required.
- Other languages (`text`, `toml`, `json`, `csv`, `bibtex`, `mermaid`) are shown, not run.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Block", "read_blocks", "run_page"]

SHOWN_ONLY = {
    "text",
    "toml",
    "json",
    "csv",
    "bibtex",
    "mermaid",
    "{eval-rst}",
    "{toctree}",
    "{figure}",
    "{image}",
}
SET_ASIDE = re.compile(r"<!-- not run: (?P<reason>\S.*) -->")
MATCH = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECONDS = 300  # far above what any block takes; only a hang reaches it


@dataclass(frozen=True)
class Block:
    """One fenced block: language, text, first line, and why it is not run (or None)."""

    language: str
    text: str
    line: int
    set_aside: str | None = None


def read_blocks(text: str) -> list[Block]:
    """Return every fenced block of a page, in order.

    Raises:
        ValueError: a block without a language, or one that never ends.
    """
    blocks: list[Block] = []
    lines = text.splitlines()
    number, reason = 0, None
    while number < len(lines):
        line = lines[number]
        aside = SET_ASIDE.fullmatch(line.strip())
        if aside:
            reason = aside["reason"]
        elif line.startswith("```"):
            language = line.strip("`").split()[0] if line.strip("`").strip() else ""
            fence = re.match(r"`+", line).group(0)  # type: ignore[union-attr]
            if not language:
                raise ValueError(f"line {number + 1}: a block needs a language, such as console or text")
            end = next((i for i in range(number + 1, len(lines)) if lines[i].startswith(fence)), None)
            if end is None:
                raise ValueError(f"line {number + 1}: the block never ends")
            blocks.append(Block(language, "\n".join(lines[number + 1 : end]), number + 1, reason))
            number, reason = end, None
        elif line.strip():
            reason = None
        number += 1
    return blocks


def run_page(page: Path, folder: Path) -> int:
    """Run the blocks of a page with `folder` as the working folder and return how many ran.

    Raises:
        AssertionError: a block failed or printed something else; names page and line.
    """
    namespace: dict[str, Any] = {"__name__": "__page__"}
    blocks = read_blocks(page.read_text(encoding="utf-8"))
    ran = 0
    with contextlib.chdir(folder):
        for place, block in enumerate(blocks):
            if block.set_aside or block.language in SHOWN_ONLY:
                continue
            where = f"{page.name}, line {block.line}"
            if block.language == "python":
                following = blocks[place + 1] if place + 1 < len(blocks) else None
                expected = following.text if following and following.language == "text" else None
                compare(expected, run_python(block.text, namespace, where), where)
            elif block.language == "console":
                for command, output in commands_of(block.text, where):
                    compare(output or None, run_command(command, where), f"{where}: {command}")
            else:
                raise AssertionError(
                    f"{where}: nobody runs {block.language!r} blocks; use console, python or text"
                )
            ran += 1
    return ran


def run_python(code: str, namespace: dict[str, Any], where: str) -> str:
    """Run code and return what it printed, with the value of a last expression behind it."""
    tree = ast.parse(code, where)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(tree, where, "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), where, "eval"), namespace)
            if value is not None:
                out.write(f"{value!r}\n")
    return out.getvalue()


def commands_of(text: str, where: str) -> list[tuple[str, str]]:
    """Return (command, expected output) for each `$ ` line; a command goes on after a trailing backslash."""
    found: list[tuple[str, list[str]]] = []
    goes_on = False
    for line in text.splitlines():
        if line.startswith("$ ") or goes_on:
            command = line.removeprefix("$ ").rstrip("\\").strip()
            if goes_on:
                found[-1] = (f"{found[-1][0]} {command}", [])
            else:
                found.append((command, []))
            goes_on = line.endswith("\\")
        elif found:
            found[-1][1].append(line)
        else:
            raise AssertionError(f"{where}: a console block starts with a line `$ command`")
    return [(command, "\n".join(output)) for command, output in found]


def run_command(command: str, where: str) -> str:
    """Run a shell command and return its standard output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    assert done.returncode == 0, f"{where}: {command}\nexit status {done.returncode}\n{done.stderr}"
    return done.stdout


def compare(expected: str | None, got: str, where: str) -> None:
    """Hold output against what the page shows, where it shows any."""
    if expected is None:
        return
    if not doctest.OutputChecker().check_output(expected.strip() + "\n", got.strip() + "\n", MATCH):
        raise AssertionError(f"{where}\n--- the page shows\n{expected}\n--- it printed\n{got}")
