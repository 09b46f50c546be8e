"""Inputs through a network in passes that always look the same, so that a row is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from headtohead.backbones.features.asymmetry import bilateral_features
from headtohead.backbones.features.runtimes import FeatureRuntime
from headtohead.backbones.network import Backbone
from headtohead.core.parallel import cores

__all__ = [
    "BATCH",
    "GPU_BATCH",
    "MOST_WORKERS",
    "Kind",
    "asked_of",
    "forward_in_batches",
    "one_pass",
    "precise",
]

Floats = npt.NDArray[np.float32]
Kind = Literal["last", "layers", "symmetry", "map"]

BATCH = 8  # small: a CPU is busy with a few images, and memory stays low
GPU_BATCH = 32  # larger: a GPU is busy with many images
MOST_WORKERS = 16  # each needs memory of its own


def forward_in_batches(
    network: Backbone | FeatureRuntime, inputs: Floats, kind: Kind = "last", batch: int = BATCH
) -> Floats:
    """Return the network's output for normalised inputs (n, 3, S, S): (n, D), or (n, C, h, w) for "map".

    Every pass has `batch` images, the last one filled up with zeros, so that a row's digits do not
    depend on how many others there are. On a processor each pass runs on one thread and several
    passes run side by side: the last digits of a convolution depend on the number of threads that
    share it, and threads that do not wait for one another are faster when the machine is busy.
    """
    on_cpu = not isinstance(network, Backbone) or next(network.parameters()).device.type == "cpu"
    parts = [inputs[start : start + batch] for start in range(0, len(inputs), batch)]
    workers = min(cores(), MOST_WORKERS, len(parts)) if on_cpu else 1
    with precise():
        if on_cpu:
            with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                found = list(pool.map(lambda part: one_pass(network, part, kind, batch), parts))
        else:
            found = [one_pass(network, part, kind, batch) for part in parts]
    rows: Floats = np.concatenate(found)
    return rows


def asked_of(network: Backbone, kind: Kind) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what computes one kind of features of a network."""
    asks: dict[Kind, Callable[[torch.Tensor], torch.Tensor]] = {
        "last": network.forward,
        "layers": network.layers,
        "symmetry": partial(bilateral_features, network),
        "map": network.feature_map,
    }
    return asks[kind]


def one_pass(network: Backbone | FeatureRuntime, part: Floats, kind: Kind, batch: int) -> Floats:
    """Return the output for at most `batch` inputs; zeros fill the batch up."""
    full = np.zeros((batch, *part.shape[1:]), np.float32)
    full[: len(part)] = part
    if not isinstance(network, Backbone):
        return network.forward(full)[: len(part)]
    parameter = next(network.parameters())
    with torch.inference_mode():
        x = torch.from_numpy(full).to(parameter.device).to(parameter.dtype)  # rounded where it is faster
        x = x.contiguous(memory_format=torch.channels_last)
        rows: Floats = asked_of(network, kind)(x)[: len(part)].float().cpu().numpy()
    return rows


@contextmanager
def precise() -> Iterator[None]:
    """Make fp32 mean fp32, not TF32, and CUDA's convolutions deterministic; put all back afterwards."""
    threads, precise = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precise)
