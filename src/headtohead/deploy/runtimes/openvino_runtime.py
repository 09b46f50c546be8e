"""A network in OpenVINO, on the CPU, in float32: its own choice would be bfloat16 where the processor has it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.optional import require
from headtohead.core.parallel import quota_cores

__all__ = ["OpenVinoRuntime"]

Floats = npt.NDArray[np.float32]


class OpenVinoRuntime:
    """A network that OpenVINO runs; every thread has its own request.

    Args:
        source: the bytes of an ONNX file, or those of an .xml and its .bin.
        threads: of one pass; 0 takes those of the process's quota, and without one lets OpenVINO choose.
    """

    name = "openvino"

    def __init__(self, source: bytes | tuple[bytes, bytes], threads: int = 0) -> None:
        openvino = require("openvino", "openvino", "run models in OpenVINO")
        core: Any = openvino.Core()
        model = core.read_model(*source) if isinstance(source, tuple) else core.read_model(source)
        # Left to itself it computes in bfloat16 on processors that have it: EfficientNet-Lite0's features are then
        # off by 0.09 to 0.22 on medical images.
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads := threads or quota_cores():
            settings["INFERENCE_NUM_THREADS"] = threads
        self._compiled: Any = core.compile_model(model, "CPU", settings)
        self._local = threading.local()

    @property
    def precision(self) -> str:
        """The arithmetic that OpenVINO says it uses."""
        return str(self._compiled.get_property("INFERENCE_PRECISION_HINT"))

    def forward(self, *inputs: Floats) -> Floats:
        """Return logits (n, k) of prepared inputs (n, 3, S, S)."""
        return self.forward_features(*inputs)[0]

    def forward_features(self, *inputs: Floats) -> tuple[Floats, Floats]:
        """Return logits (n, k) and the features (n, D) that the guard compares."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        found = request.infer([np.ascontiguousarray(batch) for batch in inputs])
        return np.array(found[0], dtype=np.float32), np.array(found[1], dtype=np.float32)
