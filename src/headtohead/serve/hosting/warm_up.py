"""The first predictions of a model: what they take, and whether batches pay."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

from headtohead.deploy.prediction import ImagePredictor
from headtohead.deploy.runtimes.batch_sizes import sizes_up_to

__all__ = ["WarmUp", "warm_up"]

SAMPLE = (
    4  # images of the trial batch at start: enough to see whether batching pays, few enough to start fast
)
GAIN = (
    0.95  # batching pays if an image of a batch takes less than this share of a lone one; 5 % is timing noise
)
# A server should be ready within 5 s, of which imports and loading take 3 to 4.
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What the first predictions took.

    Attributes:
        alone: seconds for one image.
        together: seconds per image of a small batch.
        pays: whether images that wait are to be computed together.
    """

    alone: float
    together: float

    @property
    def pays(self) -> bool:
        """Whether a batch is faster than its images one by one."""
        return self.together < GAIN * self.alone


def warm_up(model: ImagePredictor, max_batch: int = SAMPLE) -> WarmUp:
    """Predict a grey ramp a few times, so that the first user does not pay for lazy loading, and time it.

    Where batching pays, each batch size that takes no longer than `WARM_UP_SECONDS` with those before it is met once,
    so that memory does not grow when it first comes.
    """
    item = ("ramp.png", _ramp())
    model.predict_bytes([item])
    alone = min(_seconds(model, [item]) for _ in range(2))  # the shorter, since other work only adds time
    together = min(_seconds(model, [item] * SAMPLE) for _ in range(2)) / SAMPLE
    found = WarmUp(alone, together)
    for size in _sizes_within(WARM_UP_SECONDS, found, max_batch):
        model.predict_bytes([item] * size)
    return found


def _sizes_within(seconds: float, warm: WarmUp, max_batch: int) -> list[int]:
    """Return the batch sizes, the smallest first, that take no longer than this together.

    >>> _sizes_within(1.0, WarmUp(alone=0.03, together=0.02), 16), _sizes_within(1.0, WarmUp(0.08, 0.06), 16)
    ([1, 2, 4, 8, 16], [1, 2, 4, 8])
    """
    sizes = sizes_up_to(max_batch) if warm.pays else []
    while sum(sizes) * warm.together > seconds:
        sizes.pop()
    return sizes


def _seconds(model: ImagePredictor, items: Sequence[tuple[str, bytes]]) -> float:
    began = time.perf_counter()
    model.predict_bytes(items)
    return time.perf_counter() - began


def _ramp() -> bytes:
    import numpy as np
    import PIL.Image

    ramp = np.add.outer(np.arange(224), np.arange(224)) // 2
    buffer = io.BytesIO()
    PIL.Image.fromarray(ramp.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
