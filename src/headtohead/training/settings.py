"""How a network is fine-tuned: one record, fixed before any scored image is looked at."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from headtohead.core.config.training_settings import TrainingSettings
from headtohead.core.errors import NoEffectError

__all__ = ["INNER_FOLDS", "FinetuneSettings"]

INNER_FOLDS = 5  # one fold of so many is held out to choose: a fifth of the training part


class FinetuneSettings(TrainingSettings):
    """Settings of a contender that learns (`finetune`, `partial:<k>`, `bitfit`, `lora`): the study's, and its mode's.

    Attributes:
        learning_rate: of the head at its peak; the top block gets `layer_decay` of it, the stem
            `layer_decay ** 12`.
        policy: "fixed" chooses nothing and trains on the whole training part, and is the default of a single
            training. "rate" holds out one inner grouped fold of five, chooses one of `learning_rates` by its
            log loss after the last epoch, then trains on the whole training part as "fixed" does. "inner"
            holds out one inner grouped fold of five, chooses the epoch (and one of `learning_rates`, and one
            of `trials`) by its log loss, then trains on the whole training part for that many epochs of the
            same schedule: about 1.8 times the cost for one trial.
        depth: "all", "partial:<k>" (the last k blocks), "bitfit" (biases and normalisations; Ben Zaken et al. 2022,
            ACL), or "lora" (low-rank adapters).
        cycles: 1, or into how many equal parts the epochs fall, each with a rate that begins at its peak
            and falls to zero; the networks at the ends of the cycles predict together (snapshot
            ensemble, Huang et al. 2017).
    """

    policy: Literal["fixed", "rate", "inner"] = "fixed"
    depth: str = Field(default="all", pattern=r"^(all|bitfit|lora|partial:[1-9]\d*)$")
    cycles: int = Field(default=1, ge=1)

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
