"""Tables on training and limitations."""

from __future__ import annotations

from tests.planting.reported import comparison, learning

from headtohead.core.tables.details import ComparisonDetails
from headtohead.report.tables.comparison import adjusted_tests, learning_rows, limits


def test_learning_rows_give_mean_and_range_and_a_dash_for_nothing() -> None:
    (row,) = learning_rows(learning(["vit-b16"]), ["vit-b16"])
    assert row["cells"] == ["0.950 (0.900 to 1.000)", "–", "0.750 (0.700 to 0.800)", "0.200 (0.200 to 0.200)", "–", "0.600 (0.600 to 0.600)"]  # fmt: skip  # noqa: E501


def test_limits_name_what_this_run_did() -> None:
    plain = " ".join(limits({}, {"n_groups": 900}, ["vit-b16"]))
    all_of_it = " ".join(
        limits({"allow_leaks": True}, {"n_groups": 30}, ["scratch:vit", "vit-b16", "file-facts"])
    )
    for word in ("random weights", "30 groups", "split leaks", "file-facts baseline"):
        assert word in all_of_it and word not in plain


def test_what_the_rule_looks_at_stands_among_the_tests() -> None:
    details = ComparisonDetails(p_holm=0.21, rope=0.02, equivalence_interval=(-0.03, 0.04))
    tests = dict(adjusted_tests(comparison("a", "b").model_copy(update={"details": details})))
    assert tests["interval, adjusted"]["p"] == "0.210"
    assert (
        tests["equivalence"]["note"] == "90 % interval −0.030 to +0.040; equivalent if it lies within ±0.02"
    )
    assert adjusted_tests(comparison("a", "b")) == []
