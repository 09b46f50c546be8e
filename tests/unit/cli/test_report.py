"""`headtohead report`, `diff` and `figure`, from the files of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.planting.reported import write_run

Run = Callable[..., Any]


def test_a_report_is_made_again_and_its_path_is_printed(run: Run, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    found = run("report", folder)
    assert found.status == 0 and found.out.strip() == str(folder / "report.html")
    assert (folder / "report.html").is_file()
    assert run("report", tmp_path).status == 1


def test_a_difference_of_two_runs_is_lines_or_json(ask: Any, run: Run) -> None:
    found = {"scores": [{"contender": "ä", "before": 0.7, "after": 0.8}]}
    asked = ask("headtohead.report.run_diff", "diff_runs", found)
    ask("headtohead.report.run_diff", "diff_lines", ["one line", "and another"])
    assert run("diff", "runs/a", "runs/b").out == "one line\nand another\n"
    told = run("diff", "runs/a", "runs/b", "--json").out
    assert json.loads(told) == found and "ä" in told
    assert [given for given, _ in asked.calls] == [(Path("runs/a"), Path("runs/b"))] * 2


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_a_figure_is_written_beside_the_run_or_where_asked(kind: str, run: Run, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    heads = {"svg": b"<", "png": b"\x89PNG", "pdf": b"%PDF"}
    found = run("figure", folder, "differences", "--format", kind)
    target = folder / f"differences.{kind}"
    assert found.out.strip() == str(target) and target.read_bytes().startswith(heads[kind])
    other = tmp_path / "deep" / f"f.{kind}"
    assert run("figure", folder, "scores", "--format", kind, "-o", other).status == 0
    assert other.read_bytes().startswith(heads[kind])


def test_figures_and_formats_that_do_not_exist_write_nothing(run: Run, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    before = sorted(folder.iterdir())
    assert "did you mean 'roc'" in run("figure", folder, "rco").err
    assert run("figure", folder, "roc", "--format", "gif").status == 2
    assert sorted(folder.iterdir()) == before
