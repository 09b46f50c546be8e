"""The model card says what the bundle holds: scores, calibration, thresholds, guard, caveats and sources."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.backbones.catalog import resolve
from headtohead.core.records import Score
from headtohead.deploy.bundle.card import model_card
from headtohead.deploy.bundle.records import (
    BodySpec,
    BundleCalibration,
    BundleConfig,
    BundleEstimate,
    CombinationSpec,
    GuardReference,
    InputSpec,
    MemberSpec,
    NamedThreshold,
    PreprocessorConfig,
    RecipeSpec,
)
from headtohead.preprocess.recipe import get_recipe

WEIGHTS = {"source": "the wheel", "licence": "MIT", "sha256": "0123456789abcdef" * 4}


def body(name: str = "efficientnet-lite0") -> BodySpec:
    return BodySpec(records=(resolve(name),), settings=({},), weights=(WEIGHTS,))


CONFIG = BundleConfig(
    name="brain",
    contender="efficientnet-lite0",
    classes=("no", "yes"),
    positive="yes",
    thresholds=(
        NamedThreshold(name="balanced", value=0.4712345, chosen_for="Youden's J", chosen_on="folds"),
    ),
    bodies=(body(),),
    members=(MemberSpec(head="linear", bodies=(0,), inputs=(0,)),),
    combination=CombinationSpec(member=0),
)
INPUT = InputSpec(input_size=224, mean=(0.5,) * 3, std=(0.5,) * 3)
PREPROCESSING = PreprocessorConfig(recipes=(RecipeSpec.of(get_recipe("foreground")),), inputs=(INPUT,))
CALIBRATION = BundleCalibration(
    temperature=1.2345,
    quantiles={"no": 0.5, "yes": 0.5},
    learnt_from="out-of-fold lines",
    n_lines=253,
    n_groups=199,
)
REFERENCE = GuardReference(
    sha256=("a", "b", "c"), false_alarms={"colour": 0.0, "far": 0.0213}, off={"print": "no copies"}
)
AUROC = Score(
    contender="m", metric="auroc", value=0.9314, low=0.88, high=0.97, n_samples=253, n_groups=199, method="x"
)
ESTIMATE = BundleEstimate(
    scores=(AUROC, AUROC.model_copy(update={"metric": "brier", "value": None, "low": None, "note": "n"})),
    n_samples=253,
    n_groups=199,
    sentence="No evidence of a difference.",
    caveats=("Small.",),
    audit=("Confounded.",),
    fidelity=("Other seeds.",),
)


def card(**parts: Any) -> str:
    given = {
        "config": CONFIG, "preprocessing": PREPROCESSING, "calibration": CALIBRATION, "reference": REFERENCE,
        "estimate": ESTIMATE,
    }  # fmt: skip
    return model_card(**{**given, **parts})


def test_each_part_is_there_in_order() -> None:
    text = card()
    assert text.startswith("# brain\n\n**Research use only; not a medical device.** ")
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    names = ("Model", "Cross-validated scores", "Answers", "Guard", "Caveats", "Pretrained weights", "Use")
    assert heads == [f"## {name}" for name in names]
    assert "\n\n\n" not in text


def test_what_the_model_is() -> None:
    text = card()
    assert (
        "- contender: `efficientnet-lite0`\n- classes: no, yes (positive: yes)\n- trained on 3 images\n"
        in text
    )
    assert "- input: 224 x 224 pixels" in text
    assert "(positive:" not in card(
        config=CONFIG.model_copy(update={"classes": ("a", "b", "c"), "positive": None})
    )


def test_scores_have_their_interval_and_undefined_ones_say_so() -> None:
    text = card()
    assert "| AUROC | 0.931 | 0.880 to 0.970 |" in text
    assert "| not defined |  |" in text
    assert "253 images in 199 groups" in text and "No evidence of a difference." in text


def test_a_refused_verdict_is_told_first_and_only_where_there_is_one() -> None:
    text = card(config=CONFIG.model_copy(update={"refused": "the split leaks"}))
    assert "refused a verdict on it: the split leaks" in text
    assert text.index("## The verdict was refused") < text.index("## Model")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "calibrated with the temperature 1.234, fitted on out-of-fold lines (253 lines, 199 groups)"),
        ({"method": "venn-abers"}, "calibrated by an inductive Venn-Abers predictor"),
        ({"alpha": 0.05}, "leaves the true class out for about 5% of new images"),
        ({"quantiles": None, "refused": "too few groups"}, "No conformal sets: too few groups"),
    ],
)
def test_how_it_answers(changes: dict[str, object], said: str) -> None:
    assert said in card(calibration=CALIBRATION.model_copy(update=changes))


def test_thresholds_are_a_table_where_there_are_some() -> None:
    assert "| balanced | 0.4712 | Youden's J |" in card()
    assert "| threshold |" not in card(config=CONFIG.model_copy(update={"thresholds": ()}))


def test_the_guard_tells_its_false_alarms_and_what_is_off() -> None:
    text = card()
    assert "- colour: flags 0.0% of the training images\n- far: flags 2.1% of the training images\n" in text
    assert "- print: off (no copies)" in text


def test_caveats_of_all_kinds_are_listed() -> None:
    assert "## Caveats\n\n- Small.\n- Other seeds.\n- Confounded.\n" in card()


def test_weights_are_named_once_each() -> None:
    row = "| efficientnet-lite0 | the wheel | MIT | `0123456789abcdef` |"
    assert card(config=CONFIG.model_copy(update={"bodies": (body(), body())})).count(row) == 1
    both = card(config=CONFIG.model_copy(update={"bodies": (body(), body("dinov2-small"))}))
    assert row in both and "| dinov2-small | the wheel |" in both
