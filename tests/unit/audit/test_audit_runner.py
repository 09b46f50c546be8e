"""The runner: every check answers, in order, and nothing is silent."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from headtohead.audit.check import (
    Check,
    Observation,
    issue,
    not_applicable,
    parse_ignore,
    passed,
    run_checks,
    skipped,
    tip,
)
from headtohead.audit.context import AuditContext
from headtohead.audit.registry import CHECKS, get_check
from headtohead.core.errors import UndefinedMetricError, UnknownNameError, UsageError

NOTHING = cast(AuditContext, object())


def check(code: str, seen: Observation | Exception, severity: Any = "warning") -> Check:
    def look(_: AuditContext) -> Observation:
        if isinstance(seen, Exception):
            raise seen
        return seen

    return Check(code, "title", severity, look, "doc")


def test_each_outcome_is_kept_and_the_worst_stands_first() -> None:
    checks = [
        check("H2H101", passed("fine")),
        check("H2H102", issue("bad", "do", severity="note")),
        check("H2H103", issue("bad", "do", samples=["a"], count=3)),
        check("H2H501", issue("worst", "do"), "severe"),
        check("H2H201", issue("bad", "do")),
        check("H2H104", tip("look", "do")),
        check("H2H105", skipped("no data")),
        check("H2H106", not_applicable("never")),
        check("H2H107", issue("bad", "do")),
    ]
    found = run_checks(NOTHING, checks, {"H2H107": "one scanner"})
    assert [f.code[3:] for f in found] == ["501", "201", "103", "102", "104", "105", "107", "101", "106"]
    by_code = {f.code: f for f in found}
    assert by_code["H2H107"].outcome == "ignored"
    assert "one scanner" in by_code["H2H107"].message
    assert by_code["H2H103"].data == {"count": 3}
    assert by_code["H2H103"].samples == ("a",)


def test_an_explained_error_makes_a_check_skipped_with_its_text() -> None:
    found = run_checks(NOTHING, [check("H2H301", UndefinedMetricError("a class is missing"))])[0]
    assert found.outcome == "skipped"
    assert "a class is missing" in found.message


def test_any_other_error_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        run_checks(NOTHING, [check("H2H301", ZeroDivisionError())])


@pytest.mark.parametrize("ignore", [{"H2H301": ""}, ["H2H301"], ["H2H301= "]])
def test_ignoring_needs_a_reason(ignore: Any) -> None:
    with pytest.raises(UsageError, match="reason"):
        parse_ignore(ignore, ["H2H301"])


def test_ignoring_an_unknown_code_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'H2H301'"):
        parse_ignore(["H2H3O1=why"], ["H2H301", "H2H202"])


def test_codes_are_unique_and_every_check_is_documented() -> None:
    assert len({c.code for c in CHECKS}) == len(CHECKS) >= 45
    assert all(c.doc and c.title and c.family for c in CHECKS)
    assert get_check("h2h203").title == "Copies across the given split"
    with pytest.raises(UnknownNameError, match="H2H203"):
        get_check("H2H20")


def test_the_page_of_checks_is_up_to_date() -> None:
    from pathlib import Path

    from headtohead.audit.checks_page import checks_page

    page = Path(__file__).resolve().parents[3] / "docs" / "checks.md"
    assert page.read_text(encoding="utf-8") == checks_page(), (
        "run: python -m headtohead.audit.checks_page > docs/checks.md"
    )


def test_a_giant_group_leaves_the_probes_rows_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[AuditContext.__module__]
    monkeypatch.setattr(module, "PROBE_LIMIT", 40)
    monkeypatch.setattr(module, "PROBE_SHARE", 4)
    groups = np.array(["giant"] * 80 + [f"g{i // 2}" for i in range(20)], dtype=object)
    for seed in range(5):
        stub: Any = SimpleNamespace(samples=groups, groups=groups, settings=SimpleNamespace(seed=seed))
        rows = cast(Any, AuditContext.probe_rows).func(stub)
        assert len(rows) == len(set(rows.tolist())) == 24 and (np.diff(rows) > 0).all()
        assert (groups[rows] == "giant").sum() == 4
