"""From a torch network to a graph that other runtimes read; the number of images stays free."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import nn

from headtohead.core.errors import HeadToHeadError
from headtohead.deploy.model import DeployedModel

__all__ = ["OUTPUTS", "exportable", "input_names", "to_onnx", "to_program"]

OUTPUTS = ("logits", "features")
# Two, because torch.export takes a batch of one for a constant.
EXAMPLES = 2
_LOGGERS = ("torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")


def input_names(n: int) -> list[str]:
    """Return the names of a graph's inputs: images, images_1, …"""
    return ["images", *(f"images_{number}" for number in range(1, n))]


class WithFeatures(nn.Module):
    """A bundle's network that returns logits and the features that the guard compares."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n, k) and features (n, D) of prepared inputs."""
        logits, rows = self.network.with_features(*inputs)
        return logits, rows


def exportable(model: DeployedModel) -> nn.Module:
    """Return the network of a bundle as the exporters take it.

    Raises:
        UsageError: the model was exported already.
    """
    return WithFeatures(model.network).eval()


def to_onnx(network: nn.Module, sides: Sequence[int]) -> bytes:
    """Return a network as an ONNX file in float32.

    Args:
        network: one (n, 3, S, S) for each side in, logits (n, k) and features (n, D) out; in evaluation mode, on
            the CPU, in float32.
        sides: of the square inputs in pixels.

    Raises:
        HeadToHeadError: the exporter does not know an operation of the network.
    """
    with _quiet(), _explained("ONNX"), torch.no_grad():
        program = torch.onnx.export(
            network,
            _examples(sides),
            dynamo=True,
            dynamic_shapes=_free(sides),
            input_names=input_names(len(sides)),
            output_names=[*OUTPUTS],
            external_data=False,  # one file, so that the seal covers the weights
            verbose=False,
        )
        if program is None:
            raise RuntimeError("the exporter returned nothing")
        content: bytes = program.model_proto.SerializeToString()
    return content


def to_program(network: nn.Module, sides: Sequence[int], documents: Mapping[str, str]) -> bytes:
    """Return a network as a torch program (.pt2), which needs torch alone, with documents inside it.

    Raises:
        HeadToHeadError: the network cannot be traced.
    """
    stream = io.BytesIO()
    with _quiet(), _explained("a torch program"), torch.no_grad():
        program = torch.export.export(network, _examples(sides), dynamic_shapes=_free(sides), strict=False)
        torch.export.save(program, stream, extra_files=dict(documents))
    return stream.getvalue()


def _examples(sides: Sequence[int]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.zeros(EXAMPLES, 3, side, side) for side in sides)


def _free(sides: Sequence[int]) -> tuple[Any, ...]:
    """Return the dynamic shapes for *inputs: any number of images, the same for all inputs."""
    n = torch.export.Dim("n")
    return (tuple({0: n} for _ in sides),)


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
