"""The configuration of `reproduce`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from headtohead.core.config.run import RunConfig

__all__ = ["ReproductionConfig"]


class ReproductionConfig(RunConfig):
    """Everything that decides the digits of `reproduce`.

    Attributes:
        cnn, vit: contenders, or "auto": the networks of the published study where their weights can be
            had, otherwise both stand-ins.
        splits: random splits of each state of the protocol.
        many_splits: random splits of the frozen CNN where it is scored on images of its own.
        head_epochs: epochs of the head on the frozen CNN.
        full: fine-tune the whole transformer instead of its last two blocks.
        epochs: of the transformer; None for 6, or 20 with `full`.
        n_boot: bootstrap resamples of groups.
    """

    NETWORKS: ClassVar[tuple[str, ...]] = ("cnn", "vit")

    kind: Literal["reproduce"] = "reproduce"
    cnn: str = Field(default="auto", description="The CNN; auto: InceptionResNetV2, or its stand-in.")
    vit: str = Field(default="auto", description="The transformer; auto: ViT-B/16, or its stand-in.")
    splits: int = Field(default=2, ge=1, description="Random splits of each state for the transformer.")
    many_splits: int = Field(default=20, ge=1, description="Random splits of each state for the frozen CNN.")
    head_epochs: int = Field(default=30, ge=1, description="Epochs of the head on the frozen CNN.")
    full: bool = Field(
        default=False, description="Fine-tune the whole transformer for 20 epochs; hours without a GPU."
    )
    epochs: int | None = Field(
        default=None, ge=1, description="Epochs of the transformer; 6, or 20 with --full, if not stated."
    )
    n_boot: int = Field(default=2000, ge=100, description="Bootstrap resamples of groups.")
