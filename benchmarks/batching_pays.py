"""What a network costs by image alone and in a batch, in each runtime: the bound on what a server gains by batching.

    OMP_NUM_THREADS=1 python benchmarks/batching_pays.py models/lite0 --rounds 25

Seconds of the processor on one thread, the runtimes in turns, so that other work on the machine moves them little.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np


def main() -> None:
    """Print milliseconds an image: the least and the lower quartile."""
    import torch

    from headtohead.deploy.export.fast_runtime import with_fast_runtime
    from headtohead.deploy.load import load_model

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model)
    names = ("torch", "onnxruntime", "openvino")
    runtimes = {name: with_fast_runtime(model, name, threads=1)[0].runtime for name in names}
    rng, sides = np.random.default_rng(0), [spec.input_size for spec in model.preprocessing.inputs]
    inputs = {
        n: [rng.normal(size=(n, 3, side, side)).astype(np.float32) for side in sides] for n in options.batches
    }
    seconds = defaultdict(list)
    for number in range(options.rounds + 1):
        for name, runtime in runtimes.items():
            for n, batch in inputs.items():
                began = time.process_time()
                runtime.forward(*batch)
                if number:  # the first warms up
                    seconds[name, n].append((time.process_time() - began) / n)
    for (name, n), found in seconds.items():
        least, quarter = 1000 * np.quantile(found, (0, 0.25))
        print(f"{name:12} batch of {n:2}: {least:6.1f} ms an image, lower quartile {quarter:6.1f}")


if __name__ == "__main__":
    main()
