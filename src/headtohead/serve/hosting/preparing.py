"""Decode and prepare images that wait while the network computes others: two cores for two kinds of work.

A lone image is never prepared here: it goes to the network's thread as it is, without a further change of threads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headtohead.deploy.prediction import ImagePrediction, ImagePredictor
from headtohead.serve.hosting.threads import DaemonThreads

__all__ = ["Preparer", "Stages", "WaitingImage", "parts_of", "stages_of"]

# Per image; larger ones are decoded one at a time, in the network's thread, since each may take half a gigabyte.
MOST_PIXELS = 4_000_000


@dataclass(slots=True)
class WaitingImage:
    """One image in the queue.

    Attributes:
        name, content: the file.
        pixels: what its header claims, so that large images are not decoded side by side.
        result: set when it is computed.
        prepared: what the network takes, or will take; None where nobody prepares it.
    """

    name: str
    content: bytes
    pixels: int
    result: asyncio.Future[ImagePrediction]
    prepared: asyncio.Future[Any] | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """The two halves of a prediction.

    Attributes:
        prepare: a file's name and bytes to what the network takes; an unreadable file to its prediction.
        predict: such a batch to predictions.
    """

    prepare: Callable[[str, bytes], Any]
    predict: Callable[[Sequence[Any]], Sequence[ImagePrediction]]

    def finish(self, parts: Sequence[Any]) -> Sequence[ImagePrediction]:
        """Return predictions of a batch of which some are prepared and others (name, content)."""
        return self.predict([self.prepare(*part) if isinstance(part, tuple) else part for part in parts])


def stages_of(model: ImagePredictor) -> Stages | None:
    """Return the halves of a model's predictions, or None where it does not separate them."""
    prepare, predict = getattr(model, "try_prepare", None), getattr(model, "predict_prepared", None)
    return Stages(prepare, predict) if callable(prepare) and callable(predict) else None


class Preparer:
    """One thread that prepares the first images of a queue while its network is busy.

    Args:
        stages: of the model.
        waiting: the queue; looked at, never changed.
        most: images that are prepared and still wait.
        busy: whether the network computes.
    """

    def __init__(
        self, stages: Stages, waiting: deque[WaitingImage], most: int, busy: Callable[[], bool]
    ) -> None:
        self._stages, self._waiting, self._most, self._busy = stages, waiting, most, busy
        self._thread = DaemonThreads(1, "h2h-prepare")
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; call it inside the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what is in progress is not waited for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def look(self) -> None:
        """Look at the queue: something came, or the network became busy."""
        self._look.set()

    async def _run(self) -> None:
        while True:
            await self._look.wait()
            item = self._next() if self._busy() else None
            if item is None:
                self._look.clear()
                continue
            item.prepared = asyncio.get_running_loop().run_in_executor(
                self._thread, self._stages.prepare, item.name, item.content
            )
            await asyncio.wait([item.prepared])

    def _next(self) -> WaitingImage | None:
        """Return the first image that may be prepared, unless as many are as may be."""
        for place, item in enumerate(self._waiting):
            if place >= self._most:
                break
            if item.prepared is None and not item.result.done() and item.pixels <= MOST_PIXELS:
                return item
        return None


async def parts_of(batch: Sequence[WaitingImage]) -> list[Any] | None:
    """Return a batch as `Stages.finish` takes it; None where nothing of it is prepared, or preparing failed."""
    begun = [item.prepared for item in batch if item.prepared is not None]
    if not begun:
        return None
    await asyncio.wait(begun)
    failed = [one.cancelled() or one.exception() is not None for one in begun]
    if any(failed):
        return None
    return [(item.name, item.content) if item.prepared is None else item.prepared.result() for item in batch]
