"""The rooms import one another in one direction only, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "headtohead"

MAY_IMPORT = {
    "core": set(),
    "data": {"core"},
    "preprocess": {"core"},
    "report": {"core"},
    "audit": {"core", "data", "preprocess"},
    "backbones": {"core", "data", "preprocess"},
    "heads": {"core", "data", "preprocess", "backbones"},
    "evaluate": {"core", "data", "preprocess", "backbones", "heads"},
}
MAY_IMPORT["searching"] = MAY_IMPORT["reproduction"] = set(MAY_IMPORT)
STUDY = {
    "answers",
    "questions",
    "beside",
    "study",
    "best",
    "reproduce",
    "searching",
    "reproduction",
}  # above every other room, below the command
TOP = set(MAY_IMPORT) | STUDY


def imports(path: Path) -> Iterator[str]:
    """Yield every headtohead module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("headtohead"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("headtohead"):
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}: write absolute imports")


def room(module: str) -> str:
    """Return the room of a module: the word after the package's name, if it is a room."""
    words = module.split(".")
    return words[1] if len(words) > 1 and words[1] in TOP | {"cli"} else ""


def breaches(files: dict[Path, str]) -> list[str]:
    """Return each import that goes against the order."""
    found = []
    for path, own in files.items():
        for module in imports(path):
            other = room(module)
            if own in MAY_IMPORT and other and other != own and other not in MAY_IMPORT[own]:
                found.append(f"{path.name} ({own}) imports {module}")
            if own != "cli" and own != "" and other == "cli":
                found.append(f"{path.name} ({own}) imports {module}")
    return found


def all_files() -> dict[Path, str]:
    """Return every source file with its room; files at the top belong to none."""
    return {
        path: (path.relative_to(SOURCE).parts[0] if len(path.relative_to(SOURCE).parts) > 1 else "")
        for path in sorted(SOURCE.rglob("*.py"))
    }


def test_rooms_import_in_one_direction() -> None:
    assert breaches(all_files()) == []


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ("core", "from headtohead.data import load"),
        ("report", "import headtohead.evaluate.metrics"),
        ("audit", "def f():\n    from headtohead.heads import probe"),
        ("evaluate", "from headtohead.report.page import write_report"),
        ("heads", "from headtohead.cli import app"),
        ("evaluate", "from headtohead.study import Study"),
        ("data", "from headtohead.searching.figures import content"),
    ],
)
def test_a_planted_import_is_caught(tmp_path: Path, own: str, line: str) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(line)
    assert breaches({planted: own})


def test_only_the_command_prints() -> None:
    printing = [
        path.name
        for path, own in all_files().items()
        if own != "cli"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


@pytest.mark.parametrize("module", ["headtohead", "headtohead.cli.app", "headtohead.report.page"])
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    heavy = ("torch", "timm", "transformers", "sklearn", "scipy", "pandas", "matplotlib", "cv2")
    code = f"import sys, {module}\nprint([m for m in {heavy!r} if m in sys.modules])"
    if module == "headtohead.cli.app":
        code = code.replace("\n", f"\n{module}.build()\n", 1)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if module == "headtohead.report.page":
        assert "torch" not in out.stdout and "timm" not in out.stdout
    else:
        assert out.stdout.strip() == "[]"
