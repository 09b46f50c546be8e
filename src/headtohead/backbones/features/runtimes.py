"""Frozen networks as other runtimes run them: OpenVINO and ONNX Runtime, on the processor.

Every pass has the same number of images and one thread; several passes run side by side. So a row has the same digits
whatever is computed with it. Converted networks are kept on disk by weights, versions and what is asked of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from headtohead.core.cache_home import cache_home
from headtohead.core.errors import HeadToHeadError, UsageError
from headtohead.core.optional import require
from headtohead.core.parallel import cores

__all__ = [
    "PAYS_FROM",
    "PAYS_FROM_WITH_AMX",
    "RUNTIMES",
    "FeatureRuntime",
    "OnnxFeatures",
    "OpenVinoFeatures",
    "RuntimeName",
    "converted",
    "pays_from",
    "planned_runtime",
    "runtime_versions",
]

Floats = npt.NDArray[np.float32]
RuntimeName = Literal["auto", "torch", "openvino", "onnx"]
RUNTIMES: tuple[RuntimeName, ...] = get_args(RuntimeName)
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "torch": (),
    "openvino": ("openvino",),
    "onnx": ("onnxruntime", "onnxscript"),
}
# Distinct images from which OpenVINO pays: it then saves about twice the processor time that converting, compiling and
# checking take. On one core with AMX (docs/speed.md, `benchmarks/speed/runtimes.py`): InceptionResNetV2 43 of 72 ms an
# image against 7 s, EfficientNet-Lite0, which stays in fp32, 19 of 26 ms against 1 s; ViT-B 7 of 69 ms against 4 s, and
# ViT-S 2 of 19 ms against 2 s, since torch's matrix products use AMX as well. Without it (Zen 4) transformers win 30
# to 35 ms. Neither the number of cores nor what the cache of converted networks holds plays a part: both would change
# digits from one run to the next.
PAYS_FROM = 300
PAYS_FROM_WITH_AMX = 1500  # a transformer
FILES = {"openvino": "model.xml", "onnx": "model.onnx"}


class FeatureRuntime(Protocol):
    """A network in evaluation mode that some runtime runs."""

    name: str
    precision: str

    def forward(self, images: Floats) -> Floats:
        """Return rows (B, ...) of normalised images (B, 3, S, S), B as it was converted; any thread may call it."""


def pays_from(family: str, *, amx: bool) -> int:
    """Return from how many distinct images on converting a network to OpenVINO pays.

    Args:
        family: of the network's record.
        amx: whether the processor has the matrix instructions AMX.

    >>> pays_from("cnn", amx=True), pays_from("transformer", amx=True), pays_from("transformer", amx=False)
    (300, 1500, 300)
    """
    return PAYS_FROM_WITH_AMX if amx and family == "transformer" else PAYS_FROM


def planned_runtime(
    asked: RuntimeName, device: str, precision: str, n_images: int, family: str, *, amx: bool
) -> tuple[str, str]:
    """Return the runtime that is to be checked first, and why, as a sentence; "" where there was no choice.

    A rule of these facts alone, and nothing that was timed, so that digits stay reproducible.

    Args:
        asked: what the user said.
        device: type of device, "cpu" or another.
        precision: what the user said of the arithmetic.
        n_images: distinct images of the data set, whether they are cached or not.
        family: of the network's record.
        amx: whether the processor has the matrix instructions AMX.

    Raises:
        UsageError: a runtime of the processor on another device.
        MissingExtraError: the runtime asked for is not installed.

    >>> planned_runtime("torch", "cpu", "auto", 1000, "cnn", amx=False)
    ('torch', '')
    """
    if asked not in RUNTIMES:
        raise UsageError(f"Unknown runtime {asked!r}; expected one of {', '.join(RUNTIMES)}.")
    if asked == "auto":
        if device != "cpu" or precision != "auto" or find_spec("openvino") is None:
            return "torch", ""
        pays = pays_from(family, amx=amx)
        if n_images >= pays:
            return "openvino", f"OpenVINO is tried: {n_images} images pay for converting the network."
        return (
            "torch",
            f"torch: {n_images} images do not pay for converting the network to OpenVINO ({pays} do).",
        )
    if asked != "torch" and device != "cpu":
        raise UsageError(
            f"Runtime {asked} runs on the processor, and the device is {device}; add --device cpu."
        )
    for package in PACKAGES[asked]:
        require(package, "openvino" if asked == "openvino" else "onnx", f"compute features with {asked}")
    return asked, ""


def runtime_versions(runtime: str) -> dict[str, str]:
    """Return the versions of the packages that a runtime adds to torch's."""
    return {name: version(name) for name in PACKAGES[runtime]}


def converted(runtime: str, identity: Mapping[str, Any], convert: Callable[[Path], None]) -> Path:
    """Return the file of a converted network, converting it where it is not kept yet.

    Args:
        runtime: "openvino" or "onnx".
        identity: what the digits depend on: weights, architecture, versions, size, batch, kind of features.
        convert: writes the network to a path.
    """
    digest = hashlib.sha256(json.dumps([runtime, identity], sort_keys=True).encode()).hexdigest()[:24]
    folder = cache_home() / "networks" / f"{runtime}-{digest}"
    if not (folder / FILES[runtime]).is_file():
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}-{threading.get_ident()}.part")
        unfinished.mkdir(parents=True)
        try:
            convert(unfinished / FILES[runtime])
            unfinished.rename(folder)  # .xml and .bin appear together
        except OSError:
            # Another process was first: its file is as good.
            if not (folder / FILES[runtime]).is_file():
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder / FILES[runtime]


class OpenVinoFeatures:
    """A network that OpenVINO runs.

    Args:
        path: of the .xml; the .bin lies next to it.
        precision: "fp32" or "bf16".
    """

    name = "openvino"

    def __init__(self, path: Path, precision: str) -> None:
        self.precision = precision
        openvino: Any = require("openvino", "openvino", "compute features with OpenVINO")
        core = openvino.Core()
        # As many streams as threads: each pass on one thread, so that no digit depends on their number.
        settings = {
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision],
            "NUM_STREAMS": cores(),
            "INFERENCE_NUM_THREADS": cores(),
        }
        self._compiled: Any = core.compile_model(core.read_model(path), "CPU", settings)
        # a hint is only a hint: without bf16 instructions OpenVINO computes in float32, and does not say so
        used = str(self._compiled.get_property("INFERENCE_PRECISION_HINT"))
        if precision == "bf16" and "bfloat16" not in used:
            raise HeadToHeadError("OpenVINO has no bf16 on this processor.")
        self._local = threading.local()  # a request serves one caller at a time

    def forward(self, images: Floats) -> Floats:
        """Return rows (B, ...) of images (B, 3, S, S)."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        return np.array(request.infer([np.ascontiguousarray(images)])[0], dtype=np.float32)


class OnnxFeatures:
    """A network that ONNX Runtime runs, in float32.

    Args:
        path: of the .onnx.
    """

    name = "onnx"
    precision = "fp32"

    def __init__(self, path: Path) -> None:
        runtime: Any = require("onnxruntime", "onnx", "compute features with ONNX Runtime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def forward(self, images: Floats) -> Floats:
        """Return rows (B, ...) of images (B, 3, S, S)."""
        return np.asarray(self._session.run(None, {self._input: np.ascontiguousarray(images)})[0], np.float32)
