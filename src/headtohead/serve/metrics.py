"""Counters for Prometheus; no label holds anything that a client sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headtohead._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from headtohead.serve.hosting.batching import BatchQueue

__all__ = ["ServeMetrics"]

# Denser where one image is answered on a CPU, about 25 ms.
SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCHES = (1, 2, 4, 8, 16, 32, 64)  # powers of two up to the largest batch


class ServeMetrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter(
            "headtohead_requests_total", "Requests answered.", ["route", "method", "status"], registry=own
        )
        self.seconds = Histogram(
            "headtohead_request_seconds", "Time to the answer.", ["route"], buckets=SECONDS, registry=own
        )
        self.images = Counter(
            "headtohead_images_total", "Images predicted.", ["model", "outcome"], registry=own
        )
        self.batch = Histogram(
            "headtohead_batch_images", "Images computed together.", ["model"], buckets=BATCHES, registry=own
        )
        self.batch_seconds = Histogram(
            "headtohead_batch_seconds", "Time to compute a batch.", ["model"], buckets=SECONDS, registry=own
        )
        self.waiting = Gauge(
            "headtohead_waiting_images", "Images that wait for a model.", ["model"], registry=own
        )
        self.held = Gauge("headtohead_upload_bytes", "Bytes of uploads held in memory.", registry=own)
        Info("headtohead_build", "Version of headtohead.", registry=own).info({"version": __version__})

    def watch(self, model: str, queue: BatchQueue) -> Callable[[int, float], None]:
        """Show the queue of a model; return what is to be called after each of its batches."""
        self.waiting.labels(model).set_function(lambda: queue.waiting)
        size, seconds = self.batch.labels(model), self.batch_seconds.labels(model)

        def after(n: int, took: float) -> None:
            size.observe(n)
            seconds.observe(took)

        return after

    def text(self) -> bytes:
        """Return all numbers in the Prometheus text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)
