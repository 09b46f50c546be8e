"""The page: self-contained, safe against hostile names, the same from the same files, and without torch."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.planting.reported import (
    HOSTILE,
    ORDER,
    PIXEL,
    audit,
    contender,
    learning,
    parsed,
    predictions,
    verdict,
)

from headtohead.core.config import StudyConfig
from headtohead.core.errors import RunFolderError
from headtohead.core.run_folder import RunFolder
from headtohead.report.page import write_report
from headtohead.report.views.comparison import build_report_context

READ_BY_THE_PAGE = (
    "verdict.json",
    "audit.json",
    "thumbs.json",
    "images.json",
    "recipe.json",
    "provenance.json",
    "study.toml",
    "predictions.parquet",
    "learning.parquet",
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run folder written by hand."""
    folder = tmp_path / "by-hand"
    (folder / "contenders").mkdir(parents=True)
    files: Mapping[str, Any] = {
        "verdict.json": verdict().model_dump(mode="json"),
        "audit.json": audit(),
        "thumbs.json": {"no/0": PIXEL, f"no/{HOSTILE}": PIXEL},
        "images.json": {
            "missed": [{"id": HOSTILE, "label": "no", "truth": 0.1, "src": PIXEL}],
            "shown": [{"id": HOSTILE, "before": PIXEL, "src": PIXEL}],
        },
        "recipe.json": {"name": "none", "reason": "as asked for", "steps": "", "digest": "d"},
        "provenance.json": {
            "headtohead": "0", "python": "3.11", "packages": {"numpy": "2"}, "system": "Linux", "machine": "x86_64",
            "processor": "some", "cores": 2, "command": ["headtohead", "compare", HOSTILE],
        },
        "contenders/vit-b16.json": contender(),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    config = StudyConfig(data=HOSTILE, contenders=("vit-b16",), folds=2, repeats=1)
    (folder / "study.toml").write_text(config.to_toml(), encoding="utf-8")
    predictions().to_parquet(folder / "predictions.parquet", index=False)
    learning(ORDER).to_parquet(folder / "learning.parquet", index=False)
    return folder


def test_the_view_gathers_what_the_files_say(run: Path) -> None:
    view = build_report_context(RunFolder(run))
    assert view.sentence.startswith("No evidence of a difference")
    titles = ["AUROC (area under the ROC curve), positive class 'yes'", "Accuracy"]
    assert [figure.title for figure in view.forests] == titles
    assert [figure.title for figure in view.confusions] == ["vit-b16", HOSTILE]
    assert [name for name, _ in view.baselines] == ["majority", "file-facts"]
    assert (len(view.findings), len(view.quiet_findings)) == (1, 1)
    tests = dict(view.comparisons[0]["tests"])
    assert tests["delong"]["p"] == "< 0.001" and tests["mcnemar"]["p"] == ""
    assert view.contenders[0]["name"] == "vit-b16" and "precision bf16" in view.contenders[0]["how"]


def test_the_page_is_one_safe_self_contained_file(run: Path) -> None:
    target = write_report(run)
    page = target.read_text(encoding="utf-8")
    assert target == run / "report.html" and page.lower().startswith("<!doctype html>")
    assert "<script" not in page.lower(), "hostile names are escaped, and the page needs no script"
    assert "&lt;script&gt;" in page
    loads = re.findall(r"""(?:src|href|srcset|poster)\s*=\s*["']?([^"'\s>]+)""", page)
    assert loads and all(one.startswith(("data:image/", "#")) for one in loads), loads
    assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import|<link|<iframe", page)
    assert "Research use only" in page and "prefers-color-scheme" in page
    assert 'name="viewport"' in page and "@media print" in page
    for drawing in re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL):
        parsed(drawing)
    assert "not defined: one class only" in page


def test_the_same_files_give_the_same_page(run: Path) -> None:
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first


@pytest.mark.parametrize("name", READ_BY_THE_PAGE)
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    (run / name).unlink()
    with pytest.raises(RunFolderError, match=re.escape(name)):
        write_report(run)
    assert not (run / "report.html").exists()


def test_the_page_is_written_without_torch(run: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from headtohead.report.page import write_report; "
        "write_report(Path(sys.argv[1])); "
        "sys.exit(','.join(m for m in ('torch', 'timm', 'transformers', 'sklearn') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(run)], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "", done.stderr  # what was imported against the promise, or a failure
    assert (run / "report.html").is_file()


def test_the_style_sheet_is_not_escaped(run: Path) -> None:
    """An escaped quote or ">" makes the browser drop the font and all rules for children."""
    page = write_report(run).read_text(encoding="utf-8")
    sheet = page.split("<style>")[1].split("</style>")[0]
    assert "&" not in sheet
    assert '"Segoe UI"' in sheet and ".two > .card" in sheet and "--s7:" in sheet
    assert sheet.count("{") == sheet.count("}")
