"""Write a frozen network as a file of OpenVINO or ONNX: a fixed number of images in, one kind of features out."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headtohead.backbones.features.inference import Kind, asked_of
from headtohead.backbones.network import Backbone
from headtohead.core.errors import HeadToHeadError
from headtohead.core.optional import require

__all__ = ["write_onnx", "write_openvino"]

_LOGGERS = ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")


class _Asked(nn.Module):
    """A network of which one kind of features is asked."""

    def __init__(self, network: Backbone, kind: Kind) -> None:
        super().__init__()
        self.network, self._kind = network, kind

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, ...) in float32."""
        return asked_of(self.network, self._kind)(images).float()


def write_openvino(network: Backbone, kind: Kind, batch: int, path: Path) -> None:
    """Write a network in float32 as OpenVINO's .xml and .bin; frozen BatchNorm is folded on the way.

    Raises:
        HeadToHeadError: the converter does not know an operation of the network.
    """
    openvino: Any = require("openvino", "openvino", "convert networks to OpenVINO")
    example = _example(network, batch)
    with _explained(network, "OpenVINO"):
        # Traced here without torch's own check, which runs the network twice more and takes two thirds of the time;
        # what was converted is held against fp32 on images before it is used.
        trace: Any = torch.jit.trace
        traced = trace(_Asked(network, kind).eval(), example, check_trace=False)
        model = openvino.convert_model(traced, example_input=example)
        # converted dimensions are dynamic, whatever the example was
        model.reshape(list(example.shape))
        openvino.save_model(model, path, compress_to_fp16=False)  # True by default, which rounds the weights


def write_onnx(network: Backbone, kind: Kind, batch: int, path: Path) -> None:
    """Write a network in float32 as an ONNX file.

    Raises:
        HeadToHeadError: the exporter does not know an operation of the network.
    """
    require("onnxscript", "onnx", "convert networks to ONNX")
    with _explained(network, "ONNX"):
        program = torch.onnx.export(
            _Asked(network, kind).eval(),
            (_example(network, batch),),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        if program is None:
            raise RuntimeError("the exporter returned nothing")
        program.save(path)


def _example(network: Backbone, batch: int) -> Tensor:
    return torch.zeros(batch, 3, network.record.input_size, network.record.input_size)


@contextlib.contextmanager
def _explained(network: Backbone, target: str) -> Iterator[None]:
    """Keep the converters quiet, and turn whatever they raise, which may be anything, into one sentence."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            torch.no_grad(),
        ):
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise HeadToHeadError(
            f"{network.record.name} cannot be converted to {target} ({type(error).__name__}: {reason})."
        ) from error
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
