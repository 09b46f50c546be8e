"""Hugging Face's Trainer with its defaults, or with `bf16=True`."""

from __future__ import annotations

import tempfile
from typing import Any

import torch
import transformers
from common import BATCH, Clock, arguments, emit
from torch_parts import Scored, images


def main() -> None:
    """Train one epoch and print images/s."""
    given, clock = arguments(), Clock()

    def collate(rows: list[Any]) -> dict[str, torch.Tensor]:
        return {
            "pixel_values": torch.stack([x for x, _ in rows]),
            "labels": torch.tensor([y for _, y in rows]),
        }

    class Steps(transformers.TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.tick()

    with tempfile.TemporaryDirectory() as folder:
        chosen = transformers.TrainingArguments(
            output_dir=folder, per_device_train_batch_size=BATCH, num_train_epochs=1, report_to=[],
            save_strategy="no", disable_tqdm=True, bf16=given.bf16, use_cpu=True, dataloader_drop_last=True,
        )  # fmt: skip
        transformers.Trainer(
            Scored(given.network),
            chosen,
            train_dataset=images(given.data, given.network),
            data_collator=collate,
            callbacks=[Steps()],
        ).train()
    emit(clock.speed(), torch=torch.__version__, transformers=transformers.__version__)


if __name__ == "__main__":
    main()
