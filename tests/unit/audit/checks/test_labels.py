"""Labels: balance, contradictions, likely errors and sources, against figures worked out in another way."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from tests.planting.summaries import context_of, record, records

from headtohead.audit.checks import labels
from headtohead.audit.checks.labels import confident_errors, cramers_v, find_label_errors
from headtohead.audit.context import AuditConfig
from headtohead.audit.duplicates.records import DuplicatePair, Grouping


@pytest.mark.parametrize(("small", "outcome"), [(5, "issue"), (6, "passed")])
def test_four_to_one_is_out_of_balance(small: int, outcome: str) -> None:
    samples = [*records(20), *records(small, "yes")]
    found = labels.class_balance(context_of(samples))
    assert found.outcome == outcome
    assert found.data["table"] == {"no": 20, "yes": small}
    if outcome == "issue":
        assert found.data["ratio"] == 4.0 and "4.0 times as many" in found.message
        assert found.message.endswith("always saying it is right in 80 %")
    else:
        assert found.message.endswith("right in 77 %")


def test_a_class_without_samples_is_out_of_balance_and_one_class_is_no_question() -> None:
    empty = labels.class_balance(context_of(records(4), classes=("no", "yes")))
    assert empty.outcome == "issue" and empty.data["ratio"] == 4.0
    assert labels.class_balance(context_of(records(4))).outcome == "not_applicable"


# ---- likely errors ------------------------------------------------------------------------------------------


def test_the_columns_must_be_the_classes() -> None:
    samples = [*records(4), *records(4, "yes")]
    rows = np.full((8, 3), 1 / 3)
    found = labels.label_errors(context_of(samples, settings=AuditConfig(probabilities=rows)))
    assert found.outcome == "skipped" and found.message == "got 3 columns of probabilities for 2 classes"
    assert labels.label_errors(context_of(samples)).outcome == "skipped"


@pytest.fixture(autouse=True)
def without_cleanlab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing it takes seconds; that both methods agree is tested in `test_audit_statistics.py`."""
    usual = builtins.__import__

    def imported(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("cleanlab"):
            raise ImportError(name)
        return usual(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", imported)


def ranked(rows: Any, given_labels: list[int], groups: str) -> Any:
    ids = np.array([f"i{n}" for n in range(len(given_labels))], dtype=object)
    return find_label_errors(
        ids, np.array(rows), np.array(given_labels), np.array(list(groups), dtype=object)
    )


FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
ROWS = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.95, 0.05], [0.15, 0.85]]


def test_errors_stand_least_self_confident_first_and_copies_count_as_one_group() -> None:
    found = ranked([*ROWS, *ROWS[:4]], [0, 0, 1, 1, 1, 0, 0, 0, 1, 1], "abcdeefghi")
    assert found.samples == ("i4", "i5")
    assert found.data["scores"] == {"i4": 0.05, "i5": 0.15}
    assert found.message.startswith("2 labels (1 groups) are contradicted")


def test_right_labels_pass_and_say_by_which_method() -> None:
    found = ranked(ROWS[:4], [0, 0, 1, 1], "abcd")
    assert found.outcome == "passed" and "confident learning" in found.message


def test_without_cleanlab_the_own_ranking_says_so() -> None:
    found = ranked([*ROWS, *ROWS[:4]], [0, 0, 1, 1, 1, 0, 0, 0, 1, 1], "abcdefghij")
    assert found.data["method"] == "confident learning, own implementation; cleanlab is not installed"


def test_a_class_with_one_scored_sample_is_ranked_by_the_own_method() -> None:
    found = ranked([[0.9, 0.1], [0.8, 0.2], [0.85, 0.15]], [0, 0, 1], "abc")
    assert "a class has fewer than two scored samples" in found.message


def by_the_definition(rows: Any, known: Any) -> list[int]:
    """Return confident learning's off-diagonal samples, written as the paper has it, one sample at a time."""
    k = rows.shape[1]
    mean = {
        j: float(np.mean([row[j] for row, y in zip(rows, known, strict=True) if y == j]))
        for j in range(k)
        if j in known
    }
    found = []
    for i, row in enumerate(rows):
        above = [j for j in mean if row[j] >= mean[j]]
        if above and (best := max(above, key=lambda j: (row[j], -j))) != known[i]:
            found.append((row[known[i]], i, best))
    return [i for _, i, _ in sorted(found)]


@FEW
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(3, 30))
def test_the_own_ranking_is_that_of_the_paper(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rows, known = rng.dirichlet(np.ones(k), n), rng.integers(0, k, n)
    assert confident_errors(rows, known).tolist() == by_the_definition(rows, known)


# ---- conflicts ----------------------------------------------------------------------------------------------


def test_near_copies_under_two_labels_name_both_and_exact_ones_are_left_to_their_own_check() -> None:
    samples = [record("n", "no"), record("y", "yes"), record("m", "no"), record("z", "yes")]
    pairs = (
        DuplicatePair("n", "y", "near", inliers=40),
        DuplicatePair("m", "z", "exact"),
        DuplicatePair("m", "n", "mirrored"),
    )
    grouping = Grouping({s.id: "g" for s in samples}, pairs, (), (), (), {})
    found = labels.conflicting_labels(context_of(samples, grouping=grouping))
    assert found.message == "1 pair shows the same scene under different labels: n (no) / y (yes)"
    assert found.samples == ("n", "y") and found.data["pairs"][0]["inliers"] == 40
    alike = Grouping({s.id: "g" for s in samples}, pairs[1:], (), (), (), {})
    assert labels.conflicting_labels(context_of(samples, grouping=alike)).outcome == "passed"


def test_given_groups_with_two_labels_are_counted_among_all() -> None:
    samples = [
        record("a", "no", group="p1"), record("b", "yes", group="p1"), record("c", "no", group="p2"),
        record("d", "no", group="p2"), record("e", "yes", group="p3"),
    ]  # fmt: skip
    found = labels.mixed_groups(context_of(samples))
    assert found.message == "1 of 3 given groups (patients) have samples of several classes: p1"
    assert found.samples == ("a", "b") and found.data["groups"] == ["p1"]
    assert labels.mixed_groups(context_of(samples[2:])).outcome == "passed"
    assert labels.mixed_groups(context_of([record("a"), record("b", "yes")])).outcome == "not_applicable"


# ---- sources ------------------------------------------------------------------------------------------------


def bergsma(table: Any) -> float:
    """Return the bias-corrected V as Bergsma (2013) defines it, from scipy's chi-squared."""
    n, (r, c) = table.sum(), table.shape
    phi2 = max(0.0, chi2_contingency(table, correction=False)[0] / n - (r - 1) * (c - 1) / (n - 1))
    return float(np.sqrt(phi2 / min(r - (r - 1) ** 2 / (n - 1) - 1, c - (c - 1) ** 2 / (n - 1) - 1)))


@FEW
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 4))
def test_cramers_v_is_bergsmas(seed: int, r: int, c: int) -> None:
    table = np.random.default_rng(seed).integers(1, 30, (r, c))
    assert cramers_v(table) == pytest.approx(min(1.0, bergsma(table)))
    assert cramers_v(table.T) == pytest.approx(cramers_v(table)), "rows and columns may change places"
    wider = np.vstack([table, np.zeros((1, c), int)])
    assert cramers_v(wider) == pytest.approx(cramers_v(table)), "a value that never occurs counts for nothing"


@pytest.mark.parametrize("table", [[[5, 5]], [[5], [5]], [[1, 0], [0, 0]], [[0, 0], [0, 0]]])
def test_cramers_v_of_nothing_is_nought(table: Any) -> None:
    assert cramers_v(np.array(table)) == 0.0


def test_one_sample_of_each_group_speaks_for_a_source() -> None:
    """Forty copies of one JPEG in one class would look like a source; as one group they are one case."""
    plain = [*records(30), *records(30, "yes")]
    copies = [record(f"c{i}", "yes", format="JPEG", group="one") for i in range(40)]
    assert labels.sources(context_of([*plain, *copies])).outcome == "passed"
    alone = [s.model_copy(update={"group": s.id}) for s in copies]
    found = labels.sources(context_of([*plain, *alone]))
    assert found.outcome == "issue" and "format (Cramér's V" in found.message


def test_a_fact_that_tells_the_class_is_severe_and_the_strongest_stands_first() -> None:
    told = [*records(40, format="PNG", mode="L"), *records(40, "yes", format="JPEG", mode="L")]
    mixed = [
        s.model_copy(update={"bit_depth": 16}) if i % 4 == 0 and i < 60 else s for i, s in enumerate(told)
    ]
    found = labels.sources(context_of(mixed))
    assert found.severity == "severe"
    assert found.message.startswith("classes differ in: format (Cramér's V 1.00)")
    assert found.data["facts"]["format"]["table"] == {"JPEG": [0, 40], "PNG": [40, 0]}
    milder = labels.sources(context_of([*told, *(record(f"x{i}", "yes") for i in range(20))]))
    assert milder.outcome == "issue" and milder.severity is None


def test_rare_values_are_put_together() -> None:
    samples = [record(f"n{i}", width=100 + i) for i in range(4)] + [record(f"m{i}", "yes") for i in range(6)]
    table = labels.sources(context_of(samples)).data["facts"]["size"]["table"]
    assert table == {"100 x 100": [1, 6], "other size": [3, 0]}
