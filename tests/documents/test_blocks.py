"""Every command and every line of Python in README and docs runs, and prints what the page shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.documents.blocks import compare, read_blocks, run_page
from tests.documents.conftest import REPOSITORY

PAGES = [
    REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md")
] + sorted(
    page
    for page in (REPOSITORY / "docs").rglob("*.md")
    if "reference" not in page.relative_to(REPOSITORY).parts
)
# Minutes together, for what other tests cover piece by piece; `make test-slow` runs them.
LONG = (
    "tutorial",
    "own-data",
    "why-this-image",
    "which-is-better",
    "hand-it-over",
    "is-my-data-fit",
    "how-many-patients",
    "predictions-made-elsewhere",
)
# Blocks that no test can run: they need the 253 images, hours, or a hub.
MOST_SET_ASIDE = 20


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page.stem in LONG else ()) for page in PAGES],
    ids=lambda page: str(page.relative_to(REPOSITORY)),
)
def test_page_runs(page: Path, scans: Path, tmp_path: Path) -> None:
    blocks = read_blocks(page.read_text(encoding="utf-8"))
    if not any(block.language in ("python", "console") and not block.set_aside for block in blocks):
        return  # nothing to run; its blocks were read, so they are well formed
    shutil.copytree(scans, tmp_path / "scans")  # a link that leads out of the data is not followed
    assert run_page(page, tmp_path)


def test_few_blocks_are_set_aside() -> None:
    aside = [b for page in PAGES for b in read_blocks(page.read_text(encoding="utf-8")) if b.set_aside]
    assert len(aside) <= MOST_SET_ASIDE


@pytest.mark.parametrize(
    "text",
    [
        "```python\n1 + 1\n```\n```text\n3\n```",
        "```console\n$ echo no\nyes\n```",
        "```console\n$ false\n```",
        "```console\nno command\n```",
        "```ruby\n1\n```",
        "```python\nraise ValueError\n```",
    ],
)
def test_a_wrong_block_is_caught(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises((AssertionError, ValueError)):
        run_page(page, tmp_path)


@pytest.mark.parametrize("text", ["```\nx\n```", "```python\nx"])
def test_a_block_without_language_or_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="block"):
        read_blocks(text)


def test_right_blocks_pass(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nx = 2\n```\n```python\nprint('a'); x + 1\n```\n```text\na\n3\n```\n"
        "```console\n$ echo one \\\n    two\none two\n$ echo 1 2\n... 2\n```\n"
        "<!-- not run: no such -->\n```console\n$ false\n```\n"
    )
    assert run_page(page, tmp_path) == 3


def test_dots_stand_for_anything() -> None:
    compare("a ... c", "a b c", "here")
    with pytest.raises(AssertionError):
        compare("a ... c", "a b d", "here")
