"""The records of a verdict's tables write the keys of verdict.json and read back what they wrote."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headtohead.core.records import Score
from headtohead.core.tables.estimate import Estimate, TableRecord
from headtohead.core.tables.probability import (
    ConformalResult,
    OperatingScores,
    RecalibratedScores,
    Recalibration,
)

HALF = Estimate(value=0.5, low=0.4, high=0.6)
SCORE = Score(
    contender="a", metric="brier", value=0.1, low=0.05, high=0.2, n_samples=9, n_groups=9, method="test"
)
RECALIBRATION = Recalibration(
    before=(SCORE,),
    methods={"platt": RecalibratedScores(scores=(SCORE,), log_loss_change=HALF)},
    venn_abers_width=0.1,
    notes=("few",),
)
CONFORMAL = ConformalResult(coverage=HALF, mean_size=HALF, by_class={"ill": HALF, "well": HALF})


@pytest.mark.parametrize("record", [HALF, RECALIBRATION, CONFORMAL, OperatingScores(scores=(SCORE,))])
def test_a_table_reads_back_what_it_wrote(record: TableRecord) -> None:
    assert type(record).model_validate_json(record.model_dump_json()) == record
    assert type(record).model_validate(record.model_dump()) == record


def test_methods_of_recalibration_are_keys_beside_the_others() -> None:
    content = RECALIBRATION.model_dump(mode="json")
    assert list(content) == ["before", "platt", "platt_log_loss_change", "venn_abers_width", "notes"]
    assert content["platt_log_loss_change"] == {"value": 0.5, "low": 0.4, "high": 0.6}


def test_coverage_of_each_class_is_a_key() -> None:
    content = CONFORMAL.model_dump()
    assert set(content) == {"coverage", "mean_size", "coverage_ill", "coverage_well"}


def test_only_fields_that_may_be_absent_are_left_out_where_none() -> None:
    assert ConformalResult(refused="too few").model_dump() == {"refused": "too few"}
    assert list(OperatingScores(scores=()).model_dump()) == ["scores"]
    assert Estimate(value=None, low=None, high=None).model_dump() == {
        "value": None,
        "low": None,
        "high": None,
    }


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="surprise"):
        Estimate.model_validate({"value": 1.0, "low": 1.0, "high": 1.0, "surprise": 1})
