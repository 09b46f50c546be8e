"""No test is skipped in silence by `make test`: what a skip waits for is among the packages that it installs."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
LOCK = TESTS.parent / "requirements" / "lock.txt"
# Module -> why its test may be skipped all the same.
ALLOWED = {"tritonclient.http": "another project's client, for one test alone"}


def _awaited() -> set[str]:
    """Return the modules that tests skip without."""
    found = set()
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip":
                (name, *_) = node.args
                found.add(name.value if isinstance(name, ast.Constant) else ast.unparse(name))
    return {str(name) for name in found}


def _locked() -> set[str]:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return {_plain(line.partition("==")[0]) for line in lines if "==" in line}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip().lower())


def test_each_package_that_a_test_waits_for_is_installed_by_make_test() -> None:
    locked, known = _locked(), packages_distributions()
    awaited = _awaited()
    assert "openvino" in awaited and "numpy" in locked
    missing = set()
    for name in awaited - {"PACKAGES[runtime]"}:  # openvino or onnxruntime
        root = name.partition(".")[0]
        if root not in sys.stdlib_module_names and not {_plain(d) for d in known.get(root, [root])} & locked:
            missing.add(name)
    assert missing == set(ALLOWED)


def test_no_test_waits_for_a_package_that_is_always_there() -> None:
    text = (TESTS.parent / "pyproject.toml").read_text(encoding="utf-8")
    required = text.partition("\ndependencies = [")[2].partition("\n]")[0]
    names = {_plain(name) for name in re.findall(r'"([\w.-]+)>=', required)}
    assert "torch" in names and not {_plain(name.partition(".")[0]) for name in _awaited()} & names
