"""The estimate says where the model differs from those that the run scored."""

from __future__ import annotations

import pytest
from tests.planting.tiny_model import tiny_model

from headtohead.core.config import StudyConfig
from headtohead.deploy.training.estimate import fidelity_of


def words(view: str = "plain", precision: str = "fp32", *, tuned: bool = False) -> str:
    known = tiny_model().config
    settings = StudyConfig.from_settings({"data": "x", "contenders": ("a", "b"), "precision": precision})
    config = known.model_copy(
        update={
            "members": (known.members[0].model_copy(update={"view": view}),),
            "bodies": (known.bodies[0].model_copy(update={"tuned": tuned}),),
        }
    )
    return " ".join(fidelity_of(settings, config))


@pytest.mark.parametrize(
    ("view", "stated"),
    [("plain", False), ("layers", False), ("symmetry", False), ("flip", True), ("layers+flip", True)],
)
def test_a_flipped_view_is_cropped_differently(view: str, stated: bool) -> None:
    assert ("flips the cropped image" in words(view)) is stated


def test_precision_and_training_are_stated_where_they_differ() -> None:
    assert "this one saw all images" in words()
    assert "float32" not in words() and "float32" in words(precision="auto")
    assert "retrained" not in words() and "retrained on all images" in words(tuned=True)
