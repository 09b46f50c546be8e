"""What every peer shares: its arguments, the images on disk, and the speed after the first batch.

Scripts of peers run in environments of their own, without headtohead: this file needs the standard library alone.
"""

from __future__ import annotations

import argparse
import json
import time

__all__ = ["BATCH", "RATE", "SIDES", "Clock", "arguments", "emit"]

BATCH = 16
RATE = 1e-4  # of AdamW; no speed depends on it
SIDES = {"inception_resnet_v2": 299, "vit_base_patch16_224": 224}


def arguments() -> argparse.Namespace:
    """Return `data` (one folder a class), `network` (its name in timm), `bf16`, and `weights`, a file or nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("network", choices=SIDES)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--weights", default="")
    return parser.parse_args()


class Clock:
    """Notes when batches end; the first warms up, compiles or traces, and is not counted."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def tick(self) -> None:
        """Note the end of a batch."""
        self.ends.append(time.perf_counter())

    def speed(self) -> float:
        """Return images/s of the batches after the first, each of `BATCH` images."""
        return BATCH * (len(self.ends) - 1) / (self.ends[-1] - self.ends[0])


def emit(speed: float, **facts: str) -> None:
    """Print the line that `run.py` reads: images/s and versions."""
    print(json.dumps({"images_per_second": speed, **facts}), flush=True)
