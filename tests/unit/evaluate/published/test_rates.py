"""AUROC and sensitivity with specificity, from figures alone."""

from __future__ import annotations

import pytest

from headtohead.evaluate.published.rates import ReportedArea, claim_on_areas, claim_on_rates
from headtohead.evaluate.published.records import ReportedCount
from headtohead.stats.intervals.proportions import wilson_interval
from headtohead.stats.intervals.published_auroc import auroc_difference_interval, auroc_interval

count = ReportedCount.exact


def test_an_auroc_gets_its_interval_and_difference() -> None:
    alone = claim_on_areas(ReportedArea(0.95, 20, 80), None)
    assert (alone.a.low, alone.a.high) == pytest.approx(auroc_interval(0.95, 20, 80))
    assert "true values from 0.856 to 0.983" in alone.sentence
    found = claim_on_areas(ReportedArea(0.95, 200, 800), ReportedArea(0.80, 300, 700))
    assert (found.verdict, found.winner) == ("better", "a")
    assert "on other cases, so the cases may explain it" in found.sentence
    back = claim_on_areas(ReportedArea(0.80, 300, 700), ReportedArea(0.95, 200, 800))
    assert back.winner == "b"
    assert back.p_value == pytest.approx(found.p_value)
    assert found.difference is not None
    expected = auroc_difference_interval((0.95, 200, 800), (0.80, 300, 700))
    assert (found.difference.low, found.difference.high) == pytest.approx(expected)


@pytest.mark.parametrize("gap", [i / 400 for i in range(1, 60, 3)])
def test_the_interval_of_two_areas_and_its_p_value_agree(gap: float) -> None:
    found = claim_on_areas(ReportedArea(0.95, 60, 90), ReportedArea(0.95 - gap, 70, 80))
    assert found.difference is not None
    assert found.p_value is not None
    assert (found.difference.low > 0) == (found.p_value <= 0.05) == (found.verdict == "better")


def test_sensitivity_and_specificity_are_judged_each_at_half_the_error() -> None:
    found = claim_on_rates((count(95, 100), count(190, 200)), (count(80, 100), count(150, 200)))
    assert (found.verdict, found.winner) == ("better", "a")
    assert {part.level for part in found.parts} == {0.975}
    assert found.sentence.endswith("at 97.5 %, so that both statements together hold at 95 %.")
    assert (found.parts[0].a.low, found.parts[0].a.high) == pytest.approx(wilson_interval(95, 100, 0.975))
    one = claim_on_rates((count(95, 100), count(160, 200)), (count(80, 100), count(150, 200)))
    assert (one.verdict, one.winner) == ("mixed", None)
    assert "higher in sensitivity alone" in one.sentence
    crossed = claim_on_rates((count(95, 100), count(140, 200)), (count(80, 100), count(190, 200)))
    assert (crossed.verdict, crossed.winner) == ("mixed", None)
    assert "another threshold" in crossed.sentence
    none = claim_on_rates((count(9, 10), count(9, 10)), (count(8, 10), count(8, 10)))
    assert (none.verdict, none.winner) == ("no_evidence", None)


def test_the_rounding_of_an_auroc_is_covered_and_shown() -> None:
    alone = claim_on_areas(ReportedArea(0.95, 20, 80, 0.005), None)
    assert alone.a.value == 0.95
    assert alone.a.low == pytest.approx(auroc_interval(0.945, 20, 80)[0])
    assert alone.a.high == pytest.approx(auroc_interval(0.955, 20, 80)[1])
    assert "may stand for 0.945 to 0.955; all are covered (taken as exact: 0.856 to 0.983)" in alone.sentence
    fine = claim_on_areas(ReportedArea(0.950, 20, 80, 0.0005), None)
    assert "may stand for 0.9495 to 0.9505" in fine.sentence
    assert "rounded" not in claim_on_areas(ReportedArea(0.95, 20, 80), None).sentence


def test_rounding_can_take_a_difference_away_and_the_p_value_follows() -> None:
    exact = claim_on_areas(ReportedArea(0.95, 80, 80), ReportedArea(0.88, 80, 80))
    rounded = claim_on_areas(ReportedArea(0.95, 80, 80, 0.005), ReportedArea(0.88, 80, 80, 0.005))
    assert exact.difference is not None and rounded.difference is not None
    expected = auroc_difference_interval((0.945, 80, 80), (0.885, 80, 80))[0]
    assert rounded.difference.low == pytest.approx(expected)
    assert rounded.p_value is not None and exact.p_value is not None
    assert rounded.p_value > exact.p_value
    assert (exact.verdict, rounded.verdict) == ("better", "no_evidence")
    assert "What the figures were rounded from is covered." in rounded.sentence


def test_sensitivity_and_specificity_alone_keep_the_level() -> None:
    found = claim_on_rates((count(18, 20), count(70, 80)), None)
    assert {part.level for part in found.parts} == {0.95}
    assert "18 of 20 positives recognised" in found.sentence
    assert "70 of 80 negatives recognised" in found.sentence
    assert found.a.value == pytest.approx((0.9 + 0.875) / 2)
    assert found.a.low < found.a.value < found.a.high
