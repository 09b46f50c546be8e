"""Exact maps of a deployed model: where one linear head found its evidence in one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headtohead.backbones.features.views import FeatureView
from headtohead.core.errors import UsageError
from headtohead.deploy.bundle.records import BundleConfig
from headtohead.deploy.predict.prepare import PreparedImage
from headtohead.preprocess.recipe import Recipe

if TYPE_CHECKING:
    from headtohead.explain.image_map import ImageMap

__all__ = ["explain_prepared"]


def explain_prepared(
    config: BundleConfig, network: Any, recipe: Recipe, item: PreparedImage, temperature: float
) -> ImageMap:
    """Return the exact map of one prepared image, in calibrated log-odds where there are two classes.

    Args:
        network: the torch network of the bundle.

    Raises:
        UsageError: the model's score is no sum over places of one image.
    """
    from headtohead.explain.attribution import weighted_attribution
    from headtohead.explain.image_map import EXACT, ImageMap
    from headtohead.explain.linear_head import LinearHead
    from headtohead.explain.linear_model import LinearModel, explain_images

    member = config.members[0]
    view = FeatureView() if member.view == str(FeatureView()) else FeatureView.parse(f":{member.view}")
    specs = [config.bodies[body] for body in member.bodies]
    problem = ""
    if len(config.members) > 1 or member.head != "linear":
        problem = "it has more than one linear head"
    elif member.flip_test:
        problem = "its probabilities are averaged over the flipped image"
    elif view.symmetry or any(spec.kind != "backbone" for spec in specs):
        problem = "its features are no sum over places"
    if problem:
        raise UsageError(
            f"{config.name} has no exact map: {problem}. `headtohead explain RUN` shows the contenders of its run."
        )
    model = LinearModel(
        tuple(network.bodies[body] for body in member.bodies),
        tuple(spec.records[0] for spec in specs),
        recipe,
        view,
    )
    (found,) = explain_images(model, [item.prepared], [[LinearHead.from_classifier(network.heads[0])]])
    if len(config.classes) == 2:
        found = weighted_attribution([found], [1 / temperature])
    return ImageMap(item.name, config.contender, EXACT, config.classes, found, item.box, item.image.size)
