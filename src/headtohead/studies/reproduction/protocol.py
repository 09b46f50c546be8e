"""The states of the protocol, from the published one to the corrected one, and how much is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord
    from headtohead.training.settings import FinetuneSettings

__all__ = ["ARMS", "CORRECTIONS", "PUBLISHED", "Arm", "Correction", "NetworkPair", "ReproductionPlan"]

Arm = Literal["cnn", "vit"]
ARMS: tuple[Arm, ...] = ("cnn", "vit")
PUBLISHED: dict[Arm, tuple[str, int, int]] = {
    "cnn": ("InceptionResNetV2", 43, 50),
    "vit": ("ViT-B/16", 35, 36),
}


@dataclass(frozen=True, slots=True)
class Correction:
    """One state of the protocol; each differs from the one before it in one thing.

    Attributes:
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


_AS_WAS: dict[str, Any] = {
    "grouped": False,
    "peeks": True,
    "shared": False,
    "normalised": False,
    "recipe": "classical",
}


def _steps() -> tuple[Correction, ...]:
    corrections: list[tuple[str, str, dict[str, Any]]] = [
        ("as published", "random 80:20 split of files, best epoch chosen on the scored images", {}),
        ("copies together", "copies of one image stay on one side of the split", {"grouped": True}),
        (
            "no peeking",
            "the epoch is fixed beforehand instead of chosen on the scored images",
            {"peeks": False},
        ),
        ("same images", "both networks learn from and are scored on the same images", {"shared": True}),
        ("own normalisation", "mean and deviation that the weights ask for", {"normalised": True}),
        ("foreground crop", "a crop that does not cut brain away", {"recipe": "foreground"}),
        ("every image scored", "five grouped folds instead of one fifth of the images", {"folds": True}),
    ]
    state, steps = dict(_AS_WAS), []
    for name, words, change in corrections:
        state |= change
        steps.append(Correction(name, words, **state))
    return tuple(steps)


CORRECTIONS = _steps()


@dataclass(frozen=True)
class NetworkPair:
    """The two networks and whether they stand in for those of the study."""

    cnn: BackboneRecord
    vit: BackboneRecord
    stand_in: bool

    @property
    def title(self) -> str:
        """How both are called in every title."""
        names = f"{self.cnn.name} and {self.vit.name}"
        return f"{names}, standing in for InceptionResNetV2 and ViT-B/16" if self.stand_in else names


@dataclass(frozen=True)
class ReproductionPlan:
    """How much is computed.

    Attributes:
        splits: random splits per state; many_splits: of the frozen CNN, where it has its own.
        epochs: of the head on the frozen CNN, and of the transformer.
        short: the transformer trains its last two blocks for fewer epochs; said in every title.
    """

    seed: int = 0
    splits: int = 2
    many_splits: int = 20
    head_epochs: int = 30
    epochs: int = 6
    short: bool = True
    n_boot: int = 2000

    def settings(self) -> FinetuneSettings:
        """Return how the transformer is trained."""
        from headtohead.training.settings import FinetuneSettings

        depth = "partial:2" if self.short else "all"
        return FinetuneSettings(
            epochs=self.epochs,
            depth=depth,
            head_start="random",
            label_smoothing=0.0,
            learning_rate=3e-4 if self.short else 1e-4,
            augment="none",
            flip_test=False,
        )

    def shortened(self) -> list[str]:
        """Return what was cut short for time, one sentence each."""
        if not self.short:
            return []
        return [
            f"The transformer trained its last two blocks for {self.epochs} epochs instead of all its weights.",
            f"Each state before the last was drawn {_times(self.splits)}; the CNN {_times(self.many_splits)} where "
            "the networks are scored on different images.",
        ]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
