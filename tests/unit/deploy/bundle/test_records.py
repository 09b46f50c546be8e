"""The JSON files of a bundle: recipes and views survive, and what a bundle may not say is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headtohead.backbones.features.views import FeatureView
from headtohead.deploy.bundle.records import (
    BundleConfig,
    CombinationSpec,
    InputSpec,
    MemberSpec,
    RecipeSpec,
    VennAbersSteps,
)
from headtohead.preprocess.recipe import RECIPES

CONFIG = {
    "name": "m", "contender": "a", "classes": ["no", "yes"], "positive": "yes", "bodies": [],
    "members": [], "combination": {"member": 0},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_comes_back_with_its_parameters(name: str) -> None:
    recipe = RECIPES[name]
    stored = RecipeSpec.model_validate_json(RecipeSpec.of(recipe).model_dump_json())
    assert stored.recipe() == recipe
    assert str(stored.recipe()) == str(recipe)


@pytest.mark.parametrize(
    "view",
    [
        FeatureView(),
        FeatureView(layers=True),
        FeatureView(flip=True),
        FeatureView(layers=True, flip=True),
        FeatureView(symmetry=True),
    ],
)
def test_every_view_is_the_one_that_its_name_says(view: FeatureView) -> None:
    assert MemberSpec(head="linear", bodies=(0,), inputs=(0,), view=str(view)).feature_view == view


def test_a_bundle_that_claims_more_than_research_is_not_read() -> None:
    assert BundleConfig.model_validate(CONFIG).research_use_only
    with pytest.raises(ValidationError, match="research_use_only"):
        BundleConfig.model_validate({**CONFIG, "research_use_only": False})


def test_combinations_nest() -> None:
    inner = CombinationSpec(
        parts=(CombinationSpec(member=0), CombinationSpec(member=1)), weights=(0.25, 0.75)
    )
    outer = CombinationSpec(
        parts=(inner, CombinationSpec(member=2)), coefficients=((1.0, 2.0),), intercept=(0.5,)
    )
    assert CombinationSpec.model_validate_json(outer.model_dump_json()) == outer


@pytest.mark.parametrize(
    "change", [{"input_size": 0}, {"aspect": "crop"}, {"interpolation": "nearest"}, {"mean": [0.5, 0.5]}]
)
def test_inputs_that_cannot_be_made_are_refused(change: dict[str, object]) -> None:
    good = {"input_size": 8, "mean": [0.5] * 3, "std": [0.5] * 3}
    assert InputSpec.model_validate(good).aspect == "squash"
    with pytest.raises(ValidationError, match=next(iter(change))):
        InputSpec.model_validate({**good, **change})


def test_steps_survive_to_the_last_digit() -> None:
    steps = VennAbersSteps(levels=(0.1, 1 / 3), low=(0.0, 0.1 + 0.2), high=(5e-324, 1.0))
    assert VennAbersSteps.model_validate_json(steps.model_dump_json()) == steps
