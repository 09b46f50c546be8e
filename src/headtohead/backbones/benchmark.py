"""How fast this machine is with each backbone, beside what its matrix products allow: figures for `headtohead bench`.

Nothing is fetched: backbones are measured whose weights are here. Images are random numbers, so the drift of a fast
arithmetic is that of such images; on a study's own images it is checked each time features are extracted.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from headtohead.backbones.features.inference import BATCH, GPU_BATCH, forward_in_batches
from headtohead.backbones.features.precision import (
    Precision,
    check_precision,
    dtype_of,
    fast_precision,
    pick_device,
)
from headtohead.backbones.load import load_backbone
from headtohead.backbones.network import Backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.core.parallel import cores
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.provenance import collect

__all__ = ["FORMAT", "BenchSize", "benchmark"]

Floats = npt.NDArray[np.float32]
FORMAT = 1
DRIFT_IMAGES = 8  # as many as an extraction checks


@dataclass(frozen=True, slots=True)
class BenchSize:
    """How much is computed.

    Attributes:
        side: of the square matrices whose product is the ceiling.
        passes: batches of each core that a rate is measured over.
        repeats: of each measurement; the best counts, because other work on the machine can only slow it down.
    """

    side: int = 4096
    passes: int = 4
    repeats: int = 3

    @classmethod
    def of(cls, *, quick: bool) -> BenchSize:
        """Return the usual size, or one for a first look."""
        return cls(1024, 1, 1) if quick else cls()


def benchmark(
    records: Iterable[BackboneRecord],
    size: BenchSize = BenchSize(),
    *,
    device: str = "auto",
    reporter: Reporter = QUIET,
) -> dict[str, Any]:
    """Return machine facts, ceilings in TFLOP/s, and a line for each backbone.

    Args:
        records: backbones whose weights are here.
        size: how much is computed.
        device: "auto", "cpu", "cuda", "mps".
        reporter: hears how far it is.

    Returns:
        A table for JSON; of each backbone: images per second in fp32 and in the device's fast arithmetic, each with its
        share of the ceiling, drift of the fast one, seconds of loading, milliseconds of one image, bytes.
    """
    place = pick_device(device)
    fast = fast_precision(place)
    kinds: list[Precision] = ["fp32"] if fast == "fp32" else ["fp32", fast]
    ceilings = {kind: _ceiling(size, kind, place) for kind in kinds}
    wanted = list(records)
    if wanted:
        load_backbone(wanted[0], device=place)  # imports the libraries, which is not the network's time
    lines = [
        _line(record, size, place, ceilings)
        for record in reporter.progress(wanted, "bench", total=len(wanted))
    ]
    facts = {key: value for key, value in collect().items() if key not in ("command", "packages")}
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    machine = {**facts, **versions, "device": place.type, "threads": cores()}
    return {
        "format": FORMAT,
        "machine": machine,
        "repeats": size.repeats,
        "ceilings_tflops": ceilings,
        "backbones": lines,
    }


def _ceiling(size: BenchSize, precision: Precision, device: torch.device) -> float:
    """Return the TFLOP/s of one large matrix product on all cores: 2 n^3 operations over its seconds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(cores())
    try:
        a, b = (torch.ones(size.side, size.side, device=device, dtype=dtype_of(precision)) for _ in range(2))
        # untimed: the first product sets up threads and chooses kernels
        torch.mm(a, b)
        seconds = _best(lambda: torch.mm(a, b), max(3, size.repeats), device)
    finally:
        torch.set_num_threads(threads)
    return 2 * size.side**3 / seconds / 1e12


def _line(
    record: BackboneRecord, size: BenchSize, device: torch.device, ceilings: dict[Precision, float]
) -> dict[str, Any]:
    began = time.perf_counter()
    network = load_backbone(record, device=device)
    loaded = time.perf_counter() - began
    flops = _flops(network, record.input_size)
    batch = GPU_BATCH if device.type == "cuda" else BATCH
    images = _images(batch * size.passes * (1 if device.type == "cuda" else cores()), record.input_size)
    line: dict[str, Any] = {
        "name": record.name,
        "family": record.family,
        "input_size": record.input_size,
        "gflop_per_image": flops / 1e9,
        "load_seconds": loaded,
        "weights_bytes": sum(p.numel() * p.element_size() for p in network.parameters()),
        "latency_ms": 1e3 * _latency(network, images[:1], size, device),
        "rates": {},
        "drift": None,
    }
    reference = forward_in_batches(network, images[:DRIFT_IMAGES], "last", batch)
    # fp32 comes first: `to` rounds the weights in place
    for precision, ceiling in ceilings.items():
        network = network.to(dtype=dtype_of(precision))
        if precision != "fp32":
            check = check_precision(
                reference, forward_in_batches(network, images[:DRIFT_IMAGES], "last", batch)
            )
            line["drift"] = {"precision": precision, **check.model_dump(), "holds": check.holds}
        seconds = _best(lambda: forward_in_batches(network, images, "last", batch), size.repeats, device)  # noqa: B023
        rate = len(images) / seconds
        line["rates"][precision] = {
            "images_per_second": rate,
            "share_of_ceiling": rate * flops / 1e12 / ceiling,
        }
    line["peak_bytes_so_far"] = _peak_bytes(device)
    return line


def _images(n: int, side: int) -> Floats:
    """Return smooth random images (n, 3, S, S), normalised: noise of a few pixels' scale on a gradient."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(n, 3, -(-side // 8), -(-side // 8))).astype(np.float32)
    return np.ascontiguousarray(coarse.repeat(8, axis=2).repeat(8, axis=3)[:, :, :side, :side])


def _flops(network: Backbone, side: int) -> int:
    """Return the floating-point operations of one image, a multiplication with its addition counted as two."""
    from torch.utils.flop_counter import FlopCounterMode

    parameter = next(network.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, side, side, device=parameter.device))
    return int(counter.get_total_flops())


def _latency(network: Backbone, image: Floats, size: BenchSize, device: torch.device) -> float:
    """Return the median seconds of one image alone, on all cores."""
    x = torch.from_numpy(image).to(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(cores())
    try:
        with torch.inference_mode():
            network(x)
            return float(
                np.median([_seconds(lambda: network(x), device) for _ in range(2 * size.repeats + 1)])
            )
    finally:
        torch.set_num_threads(threads)


def _best(work: Callable[[], object], repeats: int, device: torch.device) -> float:
    return min(_seconds(work, device) for _ in range(repeats))


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    began = time.perf_counter()
    work()
    if device.type == "cuda":  # a call returns before the device is done
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _peak_bytes(device: torch.device) -> int | None:
    """Return the most memory of the device, or of this process, so far; None where it cannot be known."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return None
    import resource

    # getrusage counts bytes on macOS, KiB elsewhere
    unit: Literal[1, 1024] = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
