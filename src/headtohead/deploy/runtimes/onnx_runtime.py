"""A network in ONNX Runtime, on the CPU, in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.optional import require

__all__ = ["OnnxRuntime"]

Floats = npt.NDArray[np.float32]


class OnnxRuntime:
    """A network that ONNX Runtime runs; safe to call from several threads.

    Args:
        content: the ONNX file.
        threads: of one pass; 0 lets ONNX Runtime choose.
    """

    name = "onnxruntime"

    def __init__(self, content: bytes, threads: int = 0) -> None:
        ort = require("onnxruntime", "onnx", "run ONNX models")
        options: Any = ort.SessionOptions()
        options.intra_op_num_threads = threads
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
