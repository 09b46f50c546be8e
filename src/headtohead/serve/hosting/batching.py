"""A queue in front of a model: what already waits is computed together, nothing waits for company.

A lone image is computed at once; there is no timer. Under load, up to `max_batch` images that wait are
taken together, because one large matrix product is faster than several small ones. While the network computes,
images that wait are decoded beside it. One thread computes for all models of a server.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from headtohead.deploy.prediction import ImagePrediction
from headtohead.deploy.runtimes.batch_sizes import sizes_up_to
from headtohead.serve.hosting.preparing import Preparer, Stages, WaitingImage, parts_of
from headtohead.serve.hosting.threads import DaemonThreads
from headtohead.serve.problems import ProblemError, TooBusyError

__all__ = ["BatchQueue", "QueueLimits", "time_limit"]

T = TypeVar("T")
Predict = Callable[[Sequence[tuple[str, bytes]]], Sequence[ImagePrediction]]
# Of a batch, in seconds, while another model waits for the same thread: a lone image then waits about as long as one
# notices. Without it, 16 images of a large network on two cores would hold up a small one for several seconds.
SHARED_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much a queue holds and hands over.

    Attributes:
        waiting: images that may wait.
        batch: images computed together.
        pixels: of all images of a batch, unless it is a single image.
        seconds: time from entering the queue to the result.
    """

    waiting: int
    batch: int
    pixels: int
    seconds: float


class BatchQueue:
    """Images of all requests that wait for one model.

    Args:
        predict: from files to predictions.
        limits: see `QueueLimits`.
        stages: the halves of `predict`; with them, images that wait are decoded while others are computed.
        thread: what computes them, shared with other models and ended by the caller; None for one of its own.

    Attributes:
        on_batch: called with (images in the batch, seconds it took) after each batch.
    """

    def __init__(
        self,
        predict: Predict,
        limits: QueueLimits,
        on_batch: Callable[[int, float], None] | None = None,
        stages: Stages | None = None,
        thread: DaemonThreads | None = None,
    ) -> None:
        self._predict = predict
        self._stages = stages
        self._limits = limits
        self._waiting: deque[WaitingImage] = deque()
        self._arrived = asyncio.Event()
        self._shared = thread is not None
        self._thread = thread or DaemonThreads(1, "h2h-model")
        # Maps may take seconds; predictions do not wait behind them. OpenMP keeps a pool of threads for each thread
        # that ever computed, and lets none of them spin once there are more than cores: so this one ends after its job.
        self._aside = DaemonThreads(1, "h2h-maps", lasting=False)
        self._task: asyncio.Task[None] | None = None
        self._seconds_per_image = 0.05  # a guess until the first batch
        self._began: float | None = None
        self._spent = 0.0  # on the batch in progress, without the wait for another model's
        self.on_batch = on_batch or _ignore
        self._preparer = None
        if stages is not None:
            self._preparer = Preparer(stages, self._waiting, limits.batch, lambda: self._began is not None)

    @property
    def waiting(self) -> int:
        """Number of images that wait."""
        return len(self._waiting)

    @property
    def busy_seconds(self) -> float:
        """How long the batch in progress has taken so far; 0 when idle."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def start(self) -> None:
        """Begin to compute; call it inside the running event loop."""
        self._task = asyncio.create_task(self._run())
        if self._preparer is not None:
            self._preparer.start()

    async def stop(self) -> None:
        """Stop; what waits is refused with 503."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._preparer is not None:
            await self._preparer.stop()
        for item in self._waiting:
            if not item.result.done():
                item.result.set_exception(ProblemError(503, "The server is stopping; send this again."))
        self._waiting.clear()
        self._aside.shutdown()
        if not self._shared:
            self._thread.shutdown()

    def check_room(self, n: int) -> None:
        """Refuse a request that would not find room, before its images are looked at.

        Raises:
            TooBusyError: with the time after which there should be room.
        """
        if len(self._waiting) + n > self._limits.waiting:
            raise TooBusyError(
                f"{len(self._waiting)} images wait already; the limit is {self._limits.waiting}. Send this again "
                "later.",
                retry_after=len(self._waiting) * self._seconds_per_image,
            )

    async def submit(self, images: Sequence[tuple[str, bytes, int]]) -> list[ImagePrediction]:
        """Return the results of a request's images (name, content, pixels), in order.

        Raises:
            TooBusyError: there is no room for all of them.
            ProblemError: 503 after `seconds`, or the model failed.
        """
        self.check_room(len(images))
        loop = asyncio.get_running_loop()
        items = [WaitingImage(*image, result=loop.create_future()) for image in images]
        self._waiting.extend(items)
        self._arrived.set()
        self._look_ahead()
        try:
            async with time_limit(self._limits.seconds):
                return [await item.result for item in items]
        finally:
            for item in items:  # an image that nobody waits for is not computed, an error not read twice
                if not item.result.cancel() and not item.result.cancelled():
                    item.result.exception()

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what another function of the model gives, computed in a thread beside that of the predictions.

        Raises:
            ProblemError: 503 after `seconds`.
        """
        async with time_limit(self._limits.seconds):
            return await asyncio.get_running_loop().run_in_executor(self._aside, function, *arguments)

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if not batch:
                self._arrived.clear()
                continue
            await self._compute(batch)

    def _take(self) -> list[WaitingImage]:
        """Take what waits, up to the limits on images and pixels."""
        batch: list[WaitingImage] = []
        pixels, most = 0, self._limits.batch
        if self._thread.busy:  # with what another model computes
            most = min(most, max(1, int(SHARED_SECONDS / self._seconds_per_image)))
        while self._waiting and len(batch) < most:
            if self._waiting[0].result.done():
                self._waiting.popleft()
                continue
            pixels += self._waiting[0].pixels
            if batch and pixels > self._limits.pixels:
                break
            batch.append(self._waiting.popleft())
        # What is beyond a power of two goes with the next batch: a network keeps buffers for each size that it meets.
        extra = batch[sizes_up_to(len(batch))[-1] :] if batch else []
        self._waiting.extendleft(reversed(extra))
        return batch[: len(batch) - len(extra)]

    async def _compute(self, batch: list[WaitingImage]) -> None:
        self._began = time.monotonic()
        self._look_ahead()
        self._spent = 0.0
        try:
            parts = await parts_of(batch)
            if parts is None or self._stages is None:
                results = await self._call(self._predict, [(item.name, item.content) for item in batch])
            else:
                results = await self._call(self._stages.finish, parts)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other images must not suffer
            results = await self._one_by_one(batch, error)
        finally:
            self._began = None
        # about the last five batches count
        self._seconds_per_image = 0.8 * self._seconds_per_image + 0.2 * self._spent / len(batch)
        self.on_batch(len(batch), self._spent)
        for item, result in zip(batch, results, strict=True):
            if item.result.done():
                continue
            if isinstance(result, Exception):
                item.result.set_exception(result)
            else:
                item.result.set_result(result)

    async def _one_by_one(self, batch: list[WaitingImage], error: Exception) -> list[Any]:
        """Compute the images of a failed batch alone; those that fail again get the error."""
        if len(batch) == 1:
            return [error]
        results: list[Any] = []
        for item in batch:
            try:
                results.extend(await self._call(self._predict, [(item.name, item.content)]))
            except Exception as again:  # noqa: BLE001 - each image has its own outcome
                results.append(again)
        return results

    async def _call(
        self, function: Callable[[list[Any]], Sequence[ImagePrediction]], items: list[Any]
    ) -> list[ImagePrediction]:
        loop = asyncio.get_running_loop()
        results = list(await loop.run_in_executor(self._thread, self._timed, function, items))
        if len(results) != len(items):
            raise RuntimeError(f"the model gave {len(results)} results for {len(items)} images")
        return results

    def _timed(self, function: Callable[[list[Any]], T], items: list[Any]) -> T:
        began = time.monotonic()
        try:
            return function(items)
        finally:
            self._spent += time.monotonic() - began

    def _look_ahead(self) -> None:
        if self._preparer is not None:
            self._preparer.look()


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Refuse what takes longer with 503; a thread that computes already goes on, but nobody waits for it."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise ProblemError(
            503,
            f"There was no answer within {seconds:g} s; send this again later.",
            {"Retry-After": "5"},
        ) from None


def _ignore(n: int, seconds: float) -> None:
    """Do nothing with the size and the duration of a batch."""
