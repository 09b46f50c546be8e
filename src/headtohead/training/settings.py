"""How a network is fine-tuned: one record, fixed before any scored image is looked at."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from headtohead.core.errors import NoEffectError
from headtohead.core.records import Record

__all__ = ["INNER_FOLDS", "FinetuneSettings"]

INNER_FOLDS = 5  # one fold of so many is held out to choose: a fifth of the training part


class FinetuneSettings(Record):
    """Settings of `finetune`, `partial:<k>`, `lora` and `scratch`.

    Attributes:
        epochs: passes over the training part; under the policy "inner" the most that may be chosen.
        learning_rate: of the head at its peak; the top block gets `layer_decay` of it, the
            stem `layer_decay ** 12`.
        warmup: share of all steps in which the rate rises from zero; after it, half a cosine to zero.
        weight_decay: decoupled, on matrices and kernels only, never on biases and norms.
        mixup, cutmix: parameters of the Beta distribution; 0 is off. With both, each step draws one.
        ema: decay per step of the averaged weights that predict, or None for the last weights.
        drop_path: rate of stochastic depth in the last block, falling linearly to 0 at the stem.
        clip: largest L2 norm of the gradient, or None.
        balance: "loss" weighs classes by inverse frequency, "sampler" draws them equally often; either way the
            probabilities stay at the class frequencies of the training part.
        label_smoothing: share of the target that is spread over the classes by their frequencies.
        batch_norm: "frozen" keeps the pretrained statistics (their scale and shift still learn).
        head_start: "probe" begins with a linear head fitted on frozen features, which is the limit
            of training the head alone first; "random" begins with small random weights.
        depth: "all", "partial:<k>" (the last k blocks), or "lora" (low-rank adapters).
        augment: name of a preset, "light", "none", or "auto" (= "light").
        flip_test: average the probabilities of an image and its flipped image; only where the
            augmentation flips too.
        policy: "fixed" chooses nothing and trains on the whole training part. "rate" holds out one inner
            grouped fold of five, chooses one of `learning_rates` by its log loss after the last epoch, then
            trains on the whole training part as "fixed" does. "inner" holds out one
            inner grouped fold of five, chooses the epoch (and one of `learning_rates`, and one of
            `trials`) by its log loss, then trains on the whole training part for that many epochs of
            the same schedule: about 1.8 times the cost for one trial.
        tuner: who proposes the trials after the stated ones: a seeded draw, or optuna's TPE sampler (extra
            "tune"), which learns from the inner log losses of the trials before.
        patience: under "inner", stop a trial after so many epochs without a better log loss; None never.
        inner_folds: 0, or the number of inner grouped folds on which the final training is repeated to get
            `inner_probabilities`, at that many times the cost: of all training samples, and under "inner"
            of folds that did not choose the settings.
        cycles: 1, or into how many equal parts the epochs fall, each with a rate that begins at its peak
            and falls to zero; the networks at the ends of the cycles predict together (snapshot
            ensemble, Huang et al. 2017).
        workers: threads that augment ahead of the network; 0 does it in line. Changes no digit.
    """

    epochs: int = Field(default=20, ge=1)
    batch: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=1e-4, gt=0)
    learning_rates: tuple[float, ...] = ()
    layer_decay: float = Field(default=0.75, gt=0, le=1)
    weight_decay: float = Field(default=0.05, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    mixup: float = Field(default=0.0, ge=0)
    cutmix: float = Field(default=0.0, ge=0)
    ema: float | None = Field(default=None, gt=0, lt=1)
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    clip: float | None = Field(default=1.0, gt=0)
    balance: Literal["none", "loss", "sampler"] = "none"
    batch_norm: Literal["frozen", "train"] = "frozen"
    head_start: Literal["probe", "random"] = "probe"
    depth: str = Field(default="all", pattern=r"^(all|lora|partial:[1-9]\d*)$")
    lora_rank: int = Field(default=8, ge=1)
    augment: str = "auto"
    flip_test: bool = True
    policy: Literal["fixed", "rate", "inner"] = "fixed"
    patience: int | None = Field(default=None, ge=1)
    trials: int = Field(default=1, ge=1)
    tuner: Literal["random", "optuna"] = "random"
    inner_folds: int = Field(default=0, ge=0)
    cycles: int = Field(default=1, ge=1)
    workers: int = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _no_idle_setting(self) -> Self:
        if self.policy != "inner":
            idle = ["patience"] if self.patience else []
            idle += ["learning_rates"] if self.learning_rates and self.policy == "fixed" else []
            idle += ["trials"] if self.trials > 1 else []
            idle += ["tuner"] if self.tuner != "random" else []
            if idle:
                raise NoEffectError(
                    f"{' and '.join(idle)} would have no effect under the policy {self.policy!r}, which chooses "
                    f"{'nothing' if self.policy == 'fixed' else 'the learning rate alone'}. "
                    "Use the policy 'inner', or leave them out."
                )
        if self.policy == "inner" and self.inner_folds >= INNER_FOLDS:
            raise NoEffectError(
                f"inner_folds={self.inner_folds}: under the policy 'inner' one fold of {INNER_FOLDS} chooses, "
                f"and at most {INNER_FOLDS - 1} are left to be predicted."
            )
        if self.inner_folds == 1:
            raise NoEffectError("inner_folds=1 holds nothing out. Use 0 for none, or at least 2.")
        if self.cycles > self.epochs:
            raise NoEffectError(f"{self.cycles} cycles need as many epochs; got {self.epochs}.")
        return self

    @property
    def last_blocks(self) -> int | None:
        """How many blocks of the backbone learn; None for all."""
        return int(self.depth.partition(":")[2]) if self.depth.startswith("partial:") else None
