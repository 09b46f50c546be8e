"""Folders import one another in one direction only, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "headtohead"

# From the bottom up: a folder imports from the layers below its own, never from its own layer or above.
LAYERS = (
    ("core",),
    ("stats", "data", "preprocess", "report"),
    ("audit", "backbones", "evaluate"),
    ("training",),
    ("heads",),
    ("contenders",),
    ("explain",),
    ("deploy", "engines"),
    ("studies", "serve"),
    ("api",),
    ("cli",),
)
LAYER = {folder: height for height, layer in enumerate(LAYERS) for folder in layer}
# Statistics are for everyone, so they may rest on nothing but `core`, and so may the pages.
CORE_ALONE = ("stats", "data", "report")
# Files beside the folders: the version is for everyone, the public door and `python -m` are on top.
TOP_FILES = {"_version": -1, "__init__": len(LAYERS), "__main__": len(LAYERS)}


def imports(path: Path) -> Iterator[str]:
    """Yield every headtohead module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("headtohead"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("headtohead"):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}: write absolute imports")


def height(folder: str) -> int:
    """Return the layer of a folder or of a file beside the folders."""
    known = LAYER | TOP_FILES
    assert folder in known, f"{folder} has no layer; add it to LAYERS"
    return known[folder]


def folder_of(module: str) -> str:
    """Return the folder (or the file beside the folders) that an imported name belongs to."""
    words = module.split(".")
    first = words[1] if len(words) > 1 else "__init__"
    return first if first in LAYER or first in TOP_FILES else "__init__"


def breaches(files: dict[Path, str]) -> list[str]:
    """Return each import that goes against the order."""
    found = []
    for path, own in files.items():
        for module in imports(path):
            other = folder_of(module)
            if other == own or height(other) < height(own):
                continue
            found.append(f"{path.name} ({own}) imports {module}")
    return found


def all_files() -> dict[Path, str]:
    """Return every source file with its folder; a file at the top is named by itself."""
    return {
        path: path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in sorted(SOURCE.rglob("*.py"))
    }


def test_folders_import_in_one_direction() -> None:
    assert breaches(all_files()) == []


@pytest.mark.parametrize("folder", CORE_ALONE)
def test_some_folders_rest_on_core_alone(folder: str) -> None:
    allowed = {folder, "core", "_version"}
    others = {
        folder_of(module) for path, own in all_files().items() if own == folder for module in imports(path)
    }
    assert others <= allowed


def module_name(path: Path) -> str:
    """Return the dotted name of a source file."""
    words = ["headtohead", *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of a graph that lie on a cycle."""
    left = {name: set(others) for name, others in graph.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def module_graph() -> dict[str, set[str]]:
    """Return module -> modules that it imports, anywhere in the file; a package is its `__init__`."""
    files = {module_name(path): path for path in all_files()}
    graph: dict[str, set[str]] = {}
    for name, path in files.items():
        graph[name] = set()
        for module in imports(path):
            target = module if module in files else module.rpartition(".")[0]
            if target in files and target != name:
                graph[name].add(target)
    return graph


def test_no_module_imports_itself_through_others() -> None:
    assert cycles(module_graph()) == []


def test_a_planted_cycle_is_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def subfolder(module: str, packages: set[str]) -> str:
    """Return folder and sub-folder of a module, "data.readers"; what lies deeper belongs to the sub-folder."""
    home = module if module in packages else module.rpartition(".")[0]
    return ".".join(home.split(".")[1:3])


def subfolder_graph() -> dict[str, set[str]]:
    """Return sub-folder -> other sub-folders of the same folder that it imports."""
    packages = {module_name(path) for path in all_files() if path.name == "__init__.py"}
    graph: dict[str, set[str]] = {}
    for name, others in module_graph().items():
        own = subfolder(name, packages)
        for home in (subfolder(other, packages) for other in others):
            same_folder = own.split(".")[0] == home.split(".")[0]
            if same_folder and own != home and "." in own and "." in home:
                graph.setdefault(own, set()).add(home)
                graph.setdefault(home, set())
    return graph


def test_subfolders_import_in_one_direction() -> None:
    assert cycles(subfolder_graph()) == []


def test_no_folder_is_crowded() -> None:
    crowded = {}
    for folder in (SOURCE, *(p for p in SOURCE.rglob("*") if p.is_dir())):
        n = len([p for p in folder.glob("*.py") if p.name != "__init__.py"])
        if n > 15:
            crowded[str(folder.relative_to(SOURCE))] = n
    assert crowded == {}


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ("core", "from headtohead.data import load"),
        ("report", "import headtohead.evaluate.verdict"),
        ("audit", "def f():\n    from headtohead.heads import mlp"),
        ("evaluate", "from headtohead.audit.audit import audit"),
        ("heads", "from headtohead.cli import app"),
        ("evaluate", "from headtohead.studies.comparison import Study"),
        ("data", "from headtohead.studies.search.summary import content"),
        ("core", "import headtohead"),
        ("training", "from headtohead import compare"),
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
