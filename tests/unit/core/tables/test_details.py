"""Details of a verdict: the JSON of earlier versions is read and written unchanged."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.stats.builders import frame_of, judge_frame

from headtohead.core.records import Verdict
from headtohead.core.tables.details import ComparisonDetails, VerdictDetails

KEYS = [
    "classes", "positive", "size", "confusion", "roc", "precision_recall", "calibration", "recalibration",
    "operating_points",
    "decision_curves", "conformal", "risk_coverage", "subgroups", "ranks", "critical_difference", "variance",
    "per_repeat", "per_fold", "intervals", "notes", "best",
    "differences",
]  # fmt: skip


def verdict_json() -> dict[str, Any]:
    label = np.arange(80) % 2
    verdict = judge_frame(frame_of({"a": 2.0, "b": 1.0, "c": 1.5}, label, np.arange(80) // 2))
    content: dict[str, Any] = json.loads(verdict.model_dump_json())
    return content


def test_keys_and_values_survive_a_round_trip() -> None:
    content = verdict_json()
    assert list(content["details"]) == KEYS, "keys that a study adds (gains, budget) are absent, not null"
    assert Verdict.model_validate(content).model_dump(mode="json") == content
    assert all(len(row) == 4 for rows in content["details"]["per_fold"].values() for row in rows)


def test_what_is_not_defined_is_an_empty_object_as_before() -> None:
    details = VerdictDetails.model_validate({"decision_curves": {}})
    assert details.decision_curves is None
    assert details.model_dump(mode="json")["decision_curves"] == {}
    comparison = ComparisonDetails.model_validate({"power": {}})
    assert comparison.power is None and comparison.model_dump(mode="json")["power"] == {}


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(ValidationError, match="gain"):
        VerdictDetails.model_validate({"gain": []})
