"""The model card: its metadata, which licence and which base models it names, and its table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.planting.reported import score, verdict

from headtohead.core.records import Score
from headtohead.report.model_card import card_metadata, model_card

VIEW: dict[str, Any] = {
    "title": "scans (run)", "positive": "yes", "level": "95 %", "answer": {"heading": "H.", "numbers": "N."},
    "methods": {"paragraph": "P."}, "limits": ["L."],
}  # fmt: skip


def metadata(*scores: Score, **records: dict[str, Any]) -> dict[str, Any]:
    made = verdict().model_copy(update={"scores": scores})
    return card_metadata(VIEW, made, {name: {"licence": "MIT", **one} for name, one in records.items()})


@pytest.mark.parametrize(
    ("licences", "named"),
    [
        (["Apache-2.0", "Apache-2.0"], ("apache-2.0", None)), (["MIT"], ("other", "MIT")),
        (["MIT", "Apache-2.0", "MIT"], ("other", "Apache-2.0; MIT")), ([], ("other", "unknown")),
    ],
)  # fmt: skip
def test_the_licence_is_apache_only_where_all_weights_are(
    licences: list[str], named: tuple[str, str | None]
) -> None:
    found = metadata(**{f"n{i}": {"licence": one} for i, one in enumerate(licences)})
    assert (found["license"], found.get("license_name")) == named


def test_base_models_are_those_that_the_hub_has() -> None:
    found = metadata(
        a={"source": "transformers", "model_id": "google/vit"}, b={"source": "timm", "model_id": "resnet"},
        c={"source": "wheel", "model_id": "lite0"}, d={"source": "timm", "model_id": ""}, e={"source": "timm"},
        f={"source": "timm", "model_id": "resnet"},
    )  # fmt: skip
    assert found["base_model"] == ["google/vit", "timm/resnet"]
    assert "base_model" not in metadata(c={"source": "wheel", "model_id": "lite0"})


def test_results_are_of_contenders_with_scores_of_metrics_that_the_hub_knows() -> None:
    found = metadata(
        score("vit", "auroc", 0.81236), score("vit", "brier", 0.2), score("cnn", "accuracy", None),
        score("majority", "auroc", 0.5), score("file-facts", "auroc", 0.8), score("vit", "specificity", 0.7),
    )  # fmt: skip
    assert found["metrics"] == ["accuracy", "roc_auc", "specificity"]
    (entry,) = found["model-index"]
    assert entry["name"] == "vit"
    (result,) = entry["results"]
    assert [(one["type"], one["value"]) for one in result["metrics"]] == [
        ("roc_auc", 0.8124),
        ("specificity", 0.7),
    ]
    assert result["metrics"][0]["args"] == {
        "level": 0.95, "low": pytest.approx(0.71236), "high": pytest.approx(0.86236), "groups": 30,
    }  # fmt: skip
    assert result["dataset"] == {
        "type": "private",
        "name": "scans (run)",
        "split": "grouped cross-validation",
    }


def test_the_card_has_a_row_for_each_contender_and_its_limits() -> None:
    made = verdict().model_copy(
        update={
            "scores": (score("a|b"), score("vit", "recall"), score("vit", "accuracy", None)),
            "caveats": ("C.",),
        }
    )
    card = model_card(VIEW, made, {})
    _, head, text = card.split("---\n", 2)
    assert json.loads(head)["pipeline_tag"] == "image-classification"
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert (
        rows[0] == "| contender | auroc | accuracy | sensitivity | specificity |"
        and rows[1] == "|---" * 5 + "|"
    )
    assert rows[2:] == [
        "| a\\|b | 0.812 [0.712, 0.862] |  |  |  |",
        "| vit |  | not defined (one class only) |  |  |",
    ]
    assert "Intervals: 95 %, over groups. Positive class: yes." in text and text.endswith("- C.\n- L.\n")
    assert "Positive class" not in model_card({**VIEW, "positive": None}, made, {})
