"""The configuration of `best`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from headtohead.core.config.run import RunConfig

__all__ = ["SearchConfig"]


class SearchConfig(RunConfig):
    """Everything that decides the digits of `best`, and the time that it may take.

    Attributes:
        backbones: what is searched over.
        finetune: backbones that are fine-tuned as well (fixed policy, nothing chosen); the mean of them
            and the searched model is a row of its own. Twenty minutes and more each without a GPU.
        epochs: of fine-tuning.
        augment: preset of the augmentation; one that does not flip keeps flipped images out of the search.
        copies: above 0, a side branch of the ablation shows what so many augmented copies of each training
            image buy.
        minutes: no repeat is begun after so much time, at least one is done. The same command with more
            minutes goes on where this one stopped.
        folds: outer grouped folds; repeats: how often they are drawn.
    """

    MAY_CHANGE: ClassVar[frozenset[str]] = frozenset({"data", "minutes"})
    NETWORKS: ClassVar[tuple[str, ...]] = ("backbones", "finetune")

    kind: Literal["best"] = "best"
    backbones: tuple[str, ...] = Field(
        default=("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "dinov2-small"),
        min_length=1,
        description="Backbones to search over.",
    )
    finetune: tuple[str, ...] = Field(
        default=(), description="Backbones to fine-tune as well; minutes to hours each."
    )
    epochs: int = Field(default=20, ge=1, description="Epochs of fine-tuning.")
    augment: str = Field(
        default="auto",
        description="Augmentation preset; one without flips (xray) keeps flips out of the search too.",
    )
    copies: int = Field(
        default=0,
        ge=0,
        description="Augmented copies of each training image, in a side branch of the ablation.",
    )
    minutes: float = Field(
        default=20.0,
        ge=0,
        description="Time to spend, fine-tuning included; what is unfinished then is named, and more minutes go on "
        "from there.",
    )
    folds: int = Field(default=5, ge=2, description="Outer grouped folds.")
    repeats: int = Field(default=3, ge=1, description="Repeats of the outer folds.")
