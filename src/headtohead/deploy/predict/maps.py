"""Maps of a deployed model: exact contributions where its score is a sum over places, occlusion elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.bundle.records import BundleCalibration, BundleConfig, CombinationSpec
from headtohead.deploy.predict.calibrated import calibrated
from headtohead.deploy.predict.prepare import PreparedImage, Preprocessor
from headtohead.deploy.predict.stream import FilePredictor, list_files, prepare_file
from headtohead.preprocess.recipe import Prepared

if TYPE_CHECKING:
    from headtohead.deploy.runtimes.choice import NetworkRuntime
    from headtohead.explain.attribution import Attribution
    from headtohead.explain.image_map import ImageMap

__all__ = ["MapMaker", "MapSource", "map_problem", "write_maps"]

OCCLUSION = "occlusion"
# 10 x 10 places take 121 passes, a second or two on two cores; the 14 x 14 of `headtohead explain` take 225.
CELLS = 10
BATCH = 16
BEFORE_CALIBRATION = "Log-odds before Venn-Abers calibration, which is no multiple of them."


class MapSource(FilePredictor, Protocol):
    """What prepares files and explains them: `DeployedModel`."""

    def explain_prepared(self, item: PreparedImage) -> ImageMap:
        """Return where the model found its evidence in one prepared image."""


def map_problem(config: BundleConfig) -> str:
    """Return why a model has no exact maps, or "" where its score is a sum over places of the image."""
    for member in config.members:
        if member.head != "linear":
            return "a head of it is not linear"
        kinds = {config.bodies[body].kind for body in member.bodies}
        if member.feature_view.symmetry or kinds != {"backbone"}:
            return "its features are no sum over places"
    if len(config.classes) > 2 and _is_stacked(config.combination):
        return "its stacking of more than two classes is no sum of log-odds"
    return ""


def _is_stacked(spec: CombinationSpec) -> bool:
    return bool(spec.coefficients) or any(_is_stacked(part) for part in spec.parts)


@dataclass(frozen=True)
class MapMaker:
    """Makes the maps of one model.

    Attributes:
        config, calibration: of the bundle. preprocessor: prepares images.
        runtime: gives the logits of prepared inputs.
        network: the torch network of the bundle, for exact maps; None: occlusion.
    """

    config: BundleConfig
    calibration: BundleCalibration
    preprocessor: Preprocessor
    runtime: NetworkRuntime
    network: Any = None

    def map_of(self, item: PreparedImage) -> ImageMap:
        """Return the map of one prepared image, of two classes for the positive one, else for the most probable."""
        from headtohead.explain.image_map import EXACT, ImageMap

        prob = calibrated(self.runtime.forward(*(one[None] for one in item.inputs)), self.calibration)[0]
        target = 1 if len(prob) == 2 else int(prob.argmax())
        exact = self.network is not None and not map_problem(self.config)
        found = self._exact(item, target) if exact else self._by_occlusion(item, target)
        return ImageMap(
            item.name, self.config.contender, EXACT if exact else OCCLUSION, self.config.classes, found, item.box,
            item.image.size,
        )  # fmt: skip

    def _exact(self, item: PreparedImage, target: int) -> Attribution:
        """Return the contributions, of two classes to the calibrated log-odds."""
        from headtohead.explain.attribution import weighted_attribution

        members = [self._member(number, item.prepared, target) for number in range(len(self.config.members))]
        found = _combined(self.config.combination, members, target)
        if self.calibration.method == "venn-abers":
            return replace(found, notes=(*found.notes, BEFORE_CALIBRATION))
        if len(self.config.classes) > 2:
            return found
        return weighted_attribution([found], [1 / self.calibration.temperature])

    def _member(self, number: int, image: Prepared, target: int) -> Attribution:
        """Return the contributions to the log-odds of one member."""
        from headtohead.explain.attribution import of_mean_probability
        from headtohead.explain.linear_head import LinearHead
        from headtohead.explain.linear_model import LinearModel, explain_images

        member, network = self.config.members[number], self.network
        model = LinearModel(
            tuple(network.bodies[body] for body in member.bodies),
            tuple(self.config.bodies[body].records[0] for body in member.bodies),
            self.preprocessor.config.recipes[0].recipe(),
            member.feature_view,
        )
        heads = [[LinearHead.from_classifier(network.heads[number])]]
        views = explain_images(model, [image], heads, target)
        if member.flip_test:
            mirrored = replace(image, pixels=np.ascontiguousarray(image.pixels[:, ::-1]))
            (found,) = explain_images(model, [mirrored], heads, target)
            views.append(replace(found, grid=found.grid[:, ::-1]))  # back to the image's own left and right
        return of_mean_probability(views)

    def _by_occlusion(self, item: PreparedImage, target: int) -> Attribution:
        """Return the drop of the log-odds where a part of the image is blurred."""
        from headtohead.explain.attribution import Attribution
        from headtohead.explain.methods.perturbation import occlusion

        def score(images: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
            return self._log_odds(images, item, target)

        grid = occlusion(score, item.prepared.pixels, cells=CELLS)
        value = float(score([item.prepared.pixels])[0])
        note = "By occlusion: how far the log-odds fall where a part is blurred; the parts do not sum to the score."
        later = (BEFORE_CALIBRATION,) if self.calibration.method == "venn-abers" else ()
        return Attribution(grid, target, value, notes=(note, *later))

    def _log_odds(
        self, images: Sequence[npt.NDArray[np.float32]], item: PreparedImage, target: int
    ) -> npt.NDArray[np.float64]:
        parts = []
        for start in range(0, len(images), BATCH):
            shown = [replace(item.prepared, pixels=pixels) for pixels in images[start : start + BATCH]]
            inputs = [self.preprocessor.inputs_of([one]) for one in shown]
            batch = (np.stack(part) for part in zip(*inputs, strict=True))
            parts.append(self.runtime.forward(*batch).astype(np.float64) / self.calibration.temperature)
        # From the logits, since a probability near 0 or 1 has no digits left that could fall.
        logits = np.concatenate(parts)
        others = np.logaddexp.reduce(np.delete(logits, target, axis=1), axis=1)
        return np.asarray(logits[:, target] - others)


def _combined(spec: CombinationSpec, members: Sequence[Attribution], target: int) -> Attribution:
    """Return the contributions to the log-odds of a combination of members.

    A mean of probabilities is no mean of log-odds; the difference has no place and is reported separately.
    """
    from headtohead.explain.attribution import log_odds, weighted_attribution

    if spec.member is not None:
        return members[spec.member]
    parts = [_combined(part, members, target) for part in spec.parts]
    if spec.coefficients:
        found = weighted_attribution(parts, spec.coefficients[0])  # only two classes get here (`map_problem`)
        intercept = spec.intercept[0] if target == 1 else -spec.intercept[0]
        offset = None if found.offset is None else found.offset + intercept
        return replace(found, log_odds=found.log_odds + intercept, offset=offset)
    found = weighted_attribution(parts, spec.weights)
    prob = 1 / (1 + np.exp(-np.array([part.log_odds for part in parts])))
    final = float(log_odds(float(np.dot(spec.weights, prob))))
    return replace(found, log_odds=final).with_parts(mean_of_probabilities=final - found.log_odds)


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
    """
    from headtohead.explain.overlay import color_limit
    from headtohead.explain.run.files import write_index, write_map

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
