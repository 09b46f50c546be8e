"""From a torch network to a graph that other runtimes read; the number of images stays free."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import torch
from torch import nn

from headtohead.core.errors import HeadToHeadError

__all__ = ["INPUT", "OUTPUT", "to_onnx", "to_program"]

INPUT, OUTPUT = "images", "logits"
# Two, because torch.export takes a batch of one for a constant.
EXAMPLES = 2
_LOGGERS = ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")


def to_onnx(network: nn.Module, side: int) -> bytes:
    """Return a network as an ONNX file: `images` (n, 3, side, side) in, `logits` (n, k) out, float32.

    Args:
        network: in evaluation mode, on the CPU, in float32.
        side: of the square input in pixels.

    Raises:
        HeadToHeadError: the exporter does not know an operation of the network.
    """
    with _quiet(), _explained("ONNX"), torch.no_grad():
        program = torch.onnx.export(
            network,
            (_example(side),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("n")},),
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
            verbose=False,
        )
        if program is None:
            raise RuntimeError("the exporter returned nothing")
        content: bytes = program.model_proto.SerializeToString()
    return content


def to_program(network: nn.Module, side: int, documents: Mapping[str, str]) -> bytes:
    """Return a network as a torch program (.pt2), which needs torch alone, with documents inside it.

    Raises:
        HeadToHeadError: the network cannot be traced.
    """
    stream = io.BytesIO()
    with _quiet(), _explained("a torch program"), torch.no_grad():
        program = torch.export.export(
            network, (_example(side),), dynamic_shapes=({0: torch.export.Dim("n")},), strict=False
        )
        torch.export.save(program, stream, extra_files=dict(documents))
    return stream.getvalue()


def _example(side: int) -> torch.Tensor:
    return torch.zeros(EXAMPLES, 3, side, side)


@contextmanager
def _explained(target: str) -> Iterator[None]:
    """Turn whatever the exporter raises into one sentence; it raises anything, down to assertion errors."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise HeadToHeadError(
            f"The network cannot be written as {target} ({type(error).__name__}: {reason}). Serve the bundle itself, "
            "or export to another format."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' warnings, log lines and progress marks from the terminal."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
