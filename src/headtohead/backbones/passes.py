"""Inputs through a network in passes that always look the same, so that a row is always the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from headtohead.backbones.network import Backbone

__all__ = ["BATCH", "GPU_BATCH", "Kind", "cores", "run_network", "steady"]

Floats = npt.NDArray[np.float32]
Kind = Literal["last", "layers", "map"]

BATCH = 8
GPU_BATCH = 32


def run_network(network: Backbone, inputs: Floats, kind: Kind = "last", batch: int = BATCH) -> Floats:
    """Return what the network says of normalised inputs (n, 3, S, S): (n, D), or (n, C, h, w) for "map".

    Every pass has `batch` pictures, the last one filled up with zeros, so that a row's digits do not
    depend on how many others there are.
    """
    parameter = next(network.parameters())
    ask = {"last": network.forward, "layers": network.layers, "map": network.feature_map}[kind]
    found = []
    with torch.inference_mode(), steady():
        for start in range(0, len(inputs), batch):
            part = inputs[start : start + batch]
            full = np.zeros((batch, *part.shape[1:]), np.float32)
            full[: len(part)] = part
            x = torch.from_numpy(full).to(parameter.device, parameter.dtype)
            x = x.contiguous(memory_format=torch.channels_last)
            found.append(ask(x)[: len(part)].float().cpu().numpy())
    rows: Floats = np.concatenate(found)
    return rows


@contextmanager
def steady() -> Iterator[None]:
    """Compute with the same threads and the same algorithms wherever and by whomever this is called.

    In fp32 the last digits of a convolution depend on the number of threads; so it is the number of
    cores (or OMP_NUM_THREADS), not what the caller happens to have set. On CUDA, convolutions are
    deterministic and fp32 means fp32, not TF32.
    """
    before, precise = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(cores())
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision(precise)


def cores() -> int:
    """Return the number of threads for arithmetic: OMP_NUM_THREADS, else the cores of this process."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdigit() and int(stated) > 0:
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
