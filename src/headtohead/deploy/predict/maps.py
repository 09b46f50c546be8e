"""Exact maps of a deployed model: where one linear head found its evidence in an image."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.bundle.records import BundleConfig
from headtohead.deploy.predict.prepare import PreparedImage
from headtohead.deploy.predict.stream import FilePredictor, list_files, prepare_file
from headtohead.preprocess.recipe import Recipe

if TYPE_CHECKING:
    from headtohead.explain.image_map import ImageMap

__all__ = ["MapSource", "explain_prepared", "map_problem", "require_maps", "write_maps"]


class MapSource(FilePredictor, Protocol):
    """What prepares files and explains them: `DeployedModel`."""

    def require_maps(self) -> None:
        """Refuse to explain before any image is read."""

    def explain_prepared(self, item: PreparedImage) -> ImageMap:
        """Return where the model found its evidence in one prepared image."""


def map_problem(config: BundleConfig) -> str:
    """Return why a model has no exact maps, or "" where its score is a sum over places of the image."""
    member = config.members[0]
    if len(config.members) > 1 or member.head != "linear":
        return "it has more than one linear head"
    if member.flip_test:
        return "its probabilities are averaged over the flipped image"
    kinds = {config.bodies[body].kind for body in member.bodies}
    if member.feature_view.symmetry or kinds != {"backbone"}:
        return "its features are no sum over places"
    return ""


def require_maps(config: BundleConfig) -> None:
    """Refuse a model without exact maps.

    Raises:
        UsageError: with the reason.
    """
    problem = map_problem(config)
    if problem:
        raise UsageError(
            f"{config.name} has no exact maps: {problem}. `headtohead explain RUN` shows the contenders of its run."
        )


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

    require_maps(config)
    member = config.members[0]
    specs = [config.bodies[body] for body in member.bodies]
    model = LinearModel(
        tuple(network.bodies[body] for body in member.bodies),
        tuple(spec.records[0] for spec in specs),
        recipe,
        member.feature_view,
    )
    (found,) = explain_images(model, [item.prepared], [[LinearHead.from_classifier(network.heads[0])]])
    if len(config.classes) == 2:
        found = weighted_attribution([found], [1 / temperature])
    return ImageMap(item.name, config.contender, EXACT, config.classes, found, item.box, item.image.size)


def write_maps(
    model: MapSource,
    files: Iterable[str | os.PathLike[str]],
    folder: Path,
    progress: Reporter = QUIET,
) -> Path:
    """Write the map of each readable image as `headtohead explain` does (.npy and .png), and return `index.csv`.

    Files that cannot be read have no map; their prediction says why.

    Args:
        files: paths of files, folders or archives.
        folder: of the maps.

    Raises:
        UsageError: the model has no exact maps, or was exported.
    """
    from headtohead.explain.overlay import color_limit
    from headtohead.explain.run.files import write_index, write_map

    model.require_maps()
    requests, maps = [], []
    for request in progress.progress(list_files(files), "explaining"):
        item = prepare_file(model, request)
        if isinstance(item, PreparedImage):
            requests.append(request)
            maps.append(model.explain_prepared(item))
    limit, rows = color_limit(maps), []
    # The images are decoded again: only when all maps are known is their common colour scale known too.
    for request, found in zip(progress.progress(requests, "drawing maps", len(requests)), maps, strict=True):
        item = prepare_file(model, request)
        assert isinstance(item, PreparedImage)
        path = write_map(folder, found, item.image, limit)
        rows.append((found.sample, found.sample, found.contender, found.method,
                     path.relative_to(folder).as_posix(), found.sanity))  # fmt: skip
    return write_index(folder, rows)
