"""Fine-tuning speed at full size beside Hugging Face's Trainer: images/s of forward, backward and update.

    python benchmarks/finetune_speed.py --network vit_base_patch16_224 --images 64

Random weights, generated images, batches of 16, AdamW on all weights, on the machine's CPU or GPU.
Three ways of training the same network: the product (bf16 where it is checked and there is hardware for it; which
arithmetic it was is printed, for without such hardware all three compute in fp32 or emulate bf16), the
Trainer with its defaults (fp32), and the Trainer with bf16=True. The first step of each is not counted;
the ways take turns for some rounds, and the best round of each counts, since other work on the machine
can only slow a round down. With --frozen a fourth way is timed: the product's default for pretrained weights,
which leaves the running statistics of BatchNorm as they are and folds them into the convolutions (less to compute
than the other three do).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headtohead.backbones.catalog import resolve
from headtohead.core.progress import QUIET
from headtohead.training.data_loader import get_augmenter
from headtohead.training.settings import FinetuneSettings
from headtohead.training.setup import TrainingSetup, loader
from headtohead.training.trainer import Subset

BATCH = 16


class Generated:
    """Images of noise in memory."""

    def __init__(self, n: int, side: int) -> None:
        self.array = np.random.default_rng(0).random((n, side, side), dtype=np.float32)

    def pixels(self, index: int) -> Any:
        return self.array[index]

    def normalise(self, pixels: Any) -> Any:
        return np.repeat((pixels[None] - 0.5) / 0.5, 3, axis=0)

    def number(self, index: int) -> int:
        return index


def ours(name: str, n: int, *, frozen: bool = False) -> float:
    """Return the product's images/s, and print the arithmetic that it chose."""
    record = resolve(f"scratch:{name}")
    part = Subset(np.arange(n), np.arange(n) % 2)
    settings = FinetuneSettings(
        head_start="random",
        batch=BATCH,
        epochs=2,
        batch_norm="frozen" if frozen else "train",
        layer_decay=1.0,
    )
    source, light = Generated(n, record.input_size), get_augmenter("light")
    setup = TrainingSetup(loader(record), source, light, settings)
    training = setup.start(part, seed=0, k=2, reporter=QUIET)
    clock = Clock()
    print(f"{name:<24} headtohead trains in {'bf16' if training.bf16 else 'fp32'}")
    training._epoch(0, "", clock)
    return clock.speed(n)


class Clock:
    """Listens to the batches and leaves the first one out."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def info(self, message: str) -> None:
        """Ignore the sentence."""

    def warning(self, message: str) -> None:
        """Ignore the sentence."""

    def progress(self, items: Any, label: str, total: int | None = None) -> Any:  # noqa: ARG002
        """Note when each batch is asked for."""
        for item in items:
            self.times.append(time.perf_counter())
            yield item
        self.times.append(time.perf_counter())

    def speed(self, n: int) -> float:
        """Return images/s after the first batch."""
        return (n - BATCH) / (self.times[-1] - self.times[1])


def theirs(name: str, n: int, *, bf16: bool) -> float:
    """Return the Trainer's images/s."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    sys.path.append(str(Path(__file__).resolve().parent / "peers"))
    from torch_parts import Scored

    record = resolve(f"scratch:{name}")
    source = Generated(n, record.input_size)
    rows = [
        {"pixel_values": torch.from_numpy(source.normalise(source.pixels(i))), "labels": torch.tensor(i % 2)}
        for i in range(n)
    ]
    times: list[float] = []

    class Steps(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=str(Path(folder)), per_device_train_batch_size=BATCH, num_train_epochs=1, report_to=[],
            save_strategy="no", disable_tqdm=True, bf16=bf16, use_cpu=not torch.cuda.is_available(),
        )  # fmt: skip
        Trainer(Scored(name), arguments, train_dataset=rows, callbacks=[Steps()]).train()
    return (n - BATCH) / (times[-1] - times[2])


def main() -> None:
    """Time the three ways and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="vit_base_patch16_224", help="timm's name")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--frozen", action="store_true", help="also time frozen BatchNorm statistics")
    asked = parser.parse_args()
    name, n = asked.network, asked.images
    ways: dict[str, Callable[[], float]] = {
        "headtohead": lambda: ours(name, n),
        "Trainer, bf16": lambda: theirs(name, n, bf16=True),
        "Trainer, defaults": lambda: theirs(name, n, bf16=False),
    }
    if asked.frozen:
        ways["headtohead, frozen"] = lambda: ours(name, n, frozen=True)
    found = {way: [run()] for way, run in ways.items()}
    for _ in range(asked.rounds - 1):
        for way, run in ways.items():
            found[way].append(run())
    best = max(found["headtohead"])
    for way, speeds in found.items():
        print(
            f"{name:<24} {way:<18} best {max(speeds):6.2f} of {[round(v, 2) for v in speeds]} images/s; "
            f"headtohead is {best / max(speeds):.2f} x"
        )


if __name__ == "__main__":
    main()
