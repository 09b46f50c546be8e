"""The states of the protocol, from the published one to the corrected one, and how much is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from headtohead.core.config import ReproductionConfig

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord
    from headtohead.training.settings import FinetuneSettings

__all__ = [
    "ARMS",
    "CORRECTIONS",
    "PUBLISHED",
    "STUDY",
    "Arm",
    "Correction",
    "NetworkPair",
    "shortened",
    "transformer_epochs",
    "transformer_settings",
]

Arm = Literal["cnn", "vit"]
ARMS: tuple[Arm, ...] = ("cnn", "vit")
FULL_EPOCHS = 20  # as published
SHORT_EPOCHS = 6  # of the last two blocks, which a laptop can train in minutes
# Where the study and its data can be read.
STUDY = {
    "study": "Baranll0, Medical-Image-Classification-TransferLearning-VS-CNN (code and README, no paper)",
    "study_url": "https://github.com/Baranll0/Medical-Image-Classification-TransferLearning-VS-CNN",
    "data": "Chakrabarty (navoneel), Brain MRI Images for Brain Tumor Detection, Kaggle",
    "data_url": "https://www.kaggle.com/datasets/navoneel/brain-mri-images-for-brain-tumor-detection",
}
# name, images right, images scored
PUBLISHED: dict[Arm, tuple[str, int, int]] = {
    "cnn": ("InceptionResNetV2", 43, 50),
    "vit": ("ViT-B/16", 35, 36),
}


@dataclass(frozen=True, slots=True)
class Correction:
    """One state of the protocol; each differs from the one before it in one thing.

    Attributes:
        name: of the state.
        words: what was corrected, in one phrase.
        grouped: copies of an image stay on one side of the split.
        peeks: the epoch is chosen on the scored images; otherwise the last is taken.
        shared: both networks are scored on the same images.
        normalised: pixels have the mean and deviation that the weights ask for, else only / 255.
        recipe: preprocessing.
        folds: every image is scored once, in five grouped folds, instead of a fifth of them.
    """

    name: str
    words: str
    grouped: bool = True
    peeks: bool = False
    shared: bool = True
    normalised: bool = True
    recipe: str = "foreground"
    folds: bool = False


_AS_PUBLISHED: dict[str, Any] = {
    "grouped": False,
    "peeks": True,
    "shared": False,
    "normalised": False,
    "recipe": "classical",
}


def _corrections() -> tuple[Correction, ...]:
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("as published", "random 80:20 split of files, best epoch chosen on the scored images", {}),
        ("copies together", "copies of one image stay on one side of the split", {"grouped": True}),
        (
            "epoch fixed",
            "the epoch is fixed beforehand instead of chosen on the scored images",
            {"peeks": False},
        ),
        ("same images", "both networks learn from and are scored on the same images", {"shared": True}),
        ("own normalisation", "mean and deviation that the weights ask for", {"normalised": True}),
        ("foreground crop", "a crop that does not cut brain away", {"recipe": "foreground"}),
        ("every image scored", "five grouped folds instead of one fifth of the images", {"folds": True}),
    ]
    state, steps = dict(_AS_PUBLISHED), []
    for name, words, change in changes:
        state |= change
        steps.append(Correction(name, words, **state))
    return tuple(steps)


CORRECTIONS = _corrections()


@dataclass(frozen=True)
class NetworkPair:
    """The two networks, and whether they stand in for those of the study."""

    cnn: BackboneRecord
    vit: BackboneRecord
    stand_in: bool

    @property
    def title(self) -> str:
        """The names of both, for every title."""
        names = f"{self.cnn.name} and {self.vit.name}"
        return f"{names}, standing in for InceptionResNetV2 and ViT-B/16" if self.stand_in else names


def transformer_epochs(config: ReproductionConfig) -> int:
    """Return for how many epochs the transformer is trained."""
    return config.epochs or (FULL_EPOCHS if config.full else SHORT_EPOCHS)


def transformer_settings(config: ReproductionConfig) -> FinetuneSettings:
    """Return how the transformer is trained."""
    from headtohead.training.settings import FinetuneSettings

    return FinetuneSettings(
        epochs=transformer_epochs(config),
        depth="all" if config.full else "partial:2",
        head_start="random",
        label_smoothing=0.0,
        learning_rate=1e-4 if config.full else 3e-4,
        augment="none",
        flip_test=False,
    )


def shortened(config: ReproductionConfig) -> list[str]:
    """Return what was cut short for time, one sentence each."""
    if config.full:
        return []
    return [
        f"The transformer trained its last two blocks for {transformer_epochs(config)} epochs instead of all its "
        "weights.",
        f"Each state before the last was drawn {_times(config.splits)}; the CNN {_times(config.many_splits)} where "
        "the networks are scored on different images.",
    ]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
