"""The guard: flags images that differ from what the model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import Image
from headtohead.deploy.bundle.records import GuardReference
from headtohead.deploy.guard.copies import TrainingPrints
from headtohead.deploy.guard.distance import TrainingDistance
from headtohead.deploy.predict.prepare import PreparedImage

__all__ = ["FLAGS", "GUARD", "PRINTS", "Guard", "modality_of", "read_guard_tensors", "seen_share"]

GUARD = "guard."
"""Prefix of the guard's tensors in model.safetensors."""

PRINTS = "prints"
"""The guard's tensor of hashes, which only the leak check of an evaluation reads."""

FLAGS: Mapping[str, str] = {
    "unreadable": "the file cannot be read as an image",
    "colour": "the image is in colour; the training images are grey",
    "photograph": "the image is in colour and fills its frame, like a photograph; the training images lie on a dark "
    "background",
    "other_modality": "the DICOM file states a modality that no training image has",
    "already_cropped": "nothing was left to cut off, which training images hardly ever show: was it cropped before?",
    "far_from_training": "the network sees the image farther from the training images than they are from one another",
    "in_training": "the image was in training, so the prediction says nothing about new images",
}


class Guard:
    """Flags images that differ from what the model was trained on.

    Args:
        reference: what the training images were like.
        tensors: of the distance in feature space; {} where that check is off.
    """

    def __init__(self, reference: GuardReference, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self.reference = reference
        self._files, self._pixels = frozenset(reference.sha256), frozenset(reference.pixel_hashes)
        self._prints = tensors.get(PRINTS)
        known = {"mean", "components", "rows"} <= tensors.keys()
        self._distance = TrainingDistance.from_tensors(tensors, reference.neighbours) if known else None

    @property
    def training_prints(self) -> TrainingPrints | None:
        """What recognises near copies of training images; None where the model holds no hashes."""
        limit = self.reference.limits.get("near_copy")
        return None if self._prints is None or limit is None else TrainingPrints(self._prints, limit)

    @property
    def compares_features(self) -> bool:
        """Whether images are flagged as far from training, which takes the network's features."""
        return self._distance is not None and "far_from_training" in self.reference.limits

    def flags(
        self, items: Sequence[PreparedImage], rows: npt.NDArray[np.float32] | None
    ) -> list[tuple[str, ...]]:
        """Return the flags of each image.

        Args:
            rows: (n, D) features, or None where the runtime gives none.
        """
        found = [self._look(item) for item in items]
        limit = self.reference.limits.get("far_from_training")
        if rows is not None and self._distance is not None and limit is not None:
            far = self._distance.of(rows) > limit
            found = [[*flags, "far_from_training"] if far[i] else flags for i, flags in enumerate(found)]
        return [tuple(name for name in FLAGS if name in flags) for flags in found]

    def _look(self, item: PreparedImage) -> list[str]:
        from headtohead.data.listing.ingest import pixel_hash
        from headtohead.preprocess.suggest import appearance_of

        limits, flags = self.reference.limits, []
        # Both, since a file that was saved again has other bytes and the same pixels.
        if item.sha256 in self._files or pixel_hash(item.image) in self._pixels:
            flags.append("in_training")
        look = appearance_of(item.image)
        if "colour" in limits and look.coloured:
            flags.append("colour")
            if "photograph" in limits and seen_share(item) >= limits["photograph"]:
                flags.append("photograph")
        if "already_cropped" in limits and seen_share(item) > limits["already_cropped"]:
            flags.append("already_cropped")
        stated = modality_of(item.image)
        if self.reference.modalities and stated and stated not in self.reference.modalities:
            flags.append("other_modality")
        return flags


def seen_share(item: PreparedImage) -> float:
    """Return the share of the image's area that the recipe kept."""
    height, width = item.image.size
    return item.box.area / (height * width)


def modality_of(image: Image) -> str:
    """Return the modality that a DICOM file states, or ""."""
    return image.facts.get("modality", "")


def read_guard_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the guard's tensors of a bundle; needs no torch."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as stored:
        # safe_open cannot be iterated itself
        names = [name for name in stored.keys() if name.startswith(GUARD)]  # noqa: SIM118
        return {name.removeprefix(GUARD): stored.get_tensor(name) for name in names}
