"""Tables of earlier verdicts are read: fields that were dropped are left out, others are refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headtohead.core.tables.comparison import (
    CriticalDifference,
    CurveBand,
    PrecisionRecallCurve,
    RocCurve,
    Subgroup,
    SubgroupDifference,
)
from headtohead.core.tables.details import ComparisonDetails, PowerAnalysis, SeedStability, VerdictDetails
from headtohead.core.tables.estimate import Estimate

HALF = Estimate(value=0.5, low=0.4, high=0.6)


def test_the_p_value_that_earlier_verdicts_gave_is_dropped() -> None:
    found = CriticalDifference.model_validate({"note": "n", "n_folds": 5, "p_value": 0.03})
    assert found.model_dump(exclude_none=True) == {"n_folds": 5, "note": "n"}
    with pytest.raises(ValidationError, match="p_values"):
        CriticalDifference.model_validate({"note": "n", "p_values": 0.03})


def test_sample_sizes_from_the_observed_difference_are_dropped() -> None:
    former = (
        "assumed_difference",
        "groups_needed",
        "more_groups",
        "groups_for_observed_difference",
        "groups_for_width",
    )
    content: dict[str, Any] = {"detectable_difference": 0.1, "power": 0.8, "method": "m"}
    found = PowerAnalysis.model_validate({**content, **dict.fromkeys(former, 9)})
    assert found == PowerAnalysis(**content)
    assert set(found.model_dump()) == {*content, "matters", "fewest_groups", "most_groups"}
    with pytest.raises(ValidationError, match="groups_neded"):
        PowerAnalysis.model_validate({**content, "groups_neded": 3})


@pytest.mark.parametrize("kind", [CriticalDifference, PowerAnalysis, ComparisonDetails])
def test_something_else_than_a_table_is_a_validation_error(kind: Any) -> None:
    for other in ([1], "x", 3):
        with pytest.raises(ValidationError, match="valid dictionary"):
            kind.model_validate(other)


@pytest.mark.parametrize("kind", [RocCurve, PrecisionRecallCurve])
def test_a_curve_without_a_band_has_no_such_key(kind: Any) -> None:
    known: dict[Any, dict[str, Any]] = {
        RocCurve: {"false_positive_rate": (0.0, 1.0), "true_positive_rate": (0.0, 1.0)},
        PrecisionRecallCurve: {"recall": (1.0, 0.0), "precision": (0.5, None), "prevalence": 0.5},
    }
    fields = known[kind]
    assert "band" not in kind(**fields).model_dump(mode="json")
    band = CurveBand(at=(0.0,), low=(0.0,), high=(1.0,))
    with_band = kind(**fields, band=band)
    assert with_band.model_dump(mode="json")["band"] == {"at": [0.0], "low": [0.0], "high": [1.0]}
    assert kind.model_validate_json(with_band.model_dump_json()) == with_band


def test_a_subgroup_says_why_it_has_no_scores() -> None:
    few = Subgroup(n_samples=2, n_groups=1, too_few="one class", contenders={})
    assert list(few.model_dump()) == ["n_samples", "n_groups", "too_few", "contenders"]
    pair = SubgroupDifference(a="a", b="b", difference=HALF, interaction=None)
    full = Subgroup(n_samples=9, n_groups=9, contenders={}, pair=pair)
    assert list(full.model_dump()) == ["n_samples", "n_groups", "contenders", "pair"]
    assert full.model_dump()["pair"]["p_value"] is None and "p_holm" not in full.model_dump()["pair"]
    assert Subgroup.model_validate(full.model_dump()) == full


def test_stability_over_seeds_is_left_out_of_the_json_where_it_was_not_looked_at() -> None:
    assert "seeds" not in ComparisonDetails().model_dump()
    assert ComparisonDetails().model_dump()["p_holm"] is None, "other fields stay, as null"
    with_seeds = ComparisonDetails(seeds=SeedStability(changes=0.1, repeats=None))
    assert with_seeds.model_dump()["seeds"] == {"changes": 0.1, "repeats": None}
    assert ComparisonDetails.model_validate_json(with_seeds.model_dump_json()) == with_seeds


def test_power_and_decision_curves_that_are_there_are_kept() -> None:
    power = PowerAnalysis(detectable_difference=0.1, power=0.8, method="m")
    assert ComparisonDetails(power=power).model_dump()["power"]["detectable_difference"] == 0.1
    curves = {
        "prevalence": 0.3, "prevalence_of_data": 0.5, "thresholds": [0.1], "treat_all": [0.2], "treat_none": [0.0],
        "contenders": {"a": [HALF.model_dump()]},
    }  # fmt: skip
    details = VerdictDetails.model_validate({"decision_curves": curves})
    assert details.decision_curves is not None and details.decision_curves.contenders["a"] == (HALF,)
    assert details.model_dump(mode="json")["decision_curves"] == {**curves, "note": ""}


def test_numbers_that_are_none_leave_as_null_not_as_nan() -> None:
    assert Estimate(value=float("nan"), low=float("-inf"), high=1.0).model_dump_json() == (
        '{"value":null,"low":null,"high":1.0}'
    )
