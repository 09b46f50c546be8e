"""A deployed model: predict files or bytes, explain an image."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError, UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.readers import DEFAULT_LIMITS, Limits
from headtohead.deploy.bundle.records import (
    BundleCalibration,
    BundleConfig,
    BundleEstimate,
    GuardReference,
    PreprocessorConfig,
)
from headtohead.deploy.predict.calibrated import calibrated, conformal_set
from headtohead.deploy.predict.prepare import PreparedImage, Preprocessor
from headtohead.deploy.prediction import RESEARCH_USE, ImagePrediction
from headtohead.deploy.runtimes.choice import NetworkRuntime

if TYPE_CHECKING:
    from torch import nn

    from headtohead.deploy.guard.guard import Guard
    from headtohead.explain.image_map import ImageMap

__all__ = ["BATCH_SIZE", "DeployedModel"]

Floats = npt.NDArray[np.float32]
BATCH_SIZE = 16  # images per pass; larger ones gain nothing on a processor


@dataclass
class DeployedModel:
    """A model ready to predict: network, calibration, thresholds, guard and estimate.

    Attributes:
        config: classes, thresholds and parts. preprocessing: from an image to the network's inputs.
        calibration: temperature or Venn-Abers, and conformal quantiles. estimate_record: cross-validated scores.
        reference: what the training images were like. digest: sha256 over the bundle's checksums.
        load_runtime: makes the model's own runtime when it is first needed. other_runtime: used in its place.
        files: sha256 of each file that it was loaded from, as loaded, by name. path: the bundle's folder, or None.
    """

    config: BundleConfig
    preprocessing: PreprocessorConfig
    calibration: BundleCalibration
    reference: GuardReference
    estimate_record: BundleEstimate
    digest: str
    load_runtime: Callable[[], NetworkRuntime]
    other_runtime: NetworkRuntime | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    limits: Limits = DEFAULT_LIMITS
    strict: bool = False
    guard_tensors: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.config.name

    @property
    def contender(self) -> str:
        """What was trained, as `compare` names it."""
        return self.config.contender

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities; of two the positive one is last."""
        return self.config.classes

    @property
    def positive(self) -> str | None:
        """The class whose probability is compared with the threshold; None beyond two classes."""
        return self.config.positive

    @property
    def estimate(self) -> dict[str, Any]:
        """Cross-validated scores and caveats, JSON-able."""
        return self.estimate_record.model_dump(mode="json")

    @cached_property
    def own_runtime(self) -> NetworkRuntime:
        """The runtime that the bundle or the exported file came with."""
        return self.load_runtime()

    @property
    def runtime(self) -> NetworkRuntime:
        """What runs the network; replace it with `with_runtime`."""
        return self.own_runtime if self.other_runtime is None else self.other_runtime

    @property
    def network(self) -> nn.Module:
        """The torch module behind the model: prepared inputs in, logits out; for exports and maps.

        Raises:
            UsageError: the model was exported, so it has none.
        """
        network: nn.Module | None = getattr(self.own_runtime, "network", None)
        if network is None:
            raise UsageError(
                f"{self.name} was exported and has no torch network; use the bundle that `headtohead train` wrote."
            )
        return network

    def with_runtime(self, runtime: NetworkRuntime) -> DeployedModel:
        """Return the same model on another runtime; maps still come from its own.

        Warns:
            UserWarning: the runtime gives no features, so no image will be flagged as far from training.
        """
        if self.guard.compares_features and not hasattr(runtime, "forward_features"):
            warnings.warn(
                f"The runtime {runtime.name} has no forward_features, so the guard of {self.name} cannot flag images "
                "that are far from training.",
                stacklevel=2,
            )
        return replace(self, load_runtime=lambda: self.own_runtime, other_runtime=runtime)

    @cached_property
    def preprocessor(self) -> Preprocessor:
        """Prepares images."""
        return Preprocessor(self.preprocessing)

    @cached_property
    def guard(self) -> Guard:
        """Flags images that differ from the training images."""
        from headtohead.deploy.guard.guard import Guard

        return Guard(self.reference, self.guard_tensors)

    def threshold(self, wanted: str | float | None = None) -> float | None:
        """Return a threshold by name or as a number; without one the model's own.

        Raises:
            UsageError: beyond two classes, outside [0, 1], or no such name.
        """
        if self.positive is None:
            if wanted is not None:
                raise UsageError(f"{self.name} has {len(self.classes)} classes; a threshold is for two.")
            return None
        if wanted is None:
            wanted = self.config.default_threshold or 0.5
        known = {threshold.name: threshold.value for threshold in self.config.thresholds}
        if isinstance(wanted, str) and wanted in known:
            return known[wanted]
        try:
            value = float(wanted)
        except ValueError:
            raise unknown_name("threshold", str(wanted), known) from None
        if not 0 <= value <= 1:
            raise UsageError(f"Got a threshold of {value:g}; expected a probability from 0 to 1.")
        return value

    def prepare_bytes(self, name: str, content: bytes) -> PreparedImage:
        """Decode a file from memory and prepare it for the network; nothing is written.

        Raises:
            UnreadableError: with the reason.
        """
        return self.preprocessor.from_bytes(name, content, self.limits)

    def probabilities_of(self, *inputs: Floats) -> npt.NDArray[np.float64]:
        """Return calibrated probabilities (n, k) of prepared inputs, one (n, 3, S, S) for each input."""
        return calibrated(self.runtime.forward(*inputs), self.calibration)

    def predict_bytes(
        self, items: Sequence[tuple[str, bytes]], *, threshold: str | float | None = None
    ) -> list[ImagePrediction]:
        """Return one prediction per (name, content), in order; an unreadable file is one with `error`."""
        return self.predict_prepared([self.try_prepare(name, content) for name, content in items], threshold)

    def try_prepare(self, name: str, content: bytes) -> PreparedImage | ImagePrediction:
        """Prepare a file, or return the prediction that says why that cannot be."""
        try:
            return self.prepare_bytes(name, content)
        except UnreadableError as error:
            return ImagePrediction(
                path=name, sha256=hashlib.sha256(content).hexdigest(), flags=("unreadable",), error=str(error)
            )

    def predict_prepared(
        self, items: Sequence[PreparedImage | ImagePrediction], threshold: str | float | None = None
    ) -> list[ImagePrediction]:
        """Return predictions of one batch of prepared images; those that failed before pass through."""
        ready = [item for item in items if isinstance(item, PreparedImage)]
        if not ready:
            return [item for item in items if isinstance(item, ImagePrediction)]
        inputs = tuple(np.stack(parts) for parts in zip(*(item.inputs for item in ready), strict=True))
        ask = getattr(self.runtime, "forward_features", None)
        logits, rows = ask(*inputs) if ask is not None else (self.runtime.forward(*inputs), None)
        prob = calibrated(logits, self.calibration)
        flags = self.guard.flags(ready, rows)
        cut = self.threshold(threshold)
        made = iter(self._prediction(item, prob[i], cut, flags[i]) for i, item in enumerate(ready))
        return [next(made) if isinstance(item, PreparedImage) else item for item in items]

    def _prediction(
        self, item: PreparedImage, prob: npt.NDArray[np.float64], cut: float | None, flags: tuple[str, ...]
    ) -> ImagePrediction:
        if self.strict and flags:
            return ImagePrediction(
                path=item.name, sha256=item.sha256, flags=flags,
                error=f"refused by the guard: {', '.join(flags)} (predict without --strict to get an answer)",
            )  # fmt: skip
        if not np.isfinite(prob).all():
            return ImagePrediction(
                path=item.name, sha256=item.sha256, flags=flags, error="the network's output is not finite"
            )
        # of two classes the positive one is last
        best = int(prob.argmax()) if cut is None else int(prob[-1] >= cut)
        members = conformal_set(prob, self.classes, self.calibration.quantiles)
        return ImagePrediction(
            path=item.name,
            sha256=item.sha256,
            probabilities=dict(zip(self.classes, map(float, prob), strict=True)),
            predicted=self.classes[best],
            threshold=cut,
            set=members or (),
            abstains=members is not None and len(members) != 1,
            flags=flags,
        )

    def predict(
        self,
        files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        threshold: str | float | None = None,
        batch_size: int = BATCH_SIZE,
        progress: Reporter = QUIET,
    ) -> Iterator[ImagePrediction]:
        """Yield one prediction per image, in the order given, with memory bounded by a few batches.

        Args:
            files: paths of files, folders or archives.
            threshold: by name or as a number; the model's own if None.
            batch_size: images per pass.
            progress: gets the number of finished images.

        Raises:
            UsageError: a threshold that the model does not have, or a batch size below 1.
        """
        from headtohead.deploy.predict.stream import predict_files

        self.threshold(threshold)  # a wrong one is said at once, not at the first image
        given = [files] if isinstance(files, (str, os.PathLike)) else files
        return predict_files(self, given, threshold, batch_size, progress)

    @property
    def map_problem(self) -> str:
        """Why the model's maps are by occlusion and not exact, or ""."""
        from headtohead.deploy.predict.maps import map_problem

        exported = not hasattr(self.own_runtime, "network")
        return "it was exported without its torch network" if exported else map_problem(self.config)

    def explain_bytes(self, name: str, content: bytes) -> ImageMap:
        """Return where the model found its evidence in one image; nothing is written.

        Raises:
            UnreadableError: the file is not an image.
        """
        return self.explain_prepared(self.prepare_bytes(name, content))

    def explain_prepared(self, item: PreparedImage) -> ImageMap:
        """Return where the model found its evidence in one prepared image: exactly where that can be, by occlusion
        for heads that are not linear, features that are no sum over places, and exported files.
        """
        from headtohead.deploy.predict.maps import MapMaker

        network = getattr(self.own_runtime, "network", None)
        maker = MapMaker(self.config, self.calibration, self.preprocessor, self.runtime, network)
        return maker.map_of(item)

    def __repr__(self) -> str:
        return f"DeployedModel({self.name}, {', '.join(self.classes)}, {self.digest[:12]}; {RESEARCH_USE})"
