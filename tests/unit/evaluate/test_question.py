"""The question of a verdict: every refusal in its own words, and nothing refused that can be answered."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.core.errors import NoEffectError, UndefinedMetricError, UnknownNameError, UsageError
from headtohead.evaluate.question import VerdictConfig, validate_pair, validate_question, validate_ranks

TWO, THREE = ("no", "yes"), ("high", "low", "mid")
NEUTRAL: dict[str, Any] = {"level": 0.95, "rope": None, "prevalence": None}


def refusal(error: type[Exception], name: str = "auroc", classes: tuple[str, ...] = TWO, **more: Any) -> str:
    with pytest.raises(error) as caught:
        validate_question(name, classes, **(NEUTRAL | more))
    return str(caught.value)


@pytest.mark.parametrize("level", [0.5, 1.0, 0.0, 95.0, float("nan")])
def test_a_level_outside_one_half_to_one_is_refused(level: float) -> None:
    assert (
        refusal(UsageError, level=level)
        == f"Got the level {level}; expected a share between 0.5 and 1, such as 0.95."
    )


@pytest.mark.parametrize("level", [0.501, 0.999])
def test_levels_just_inside_are_answered(level: float) -> None:
    validate_question("auroc", TWO, **(NEUTRAL | {"level": level}))


@pytest.mark.parametrize("rope", [0.0, -0.02, float("nan")])
def test_a_margin_that_holds_nothing_is_refused(rope: float) -> None:
    assert (
        refusal(UsageError, rope=rope) == f"Got --rope {rope}; expected a half-width above 0, such as 0.02."
    )


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, 2.0])
def test_a_prevalence_of_none_or_all_is_refused(prevalence: float) -> None:
    said = refusal(UsageError, prevalence=prevalence)
    assert said == f"Got --prevalence {prevalence}; expected a share between 0 and 1, such as 0.02."


def test_a_prevalence_beyond_two_classes_has_no_effect() -> None:
    assert refusal(NoEffectError, "accuracy", THREE, prevalence=0.1) == (
        "Got --prevalence 0.1 with 3 classes; it is the share of the positive one of two. Leave it out, or merge "
        "classes."
    )
    validate_question("accuracy", TWO, **(NEUTRAL | {"prevalence": 0.1}))


def test_a_metric_of_two_classes_is_not_defined_for_three() -> None:
    assert refusal(UndefinedMetricError, "partial_auroc", THREE).endswith(
        "is defined for two classes; got 3."
    )
    validate_question("partial_auroc", TWO, **NEUTRAL)


def test_the_order_of_the_classes_is_asked_for_and_taken() -> None:
    said = refusal(UsageError, "kappa_linear", THREE)
    assert said.startswith(
        "Got --metric kappa_linear without the order of the classes, which is never guessed."
    )
    assert "--ordered-classes with the classes (high, low, mid) from the least to the most." in said
    validate_question("kappa_linear", THREE, ordered=True, **NEUTRAL)


def test_a_metric_with_an_ideal_names_no_winner() -> None:
    said = refusal(UsageError, "calibration_slope")
    assert said.endswith("has an ideal, not a direction; compare on another metric, such as auroc.")


def test_an_unknown_metric_is_refused_with_its_neighbour() -> None:
    assert "did you mean 'auroc'" in refusal(UnknownNameError, "aurok")


def pair(*primary: str, baselines: tuple[str, ...] = ()) -> None:
    validate_pair(
        VerdictConfig(classes=TWO, primary=primary, baselines=baselines), ("cnn", "vit", "majority")
    )


def test_a_primary_pair_is_two_different_contenders() -> None:
    pair()
    pair("cnn", "vit")
    for wrong in (("cnn",), ("cnn", "cnn"), ("cnn", "vit", "cnn")):
        with pytest.raises(UsageError) as caught:
            pair(*wrong)
        assert (
            str(caught.value) == f"Got --primary {','.join(wrong)}; expected two contenders, such as cnn,vit."
        )
    with pytest.raises(
        UnknownNameError, match=r"Unknown contender for --primary 'vitt'; did you mean 'vit'\?"
    ):
        pair("cnn", "vitt")
    with pytest.raises(
        UsageError, match="Got --primary with majority, which is a control; name two contenders"
    ):
        pair("cnn", "majority", baselines=("majority",))


def test_ranks_answer_ranking_metrics_alone() -> None:
    validate_ranks(VerdictConfig(classes=TWO, metric="auroc", ranks_only=True))
    with pytest.raises(UsageError) as caught:
        validate_ranks(VerdictConfig(classes=TWO, metric="brier", ranks_only=True))
    said = str(caught.value)
    assert said.startswith(
        "Got --metric brier with --score ordinal; Brier score needs probabilities. Expected one of "
    )
    offered = said.removesuffix(".").split("Expected one of ")[1].split(", ")
    assert "auroc" in offered and not {"brier", "accuracy", "log_loss", "ece"} & set(offered)
    for name in offered:
        validate_ranks(VerdictConfig(classes=TWO, metric=name, ranks_only=True))


def test_ranks_cannot_be_brought_to_another_prevalence() -> None:
    with pytest.raises(
        NoEffectError, match=r"Got --prevalence 0\.1 with --score ordinal; only probabilities"
    ):
        validate_ranks(VerdictConfig(classes=TWO, ranks_only=True, prevalence=0.1))
