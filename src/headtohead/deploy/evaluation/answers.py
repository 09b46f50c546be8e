"""A model's predictions on a data set, and which of its images are near copies of training images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtohead.core.errors import UnreadableError
from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.model import BATCH_SIZE, DeployedModel
from headtohead.deploy.predict.prepare import PreparedImage
from headtohead.deploy.prediction import ImagePrediction

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset

__all__ = ["ModelAnswers", "predict_dataset"]


@dataclass(frozen=True)
class ModelAnswers:
    """What a model says of each sample of a data set.

    Attributes:
        predictions: one per sample, in order.
        near: positions of samples that are nearly equal to a training image, but not in training themselves; None
            where the model holds no hashes to tell.
    """

    predictions: list[ImagePrediction]
    near: tuple[int, ...] | None = None

    @property
    def in_training(self) -> list[int]:
        """Positions of samples with the bytes or pixels of a training image."""
        return [i for i, one in enumerate(self.predictions) if "in_training" in one.flags]


def predict_dataset(
    model: DeployedModel, dataset: Dataset, name: str, reporter: Reporter = QUIET
) -> ModelAnswers:
    """Return a model's predictions of every sample; an unreadable one has its reason in `error`."""
    prints = model.guard.training_prints
    found: list[ImagePrediction] = []
    near: list[int] = []
    starts = range(0, len(dataset), BATCH_SIZE)
    for start in reporter.progress(starts, f"{name} predicts", len(starts)):
        items: list[PreparedImage | ImagePrediction] = []
        for sample in dataset.samples[start : start + BATCH_SIZE]:
            try:
                image = dataset.read(sample)
                items.append(model.preprocessor.from_image(sample.id, image, sample.sha256))
                if prints is not None and prints.holds(image):
                    near.append(start + len(items) - 1)
            except UnreadableError as error:
                items.append(ImagePrediction(path=sample.id, sha256=sample.sha256, error=str(error)))
        found += model.predict_prepared(items)
    if prints is None:
        return ModelAnswers(found)
    return ModelAnswers(found, tuple(i for i in near if "in_training" not in found[i].flags))
