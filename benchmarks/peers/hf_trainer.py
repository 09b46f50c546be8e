"""Hugging Face's Trainer with its defaults, or with `bf16=True`."""

from __future__ import annotations

import tempfile
from typing import Any

import timm
import torch
import transformers
from common import BATCH, SIDES, Clock, arguments, emit
from torch import nn
from torchvision import datasets, transforms


class Scored(nn.Module):
    """A network as the Trainer wants it: a loss from pixel_values and labels."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net = timm.create_model(name, num_classes=2)

    def forward(self, pixel_values: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return loss and logits."""
        scores = self.net(pixel_values)
        return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}


def main() -> None:
    """Train one epoch and print images/s."""
    given, clock = arguments(), Clock()
    side = SIDES[given.network]
    change = transforms.Compose(
        [transforms.Resize((side, side)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    )
    images = datasets.ImageFolder(given.data, change)

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
            Scored(given.network), chosen, train_dataset=images, data_collator=collate, callbacks=[Steps()]
        ).train()
    emit(clock.speed(), torch=torch.__version__, transformers=transformers.__version__)


if __name__ == "__main__":
    main()
