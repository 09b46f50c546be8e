"""What a frozen network costs in torch and in OpenVINO on one core, and what converting it costs.

    python benchmarks/speed/runtimes.py [NAME ...]

Processor milliseconds of an image, the best of three passes of eight images on one thread. Torch's fast arithmetic is
bf16 where the processor has it; a network whose features it changes too much is computed in fp32. From these figures
follow the numbers of images from which `--runtime auto` takes OpenVINO (`headtohead.backbones.features.runtimes`).
The figures go into `docs/speed.json`, beside those of other networks on the same kind of processor, and from there into
the table of the documentation.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded

import numpy as np
import torch

from headtohead.backbones.catalog import resolve
from headtohead.backbones.features.convert_network import write_openvino
from headtohead.backbones.features.inference import BATCH, one_pass, precise
from headtohead.backbones.features.precision import has_amx
from headtohead.backbones.features.runtimes import OpenVinoFeatures
from headtohead.backbones.load import load_backbone

NAMES = (
    "scratch:inception_resnet_v2",
    "scratch:vit_base_patch16_224",
    "scratch:vit_small_patch16_224",
    "scratch:tf_efficientnet_lite0",
)
PASSES = 3


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor's seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def per_image(network: Any, images: np.ndarray) -> float:
    """Return processor milliseconds of an image, after a pass that is not counted."""
    times = [seconds(lambda: one_pass(network, images, "last", BATCH)) for _ in range(PASSES + 1)]
    return 1000 * min(times[1:]) / BATCH


def measured(name: str) -> dict[str, float]:
    """Return the figures of one network."""
    record = resolve(name)
    network = load_backbone(record)
    shape = (BATCH, 3, record.input_size, record.input_size)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    row = {"torch_fp32": per_image(network, images)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        row["convert"] = seconds(lambda: write_openvino(network, "last", BATCH, path))
        for precision in ("fp32", "bf16"):
            opened: list[Any] = []
            row["compile"] = seconds(
                lambda precision=precision, opened=opened: opened.append(OpenVinoFeatures(path, precision))
            )
            row[f"openvino_{precision}"] = per_image(opened[0], images)
    row["torch_bf16"] = per_image(network.to(torch.bfloat16), images)
    return {key: float(f"{value:.3g}") for key, value in row.items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=NAMES)
    names = parser.parse_args().names
    from side_by_side import RESULTS, store

    known = json.loads(RESULTS.read_text()).get("runtimes", {})
    rows = dict(known.get("networks", {})) if known.get("amx") == has_amx() else {}
    with precise():
        torch.set_num_threads(1)
        for name in names:
            rows[name] = measured(name)
            print(name, rows[name], flush=True)
    store("runtimes", {"amx": has_amx(), "networks": rows})


if __name__ == "__main__":
    main()
