"""The queue: nobody waits for company, what waits goes together, errors stay with their image."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from headtohead.serve.hosting.batching import BatchQueue, QueueLimits
from headtohead.serve.hosting.preparing import Stages
from headtohead.serve.hosting.threads import DaemonThreads
from headtohead.serve.problems import ProblemError, TooBusyError

LIMITS = QueueLimits(waiting=100, batch=8, pixels=1000, seconds=5)


class Recorder:
    """A model that gives back each name, and blocks until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, items: Sequence[tuple[str, bytes]]) -> Any:
        self.batches.append([name for name, _ in items])
        self.go.wait(5)
        if any(content == b"bad" for _, content in items):
            raise ValueError("bad")
        return [name for name, _ in items]


def run(recorder: Recorder, job: Any, limits: QueueLimits = LIMITS) -> Any:
    async def inside() -> Any:
        queue = BatchQueue(recorder, limits)
        queue.start()
        try:
            return await job(queue)
        finally:
            recorder.go.set()
            await queue.stop()

    return asyncio.run(inside())


def one(name: str, content: bytes = b"", pixels: int = 1) -> list[tuple[str, bytes, int]]:
    return [(name, content, pixels)]


def test_a_lone_image_is_computed_at_once() -> None:
    recorder = Recorder()

    async def job(queue: BatchQueue) -> float:
        await queue.submit(one("warm"))
        times = []
        for i in range(50):
            began = time.perf_counter()
            await queue.submit(one(str(i)))
            times.append(time.perf_counter() - began)
        return min(times)

    assert run(recorder, job) < 0.005  # a timer would show
    assert all(len(batch) == 1 for batch in recorder.batches)


@pytest.mark.parametrize(("n", "batches"), [(20, [1, 8, 8, 4]), (7, [1, 4, 2, 1])])
def test_what_waits_goes_together_in_order_and_in_powers_of_two(n: int, batches: list[int]) -> None:
    recorder = Recorder()

    async def job(queue: BatchQueue) -> list[Any]:
        recorder.go.clear()
        first = asyncio.create_task(queue.submit(one("first")))
        while not recorder.batches:
            await asyncio.sleep(0.001)
        rest = [asyncio.create_task(queue.submit(one(str(i)))) for i in range(n)]
        await asyncio.sleep(0)
        assert queue.waiting == n and queue.busy_seconds > 0
        recorder.go.set()
        return [await first, *[await task for task in rest]]

    assert run(recorder, job) == [["first"], *[[str(i)] for i in range(n)]]
    assert [len(batch) for batch in recorder.batches] == batches


def test_large_images_are_not_decoded_side_by_side() -> None:
    recorder = Recorder()

    async def job(queue: BatchQueue) -> None:
        images = [("a", b"", 600), ("b", b"", 300), ("c", b"", 300), ("huge", b"", 5000), ("d", b"", 1)]
        await queue.submit(images)

    run(recorder, job)
    assert recorder.batches == [["a", "b"], ["c"], ["huge"], ["d"]]


def test_an_error_stays_with_its_image() -> None:
    recorder = Recorder()

    async def job(queue: BatchQueue) -> list[Any]:
        jobs = [queue.submit(one("a")), queue.submit(one("b", b"bad")), queue.submit(one("c"))]
        return await asyncio.gather(*jobs, return_exceptions=True)

    first, second, third = run(recorder, job)
    assert (first, third) == (["a"], ["c"]) and isinstance(second, ValueError)


def test_a_full_queue_refuses_with_the_time_to_wait() -> None:
    recorder = Recorder()
    limits = QueueLimits(waiting=3, batch=1, pixels=10, seconds=5)

    async def job(queue: BatchQueue) -> None:
        recorder.go.clear()
        tasks = [asyncio.create_task(queue.submit(one("first")))]
        while not recorder.batches:
            await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(queue.submit(one(str(i)))) for i in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooBusyError) as caught:
            await queue.submit(one("x"))
        assert caught.value.status == 429 and int(caught.value.headers["Retry-After"]) >= 1
        recorder.go.set()
        await asyncio.gather(*tasks)
        assert next(iter(await queue.submit(one("x")))) == "x"  # type: ignore[comparison-overlap]

    run(recorder, job, limits)


def test_nobody_waits_for_ever_and_what_nobody_waits_for_is_not_computed() -> None:
    recorder = Recorder()
    limits = QueueLimits(waiting=3, batch=1, pixels=10, seconds=0.1)

    async def job(queue: BatchQueue) -> None:
        recorder.go.clear()
        with pytest.raises(ProblemError) as caught:
            await asyncio.gather(queue.submit(one("stuck")), queue.submit(one("behind")))
        assert caught.value.status == 503
        recorder.go.set()
        assert next(iter(await queue.submit(one("next")))) == "next"  # type: ignore[comparison-overlap]

    run(recorder, job, limits)
    assert recorder.batches == [["stuck"], ["next"]]


class Halves:
    """Prepares and predicts apart, and records what happens in which order."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.batches: list[list[str]] = []
        self.go = threading.Event()
        self.fails = False

    def prepare(self, name: str, content: bytes) -> str:
        self.seen.append(f"{name} in {threading.current_thread().name}")
        if self.fails and threading.current_thread().name.startswith("h2h-prepare"):
            raise MemoryError
        return f"prepared {name}"

    def predict(self, items: Sequence[Any]) -> Any:
        self.batches.append(list(items))
        self.go.wait(5)
        return [item.upper() for item in items]

    def whole(self, items: Sequence[tuple[str, bytes]]) -> Any:
        return self.predict([self.prepare(*item) for item in items])


def run_halves(halves: Halves, images: list[tuple[str, bytes, int]], limits: QueueLimits) -> list[Any]:
    """Submit a first image, then the others while it is computed."""

    async def inside() -> list[Any]:
        queue = BatchQueue(halves.whole, limits, stages=Stages(halves.prepare, halves.predict))
        queue.start()
        try:
            first = asyncio.create_task(queue.submit(one("first")))
            while not halves.batches:
                await asyncio.sleep(0.001)
            rest = asyncio.create_task(queue.submit(images))
            await asyncio.sleep(0.1)
            assert len(halves.batches) == 1  # the first is still computed
            before = list(halves.seen)
            halves.go.set()
            found = [*await first, *await rest]
            halves.seen = before
            return found
        finally:
            halves.go.set()
            await queue.stop()

    return asyncio.run(inside())


def test_images_that_wait_are_decoded_while_others_are_computed() -> None:
    halves = Halves()
    images = [("a", b"", 1), ("huge", b"", 50_000_000), ("b", b"", 1)]
    found = run_halves(halves, images, QueueLimits(waiting=9, batch=4, pixels=10**9, seconds=5))
    assert found == [f"PREPARED {name}" for name in ("FIRST", "A", "HUGE", "B")]
    # The lone one without a further thread, the huge one not beside others.
    assert halves.seen == ["first in h2h-model-0", "a in h2h-prepare-0", "b in h2h-prepare-0"]
    assert [len(batch) for batch in halves.batches] == [1, 2, 1]


def test_where_decoding_ahead_fails_it_is_done_again_in_turn() -> None:
    halves = Halves()
    halves.fails = True
    limits = QueueLimits(waiting=9, batch=1, pixels=1000, seconds=5)
    found = run_halves(halves, [("a", b"", 1), ("b", b"", 1)], limits)
    assert found == [f"PREPARED {name}" for name in ("FIRST", "A", "B")]


@pytest.mark.parametrize(("seconds_per_image", "largest"), [(0.1, 2), (1.0, 1), (0.001, 8)])
def test_while_another_model_waits_a_batch_is_short(seconds_per_image: float, largest: int) -> None:
    recorder, other = Recorder(), threading.Event()

    async def inside() -> None:
        thread = DaemonThreads(1, "h2h-model")
        queue = BatchQueue(recorder, LIMITS, thread=thread)
        queue._seconds_per_image = seconds_per_image
        thread.submit(other.wait, 5)
        queue.start()
        task = asyncio.create_task(queue.submit([image for i in range(8) for image in one(str(i))]))
        await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        other.set()
        await task
        assert len(await queue.submit([image for i in range(8) for image in one(str(i))])) == 8
        await queue.stop()
        assert thread.submit(int).result(5) == 0  # the thread is the caller's
        thread.shutdown()

    asyncio.run(inside())
    assert len(recorder.batches[0]) == largest
    assert len(recorder.batches[-1]) == 8  # alone, it takes what waits


def test_the_time_of_a_batch_is_without_the_wait_for_another_model() -> None:
    recorder, seen = Recorder(), list[tuple[int, float]]()

    async def inside() -> None:
        thread = DaemonThreads(1, "h2h-model")
        queue = BatchQueue(recorder, LIMITS, lambda n, seconds: seen.append((n, seconds)), thread=thread)
        queue.start()
        began = time.monotonic()
        thread.submit(time.sleep, 0.3)
        await queue.submit(one("a"))
        whole = time.monotonic() - began
        await queue.stop()
        thread.shutdown()
        ((n, seconds),) = seen
        assert n == 1 and whole - seconds >= 0.3

    asyncio.run(inside())


def test_maps_are_made_one_after_another_in_threads_that_end() -> None:
    async def job(queue: BatchQueue) -> list[threading.Thread]:
        threads = []
        for _ in range(2):
            threads.append(await queue.call(threading.current_thread))
            await asyncio.to_thread(threads[-1].join, 60)
            assert not threads[-1].is_alive()  # the queue has not stopped yet
        return threads

    first, second = run(Recorder(), job)
    assert first is not second and first.name == second.name == "h2h-maps-0"
