"""Results of an audit and of preprocessing: worst first, counted, escaped."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.api.results.data_results import AuditReport, PreprocessResult, findings_frame
from headtohead.core.errors import UsageError
from headtohead.core.records import Finding


def finding(number: int, severity: str = "note", outcome: str = "issue", n: int = 0) -> Finding:
    return Finding.model_validate(
        {"code": f"H2H{number}", "title": f"Title <{number}>", "severity": severity, "outcome": outcome,
         "message": f"message {number}", "samples": tuple(f"s{i}" for i in range(n))}
    )  # fmt: skip


def report(*findings: Finding, folder: Path = Path("audit")) -> AuditReport:
    issues = tuple(one for one in findings if one.outcome == "issue")
    order = ("note", "warning", "severe")
    result: Any = SimpleNamespace(
        findings=findings, issues=issues, dataset_facts={"n_samples": 40, "n_groups": 30},
        at_least=lambda severity: tuple(i for i in issues if order.index(i.severity) >= order.index(severity)),
        grouping=SimpleNamespace(groups={"a": "g1", "b": "g1"}),
        dataset=SimpleNamespace(
            with_groups=lambda groups: SimpleNamespace(
                samples=[SimpleNamespace(id=name, label=f"l{name}", group=group) for name, group in groups.items()]
            )
        ),
    )  # fmt: skip
    return AuditReport(folder, result)


def test_findings_are_rows_with_the_number_of_their_samples() -> None:
    found = report(finding(203, "severe", n=3), finding(101, outcome="passed")).findings
    assert found.to_dict("list") == {
        "code": ["H2H203", "H2H101"], "title": ["Title <203>", "Title <101>"], "severity": ["severe", "note"],
        "outcome": ["issue", "passed"], "message": ["message 203", "message 101"], "advice": ["", ""],
        "n_samples": [3, 0],
    }  # fmt: skip
    empty = findings_frame([])
    assert empty.empty and list(empty.columns) == list(found.columns)


def test_groups_are_those_that_the_audit_found() -> None:
    assert report().groups.to_dict("list") == {
        "sample": ["a", "b"],
        "label": ["la", "lb"],
        "group": ["g1", "g1"],
    }


def test_issues_of_a_severity_or_worse() -> None:
    made = report(
        finding(201, "severe"), finding(202, "warning"), finding(203), finding(204, "severe", "passed")
    )
    assert [one.code for one in made.at_least("warning")] == ["H2H201", "H2H202"]
    assert len(made.at_least("note")) == 3 and len(made.issues) == 3
    with pytest.raises(UsageError, match=r"^Got the severity 'bad'; expected note, warning or severe\.$"):
        made.at_least("bad")  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "more"), [(8, None), (9, "  and 1 more")])
def test_a_terminal_shows_eight_issues_and_counts_the_rest(n: int, more: str | None) -> None:
    lines = repr(
        report(*(finding(200 + i, "warning") for i in range(n)), finding(300, outcome="passed"))
    ).splitlines()
    assert lines[0] == f"40 images in 30 groups; {n} issues" and lines[1] == "  warning  H2H200  Title <200>"
    assert lines[-1] == f"Page: {Path('audit') / 'audit.html'}"
    assert (lines[-2] == more) if more else len(lines) == 10


def test_a_notebook_shows_issues_alone_and_escaped() -> None:
    page = report(finding(203, "severe"), finding(101, outcome="passed"))._repr_html_()
    assert "Title &lt;203&gt;" in page and "H2H101" not in page and "40 images in 30 groups" in page


def test_the_page_is_opened_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    made = report(folder=tmp_path)
    assert made.report() == tmp_path / "audit.html" and opened == []
    made.report(show=True)
    assert opened == [(tmp_path / "audit.html").resolve().as_uri()]


def test_boxes_are_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("path,top,kept\na.png,3,0.5\n")
    made = PreprocessResult(tmp_path, "none", "as asked for", "d", 1, 1, 0)
    assert made.boxes.to_dict("records") == [{"path": "a.png", "top": 3, "kept": 0.5}]
