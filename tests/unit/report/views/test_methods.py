"""The section on methods: the paragraph in its order, the clause that fired, the tests in words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.reported import comparison, verdict

from headtohead.core.records import TestResult
from headtohead.core.tables.details import ComparisonDetails
from headtohead.report.views.methods import PARAGRAPH, RULE_ROW, methods_view

RULE = (
    "In this order, on the interval: (1) refused: conditions do not hold; (2) better: it excludes 0; (3) equivalent: "
    "within ±0.02; (4) cannot tell: wider than 0.2; (5) otherwise no evidence. Holm adjusts p."
)


def item(number: str, text: str, status: str = "filled", which: str = "CLAIM 2024") -> dict[str, str]:
    return {"item": number, "text": text, "status": status, "list": which}


def view(checklist: list[dict[str, str]] | None = None, **more: Any) -> dict[str, Any]:
    return methods_view(verdict().model_copy(update=more), checklist or [])


def test_the_paragraph_is_in_its_own_order_and_without_what_is_said_elsewhere() -> None:
    rows = [item(n, f"Text {n}.") for n in sorted(PARAGRAPH)]
    assert view(rows)["paragraph"] == " ".join(f"Text {n}." for n in PARAGRAPH)
    fixed = [item("29", "The rule. Fixed in the software, not here."), item("14", "Data."), item("99", "No.")]
    assert view(fixed)["paragraph"] == "Data. The rule."
    assert view([item("29", "The rule. Fixed beforehand: yes.")])["paragraph"] == "The rule."
    assert view([item("14", "Other.", which="TRIPOD+AI")])["paragraph"] == ""


def test_what_authors_fill_in_is_not_counted_as_filled() -> None:
    rows = [item("1", "", "author"), item("2", "x"), item("3", "y", "partly")]
    assert view(rows)["checklist_share"] == "2 of 3" and view(rows)["checklist"] == rows
    assert view()["checklist_share"] == ""


@pytest.mark.parametrize("outcome", list(RULE_ROW))
def test_the_clause_that_fired_is_marked(outcome: str) -> None:
    pair = comparison("a", "b").model_copy(update={"verdict": outcome})
    rule = view(rule=RULE, comparisons=(pair,))["rule"]
    assert rule["head"] == "In this order, on the interval" and rule["tail"] == "Holm adjusts p."
    assert [row["number"] for row in rule["rows"]] == ["1", "2", "3", "4", "5"]
    assert rule["rows"][1]["condition"] == "it excludes 0" and rule["rows"][1]["word"] == "better"
    assert (rule["rows"][4]["word"], rule["rows"][4]["condition"]) == ("no evidence", "otherwise")
    words = {"cannot_tell": "cannot tell", "no_evidence": "no evidence"}
    assert [row["word"] for row in rule["rows"] if row["fired"]] == [words.get(outcome, outcome)]


def test_a_rule_without_clauses_stands_as_it_is() -> None:
    rule = view(rule="By eye.", comparisons=())["rule"]
    assert (rule["rows"], rule["tail"], rule["text"]) == ([], "", "By eye.")
    assert not any(row["fired"] for row in view(rule=RULE, comparisons=())["rule"]["rows"])


def test_tests_are_told_with_their_role_and_the_names_of_the_pair() -> None:
    results = {
        "interval": TestResult(statistic=None, p_value=0.04, role="decides"),
        "bayes_rope": TestResult(
            statistic=-0.5, p_value=None, role="other", note="P(a better) 0.1, P(b better) 0.2"
        ),
        "my_own": TestResult(statistic=2.0, p_value=0.5, ignores_groups=True, of="accuracy"),
    }
    pair = comparison("vit", "cnn").model_copy(
        update={"tests": results, "details": ComparisonDetails(p_holm=0.08)}
    )
    empty = comparison("c", "d").model_copy(update={"tests": {}})
    (found,) = view(comparisons=(pair, empty))["tests"]
    rows = {row["name"]: row for row in found["rows"]}
    assert [row["name"] for row in found["rows"]][:2] == [
        "interval of the rule (p where it touches 0)", "interval, adjusted",
    ]  # fmt: skip
    assert found["rows"][0]["of"].endswith("used by the rule") and rows["interval, adjusted"]["p"] == "0.080"
    bayes, own = rows["Bayesian ROPE"], rows["my own"]
    assert (bayes["statistic"], bayes["p"], bayes["note"]) == (
        "−0.5",
        "",
        "P(vit better) 0.1, P(cnn better) 0.2",
    )
    assert bayes["of"].endswith("another quantity") and not bayes["muted"]
    assert own["of"] == "accuracy, ignores the groups" and own["muted"] and own["p"] == "0.500"
