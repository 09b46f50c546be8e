"""A network in ONNX Runtime, on the CPU, in float32."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.optional import require
from headtohead.core.parallel import quota_cores

__all__ = ["OnnxRuntime"]

Floats = npt.NDArray[np.float32]

# From one layer to the next: with 50 a lone image of EfficientNet-Lite0 took 9.9 ms on two cores, with 20 10.9, with
# none 12.0, and with 300 9.8.
SPIN_MICROSECONDS = "50"


class OnnxRuntime:
    """A network that ONNX Runtime runs; safe to call from several threads.

    Its idle threads spin until there is work, unless OMP_WAIT_POLICY is PASSIVE, as in a server: there they would take
    the cores from requests and from decoding, and spin for `SPIN_MICROSECONDS` at most.

    Args:
        content: the ONNX file.
        threads: of one pass; 0 takes those of the process's quota, and without one lets ONNX Runtime choose.
    """

    name = "onnxruntime"

    def __init__(self, content: bytes, threads: int = 0) -> None:
        ort = require("onnxruntime", "onnx", "run ONNX models")
        options: Any = ort.SessionOptions()
        options.intra_op_num_threads = threads or quota_cores()
        if os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE":
            options.add_session_config_entry(*_short_spins(ort.__version__))
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


def _short_spins(version: str) -> tuple[str, str]:
    """Return the setting by which idle threads soon sleep; before 1.26 there is only one by which they never spin.

    >>> _short_spins("1.32.0"), _short_spins("1.24.1")
    (('session.intra_op.spin_duration_us', '50'), ('session.intra_op.allow_spinning', '0'))
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) >= (1, 26):
        return "session.intra_op.spin_duration_us", SPIN_MICROSECONDS
    return "session.intra_op.allow_spinning", "0"
