"""Measure `headtohead serve` beside the same model behind plain FastAPI without batching, and its memory over time.

    python -m benchmarks.serve_vs_plain                       # one and 32 clients, 20 s each, and the bare model
    python -m benchmarks.serve_vs_plain --soak 600            # 32 clients for ten minutes, memory every 10 s
    python -m benchmarks.serve_vs_plain --bundle models/lite0 # a bundle in place of the built-in probe
    python -m benchmarks.serve_vs_plain --bundle models/lite0 --runtime onnxruntime

With `--runtime` the bare model and headtohead run in it; plain FastAPI is measured twice, with torch, which is what
a bundle behind a tutorial's server runs in, and with the same runtime.

The built-in probe is efficientnet-lite0 (`--network`, any timm name with a `scratch:` in front for random weights)
with a linear head of random numbers: the cost is that of a real probe, its answers mean nothing. Clients are
closed loops in a process of their own: each sends its next image when it has the answer to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.deploy.prediction import ImagePrediction

BOUNDARY = b"h2hbenchmark"


class Probe:
    """A network and a linear head, with the members of `DeployedModel` that the server needs."""

    def __init__(self, network: str) -> None:
        from headtohead.backbones.catalog import resolve
        from headtohead.backbones.load import load_backbone

        self._backbone = load_backbone(resolve(network))
        self.name, self.contender = network.replace(":", "-"), network
        self.digest = hashlib.sha256(network.encode()).hexdigest()
        self.classes, self.positive = ("no", "yes"), "yes"
        self.estimate: dict[str, Any] = {
            "caveats": ["A probe for measuring speed; its answers mean nothing."]
        }
        self._head = np.random.default_rng(0).normal(0, 0.02, 4096)

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        """Decode, resize, run the network, apply the head."""
        import cv2
        import torch

        from headtohead.data.readers import read_image

        record = self._backbone.record
        side, images = record.input_size, []
        for _, content in items:
            pixels = np.asarray(read_image(content).pixels, np.float32)
            rgb = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
            small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA) / 255
            images.append((small - np.asarray(record.mean, np.float32)) / np.asarray(record.std, np.float32))
        batch = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).copy())
        with torch.inference_mode():
            features = self._backbone(batch)
        rows = features.reshape(len(items), -1).numpy()[:, :4096]
        p = 1 / (1 + np.exp(-(rows @ self._head[: rows.shape[1]])))
        return [
            ImagePrediction(
                path=name,
                sha256=hashlib.sha256(content).hexdigest(),
                probabilities={"no": 1 - float(one), "yes": float(one)},
                predicted="yes" if one >= 0.5 else "no",
                threshold=0.5,
                set=("yes",) if one >= 0.5 else ("no",),
            )
            for (name, content), one in zip(items, p, strict=True)
        ]


def model_of(options: argparse.Namespace) -> Any:
    """Return the bundle or the probe, with the number of threads that was asked for."""
    import torch

    torch.set_num_threads(options.threads)
    if options.bundle is not None:
        from headtohead.serve.app import load_bundle

        return load_bundle(options.bundle, options.runtime)
    return Probe(options.network)


def serve_plain(options: argparse.Namespace) -> None:
    """Serve the model as the tutorials do: one endpoint, one image, FastAPI's own threads."""
    import uvicorn
    from fastapi import FastAPI, File

    model, app = model_of(options), FastAPI()
    model.predict_bytes([("warm", sample_image())])

    @app.post("/v1/predict")
    def predict(file: bytes = File()) -> dict[str, Any]:
        result = model.predict_bytes([("a", file)])[0]
        return {"label": result.predicted, "probabilities": dict(result.probabilities)}

    uvicorn.run(app, port=options.port, log_level="warning", access_log=False)


def serve_ours(options: argparse.Namespace) -> None:
    """Serve the model with headtohead."""
    from headtohead.serve.process import wait_briefly

    wait_briefly()
    from headtohead.serve.app import build_app, load_bundle
    from headtohead.serve.server import run_server
    from headtohead.serve.settings import ServeSettings

    settings = ServeSettings(port=options.port)
    if options.bundle is None:
        app = build_app([model_of(options)], settings)
    else:  # loaded by the server itself, in the thread that computes
        import torch

        torch.set_num_threads(options.threads)
        app = build_app([options.bundle], settings, load=lambda path: load_bundle(path, options.runtime))
    run_server(app, settings)


def sample_image() -> bytes:
    """Return a PNG of 256 x 256 noise on a ramp, about the size of a slice."""
    import PIL.Image

    ramp = np.add.outer(np.arange(256), np.arange(256)) / 2
    noisy = ramp + np.random.default_rng(0).normal(0, 6, ramp.shape)
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


async def load(port: int, clients: int, seconds: float) -> list[float]:
    """Return the time of each answer to closed loops of clients that keep their connections."""
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' % BOUNDARY
    body = head + sample_image() + b"\r\n--%s--\r\n" % BOUNDARY
    request = (
        b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=%s\r\n"
        b"Content-Length: %d\r\n\r\n" % (BOUNDARY, len(body))
    ) + body
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in answer.split(b"\r\n", 1)[0]:
                raise RuntimeError(answer.split(b"\r\n", 1)[0].decode())
            length = next(
                int(line[15:])
                for line in answer.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            await reader.readexactly(length)
            times.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return times


def summary(times: list[float], seconds: float) -> dict[str, float]:
    """Return percentiles in ms and the throughput."""
    p50, p95, p99 = np.percentile(times, (50, 95, 99)) * 1000
    return {"n": len(times), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "per_second": len(times) / seconds}


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def wait_until_up(port: int) -> float:
    """Return the seconds until the port answers."""
    import http.client

    began = time.perf_counter()
    while time.perf_counter() - began < 120:
        try:
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            link.request("GET", "/openapi.json")
            link.getresponse().read()
            return time.perf_counter() - began
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the server did not start within 120 s")


def measure(options: argparse.Namespace, role: str, runtime: str | None = None) -> dict[str, Any]:
    """Start one server, load it, stop it."""
    words = [sys.executable, "-m", "benchmarks.serve_vs_plain", "--role", role, "--port", str(options.port)]
    words += ["--threads", str(options.threads), "--network", options.network]
    words += ["--bundle", str(options.bundle)] if options.bundle else []
    words += ["--runtime", runtime] if runtime else []
    process = subprocess.Popen(
        words, stderr=subprocess.DEVNULL if role == "ours" else None, env=dict(os.environ)
    )
    try:
        found: dict[str, Any] = {"ready_s": wait_until_up(options.port)}
        asyncio.run(load(options.port, 4, 2))
        if options.soak and role == "ours":
            found["memory_mb"] = [memory_mb(process.pid)]
            times: list[float] = []
            while len(found["memory_mb"]) <= options.soak // 10:
                times += asyncio.run(load(options.port, 32, 10))
                found["memory_mb"].append(memory_mb(process.pid))
            found["soak"] = summary(times, 10 * (len(found["memory_mb"]) - 1))
        elif not options.soak:
            for clients in (1, 32):
                times = asyncio.run(load(options.port, clients, options.seconds))
                found[f"clients_{clients}"] = summary(times, options.seconds)
    finally:
        process.terminate()
        process.wait(30)
    return found


def bare(options: argparse.Namespace) -> dict[str, float]:
    """Time the model without a server."""
    model, item = model_of(options), [("a", sample_image())]
    for _ in range(10):
        model.predict_bytes(item)
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < options.seconds / 2:
        start = time.perf_counter()
        model.predict_bytes(item)
        times.append(time.perf_counter() - start)
    found = summary(times, options.seconds / 2)
    start = time.perf_counter()
    model.predict_bytes(item * 16)
    return found | {"ms_per_image_in_16": (time.perf_counter() - start) / 16 * 1000}


def main() -> None:
    """Measure and write one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--runtime", help="of a bundle, as for `headtohead serve`")
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--soak", type=int, default=0)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--role", choices=("ours", "plain", "bare"))
    options = parser.parse_args()
    if options.role == "ours":
        serve_ours(options)
    elif options.role == "plain":
        serve_plain(options)
    elif options.role == "bare":
        sys.stdout.write(json.dumps(bare(options)) + "\n")
    elif options.soak:
        sys.stdout.write(json.dumps(measure(options, "ours", options.runtime), indent=1) + "\n")
    else:
        words = [
            sys.executable,
            "-m",
            "benchmarks.serve_vs_plain",
            "--role",
            "bare",
            "--network",
            options.network,
        ]
        words += ["--threads", str(options.threads), "--seconds", str(options.seconds)]
        words += ["--bundle", str(options.bundle)] if options.bundle else []
        words += ["--runtime", options.runtime] if options.runtime else []
        found = {"bare": json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)}
        found |= {role: measure(options, role, options.runtime) for role in ("ours", "plain")}
        if options.runtime:
            found["plain_torch"] = measure(options, "plain")
        sys.stdout.write(json.dumps(found, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
