"""What a number of groups can show: bounds, and figures worked out from the published formulas."""

from __future__ import annotations

import math

import pytest
from tests.planting.summaries import context_of, record, records

from headtohead.audit.checks import sample_size as size
from headtohead.audit.context import AuditContext
from headtohead.core.records import Sample


def two(no: int, yes: int) -> AuditContext:
    return context_of([*records(no), *records(yes, "yes")])


@pytest.mark.parametrize(
    ("yes", "outcome", "severity"),
    [(25, "passed", None), (24, "issue", None), (5, "issue", None), (4, "issue", "severe")],
)
def test_five_groups_of_each_class_in_each_of_five_folds(
    yes: int, outcome: str, severity: str | None
) -> None:
    found = size.enough_for_folds(two(40, yes))
    assert (found.outcome, found.severity) == (outcome, severity)
    assert found.data == {"groups": {"no": 40, "yes": yes}, "needed": 25}


def test_groups_count_and_not_images() -> None:
    samples = [s.model_copy(update={"group": f"p{i // 4}"}) for i, s in enumerate(records(100))]
    found = size.enough_for_folds(context_of([*samples, *records(25, "yes")]))
    assert found.data["groups"] == {"no": 25, "yes": 25} and found.outcome == "passed"


def half_width_of_wilson(p: float, n: int) -> float:
    z = 1.959963984540054
    return z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))


def error_of_hanley(area: float, m: int, n: int) -> float:
    """Return the standard error of Hanley and McNeil (1982), formula 1."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    return math.sqrt((area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (m * n))


@pytest.mark.parametrize(("no", "yes"), [(30, 10), (100, 100), (60, 9), (12, 80)])
def test_expected_widths_are_those_of_wilson_and_of_hanley_and_mcneil(no: int, yes: int) -> None:
    found = size.enough_for_intervals(two(no, yes))
    few, many = min(no, yes), max(no, yes)
    assert found.data["accuracy"] == pytest.approx(half_width_of_wilson(0.9, no + yes), abs=5e-5)
    assert found.data["auroc"] == pytest.approx(1.959964 * error_of_hanley(0.9, few, many), abs=5e-5)
    wide = max(found.data["accuracy"], found.data["auroc"]) > 0.10
    assert found.outcome == ("issue" if wide else "passed")
    assert f"with {no + yes} groups" in found.message


def test_patients_with_both_classes_leave_no_group_for_the_others() -> None:
    samples = [record(f"{c}{i}", c, group=f"p{i}") for i in range(20) for c in ("no", "yes")]
    found = size.enough_for_intervals(context_of(samples))
    assert found.data["n_groups"] == 20 and found.data["auroc"] > 0


@pytest.mark.parametrize("look", [size.enough_for_intervals, size.smallest_difference])
def test_an_empty_class_is_no_question(look: object) -> None:
    empty = context_of(records(30), classes=("no", "yes"))
    assert callable(look) and look(empty).outcome == "not_applicable"
    assert look(context_of(records(30))).outcome == "not_applicable"


@pytest.mark.parametrize(("yes", "outcome"), [(100, "passed"), (99, "issue")])
def test_calibration_takes_a_hundred_of_each(yes: int, outcome: str) -> None:
    assert size.enough_for_calibration(two(120, yes)).outcome == outcome


@pytest.mark.parametrize(
    ("yes", "outcome", "advice"),
    [
        (119, "passed", ""),  # a fifth of four fifths: 19
        (118, "issue", "Ask for 90 % at most."),
        (57, "issue", "Ask for 90 % at most."),  # 9
        (56, "issue", "Do not ask for prediction sets by class on this data."),
        (700, "passed", ""),
    ],
)
def test_prediction_sets_need_groups_in_an_inner_fold(yes: int, outcome: str, advice: str) -> None:
    found = size.enough_for_conformal(two(800, yes))
    assert (found.outcome, found.advice) == (outcome, advice)
    assert found.data["held_out"]["yes"] == yes * 4 // 25
    assert found.data["needed"] == {"0.9": 9, "0.95": 19, "0.99": 99}


def test_more_groups_show_smaller_differences() -> None:
    small, large = (size.smallest_difference(two(n, n)) for n in (50, 200))
    for areas in ("0.8", "0.9", "0.95"):
        assert large.data["auroc"][areas] < small.data["auroc"][areas]
    assert [n for n, _ in small.data["curve"]] == [50, 100, 200, 400, 800, 1600, 3200]
    values = [gap for _, gap in small.data["curve"]]
    assert values == sorted(values, reverse=True)
    # the set itself lies on its curve: 100 groups, half of them of each class
    assert dict(small.data["curve"])[100] == small.data["auroc"]["0.9"]
    assert small.outcome == "issue"


def test_a_set_that_shows_two_points_of_auroc_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    for gap, outcome in ((0.02, "passed"), (0.0201, "issue")):
        monkeypatch.setattr(size, "smallest_auroc_difference", lambda *_, known=gap: known)
        assert size.smallest_difference(two(10, 10)).outcome == outcome


# ---- a few large groups -------------------------------------------------------------------------------------


def of_sizes(*sizes: int) -> list[Sample]:
    return [
        record(f"{name}-{i}", group=f"g{name:02d}" if n > 1 else f"{name}-{i}")
        for name, n in enumerate(sizes)
        for i in range(n)
    ]


def test_kishs_number_of_groups() -> None:
    found = size.effective_groups(context_of(of_sizes(6, 2, 1, 1)))
    assert found.data["effective"] == round(100 / (36 + 4 + 1 + 1), 1) == 2.4
    assert found.data["largest_share"] == 0.6 and found.data["n_groups"] == 4
    assert found.samples == tuple(f"0-{i}" for i in range(6))
    assert "the largest, 'g00', holds 60 % of the samples" in found.message


@pytest.mark.parametrize(
    ("sizes", "outcome"),
    [
        ((1,) * 50, "passed"),
        ((10, *(1,) * 90), "passed"),  # a tenth: 100 of 100²/190 = 52.6 effective groups, over half of 91
        ((11, *(1,) * 89), "issue"),  # more than a tenth
        ((2,) * 3, "passed"),  # each holds a third, as few groups must
        ((9, *(3,) * 2), "passed"),  # 3/5 is below twice an even share of 1/3
        ((5, 1, 1), "issue"),
    ],
)
def test_one_group_dominates_where_it_holds_twice_its_share(sizes: tuple[int, ...], outcome: str) -> None:
    assert size.effective_groups(context_of(of_sizes(*sizes))).outcome == outcome


def test_at_most_fifty_samples_of_the_largest_are_named() -> None:
    assert len(size.effective_groups(context_of(of_sizes(60, 1, 1))).samples) == 50
