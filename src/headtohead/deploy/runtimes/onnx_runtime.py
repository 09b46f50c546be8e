"""A network in ONNX Runtime, on the CPU, in float32."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.optional import require

__all__ = ["OnnxRuntime"]

Floats = npt.NDArray[np.float32]


class OnnxRuntime:
    """A network that ONNX Runtime runs; safe to call from several threads.

    Its idle threads spin between layers, which is fastest for one caller, unless OMP_WAIT_POLICY is PASSIVE, as in a
    server: there they would take the cores from requests and from decoding.

    Args:
        content: the ONNX file.
        threads: of one pass; 0 lets ONNX Runtime choose.
    """

    name = "onnxruntime"

    def __init__(self, content: bytes, threads: int = 0) -> None:
        ort = require("onnxruntime", "onnx", "run ONNX models")
        options: Any = ort.SessionOptions()
        options.intra_op_num_threads = threads
        if os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE":
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors; its warnings speak of graph optimisation
        self._session: Any = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._inputs: list[str] = [one.name for one in self._session.get_inputs()]

    def forward(self, *inputs: Floats) -> Floats:
        """Return logits (n, k) of prepared inputs (n, 3, S, S)."""
        return self.forward_features(*inputs)[0]

    def forward_features(self, *inputs: Floats) -> tuple[Floats, Floats]:
        """Return logits (n, k) and the features (n, D) that the guard compares."""
        logits, rows = self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))
        return logits, rows
