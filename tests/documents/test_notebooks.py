"""The notebooks of the documentation run from the first cell to the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tests.documents.conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))
SECONDS = 300  # for one cell; only a hang reaches it


def run_notebook(path: Path, folder: Path) -> list[Any]:
    """Run a notebook with `folder` as its working folder and return its cells with their outputs."""
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    return list(notebook.cells)


def shown(cells: list[Any]) -> list[dict[str, Any]]:
    """Return what the cells show, each as kind -> content."""
    return [output["data"] for cell in cells for output in cell.get("outputs", ()) if "data" in output]


@pytest.mark.filterwarnings("ignore")  # of the Jupyter client's own loop and sockets
@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=pytest.mark.slow if p.name == "compare.ipynb" else ()) for p in NOTEBOOKS],
    ids=lambda path: path.name,
)
def test_notebook_runs(path: Path, scans: Path, tmp_path: Path) -> None:
    (tmp_path / "scans").symlink_to(scans)
    outputs = shown(run_notebook(path, tmp_path))
    assert outputs
    if path.name == "compare.ipynb":
        pages = [output["text/html"] for output in outputs if "text/html" in output]
        assert any("<svg" in page and "refused" in page and "Research use only" in page for page in pages)
        assert sum("image/png" in output for output in outputs) == 2  # the ROC and the calibration curves


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_that_fails_is_caught(tmp_path: Path) -> None:
    content = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    content["cells"] = [cell for cell in content["cells"] if cell["cell_type"] == "code"][:1]
    content["cells"][0]["source"] = ["1 / 0"]
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CellExecutionError):
        run_notebook(broken, tmp_path)


def test_there_are_two_notebooks_without_stored_output() -> None:
    assert len(NOTEBOOKS) >= 2
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells), f"{path.name} holds output; clear it"
