"""`headtohead audit` and `clean`: a line an issue, an exit status for CI, and counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.api.results.data_results import CleanResult
from headtohead.core.records import Finding

Run = Callable[..., Any]
ORDER = ("note", "warning", "severe")


def finding(number: int, severity: str, outcome: str = "issue") -> Finding:
    return Finding.model_validate(
        {"code": f"H2H{number}", "title": f"Title {number}", "severity": severity, "outcome": outcome,
         "message": f"[bold]message[/bold] {number}"}
    )  # fmt: skip


@pytest.fixture
def audited(ask: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return what makes an audit end with findings."""

    def make(*findings: Finding) -> Any:
        issues = [one for one in findings if one.outcome == "issue"]
        counts = {s: sum(one.severity == s for one in issues) for s in ORDER}
        counts["passed"] = sum(one.outcome == "passed" for one in findings)
        result = SimpleNamespace(
            findings=findings, dataset_facts={"n_samples": 40, "n_groups": 1},
            record=lambda: {"counts": {name: n for name, n in counts.items() if n}, "name": "ä"},
        )  # fmt: skip
        report = SimpleNamespace(
            result=result, report=lambda: tmp_path / "audit.html",
            at_least=lambda severity: tuple(i for i in issues if ORDER.index(i.severity) >= ORDER.index(severity)),
        )  # fmt: skip
        return ask("headtohead.api.data", "audit", report)

    return make


def test_issues_are_lines_and_the_answer_counts_them(audited: Any, run: Run, tmp_path: Path) -> None:
    asked = audited(
        finding(203, "severe"),
        finding(204, "warning"),
        finding(205, "warning"),
        finding(101, "note", "passed"),
    )
    found = run(
        "audit", "scans", "--out", tmp_path / "a", "--seed", 3, "--ignore", "H2H301=known", "--drop", "x"
    )
    assert found.status == 0
    lines = found.out.splitlines()
    assert lines[0] == "severe   H2H203  Title 203: [bold]message[/bold] 203", "markup of data is text"
    assert lines[1].startswith("warning  H2H204") and "H2H101" not in found.out
    assert lines[-2] == "40 images in 1 group: 1 severe issue, 2 warnings, 0 notes, 1 of 4 checks passed."
    assert lines[-1] == f"Page: {tmp_path / 'audit.html'}"
    assert (asked.named["seed"], asked.named["ignore"], asked.named["drop"]) == (
        3,
        {"H2H301": "known"},
        ("x",),
    )
    assert asked.named["out"] == tmp_path / "a" and asked.named["similar"] is False


def test_many_issues_are_ten_lines_and_a_count(audited: Any, run: Run, tmp_path: Path) -> None:
    audited(*(finding(200 + i, "note") for i in range(12)))
    lines = run("audit", "scans", "--out", tmp_path / "a").out.splitlines()
    assert sum(line.startswith("note ") for line in lines) == 10
    assert lines[10] == "and 2 more, each with what to do, on the page below"
    audited(*(finding(200 + i, "note") for i in range(10)))
    assert "more, each with" not in run("audit", "scans", "--out", tmp_path / "a").out


@pytest.mark.parametrize(
    ("worst", "level", "status"),
    [
        ("severe", "severe", 1),
        ("warning", "severe", 0),
        ("warning", "warning", 1),
        ("severe", "warning", 1),
        ("note", "warning", 0),
    ],
)
def test_an_issue_as_bad_as_asked_ends_with_one(
    worst: str, level: str, status: int, audited: Any, run: Run, tmp_path: Path
) -> None:
    audited(finding(203, worst), finding(101, "severe", "passed"))
    found = run("audit", "scans", "--out", tmp_path / "a", "--fail-on", level)
    assert found.status == status
    assert found.err == (f"headtohead: --fail-on {level}: 1 found (H2H203).\n" if status else "")


def test_codes_of_many_issues_are_five_on_the_line(audited: Any, run: Run, tmp_path: Path) -> None:
    audited(*(finding(200 + i, "severe") for i in range(7)))
    found = run("audit", "scans", "--out", tmp_path / "a", "--fail-on", "severe", "--json")
    assert found.err == "headtohead: --fail-on severe: 7 found (H2H200, H2H201, H2H202, H2H203, H2H204).\n"
    assert json.loads(found.out) == {"counts": {"severe": 7}, "name": "ä"} and "ä" in found.out


def test_cleaning_says_what_was_kept_and_left_out(ask: Any, run: Run, tmp_path: Path) -> None:
    asked = ask("headtohead.api.data", "clean", CleanResult(Path("c.csv"), Path("c.dropped.csv"), 12, 9, 3))
    found = run(
        "clean", "scans", "-o", "c.csv", "--keep", "one-per-group", "--without", "w.csv", "--group-similar"
    )
    assert found.out == "c.csv: 12 images in 9 groups. c.dropped.csv: 3 left out.\n"
    ((given, named),) = asked.calls
    assert given == ("scans", Path("c.csv"))
    assert named == {"keep": "one-per-group", "without": Path("w.csv"), "groups": None, "similar": True}
    assert run("clean", "scans", "-o", "c.csv", "--keep", "best").status == 2
