"""The settings of fine-tuning that a study states and a training follows: each stated once, here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headtohead.core.records import Record

__all__ = ["TrainingSettings"]


class TrainingSettings(Record):
    """What a study states of fine-tuning and a training follows; the description of each field says what it does."""

    epochs: int = Field(default=20, ge=1, description="Epochs of fine-tuning.")
    batch: int = Field(default=16, ge=2, description="Images per step.")
    learning_rate: float = Field(
        default=1e-4,
        gt=0,
        description="Peak learning rate of a transformer's head; a CNN takes 5 times it, deeper blocks less.",
    )
    learning_rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(), description="Peak rates to choose from, inside the training part."
    )
    layer_decay: float = Field(
        default=0.75,
        gt=0,
        le=1,
        description="Factor on the learning rate from each twelfth of the depth to the one below.",
    )
    weight_decay: float = Field(
        default=0.05,
        ge=0,
        description="Decoupled weight decay (AdamW), on matrices and kernels only, never on biases, norms, tokens and "
        "positions.",
    )
    warmup: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the steps over which the rate rises from zero; after it, half a cosine to zero.",
    )
    label_smoothing: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the target spread over the classes by their frequencies.",
    )
    mixup: float = Field(default=0.0, ge=0, description="Alpha of mixup; 0 for none.")
    cutmix: float = Field(
        default=0.0, ge=0, description="Alpha of CutMix; 0 for none; with mixup, each step draws one of them."
    )
    ema: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Decay per step of the averaged weights that predict; the last weights predict if not stated.",
    )
    drop_path: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Rate of stochastic depth in the last block, falling linearly to 0 at the stem.",
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout before the classifier.")
    clip: float = Field(default=1.0, ge=0, description="Largest L2 norm of the gradient; 0 for no limit.")
    balance: Literal["none", "loss", "sampler"] = Field(
        default="none",
        description="How classes are balanced while training, probes included: none, loss (class weights) or sampler. "
        "Probabilities stay at the class frequencies of the training part.",
    )
    batch_norm: Literal["frozen", "train"] = Field(
        default="frozen",
        description="Statistics of batch normalisation: frozen (scale and shift still learn), or train.",
    )
    head_start: Literal["probe", "random"] = Field(
        default="probe",
        description="Initial classifier: probe (fitted on frozen features, the limit of training the classifier "
        "alone first), or random.",
    )
    lora_rank: int = Field(default=8, ge=1, description="Rank of low-rank adapters.")
    augment: str = Field(
        default="auto",
        description="Augmentation preset of fine-tuning: auto (the same as light), light, mri, xray, ultrasound, "
        "histology, photo, study or none; augment-preview shows them.",
    )
    flip_test: bool = Field(
        default=True,
        description="Average predictions with those of the flipped image, where the preset flips.",
    )
    policy: Literal["rate", "fixed", "inner"] = Field(
        default="rate",
        description="What is chosen on an inner fold: rate (the learning rate, of 1/3, 1 and 3 times the stated "
        "one), inner (the epoch, too, and more under a budget, which implies it) or fixed (nothing; a third "
        "of the time).",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Epochs without improvement on the inner fold after which training stops; needs the policy "
        "inner.",
    )
    trials: int = Field(default=1, ge=1, description="Combinations of settings tried inside each fold.")
    tuner: Literal["random", "optuna"] = Field(
        default="random",
        description="Who proposes the trials: random (a seeded draw) or optuna (extra 'tune').",
    )
    inner_folds: int = Field(
        default=0,
        ge=0,
        description="Inner grouped folds on which the final training is repeated for inner probabilities, at that "
        "many times the cost; 0 for only where an ensemble needs them.",
    )
    workers: int = Field(
        default=1,
        ge=0,
        description="Threads that prepare images while the network learns; 0 for none. No result depends on it.",
    )
