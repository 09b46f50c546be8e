"""A plain training loop as many write it: a timm network, a DataLoader with two workers, autocast where asked for."""

from __future__ import annotations

import timm
import torch
from common import BATCH, RATE, Clock, arguments, emit
from torch_parts import images


def main() -> None:
    """Train one epoch and print images/s."""
    given, clock = arguments(), Clock()
    batches = torch.utils.data.DataLoader(
        images(given.data, given.network), BATCH, shuffle=True, num_workers=2, drop_last=True
    )
    network = timm.create_model(given.network, num_classes=2).train()
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    for x, y in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=given.bf16):
            loss = torch.nn.functional.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.tick()
    emit(clock.speed(), torch=torch.__version__, timm=timm.__version__)


if __name__ == "__main__":
    main()
