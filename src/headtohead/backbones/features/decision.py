"""Which runtime and which arithmetic compute frozen features: the fastest that agrees with torch in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from headtohead.backbones.features.identity import ExtractionTask
from headtohead.backbones.features.inference import forward_in_batches
from headtohead.backbones.features.precision import (
    Precision,
    PrecisionCheck,
    check_precision,
    dtype_of,
    fast_precision,
    limits,
)
from headtohead.backbones.features.runtimes import FeatureRuntime, OnnxFeatures, OpenVinoFeatures, converted
from headtohead.backbones.network import Backbone
from headtohead.core.errors import HeadToHeadError, PrecisionError
from headtohead.core.progress import Reporter

__all__ = ["FeatureWork", "decide", "ready"]

Floats = npt.NDArray[np.float32]
Decided = tuple[Backbone | FeatureRuntime, dict[str, Any]]
CHECK_BATCH = 4


class FeatureWork(ExtractionTask, Protocol):
    """What is known of an extraction whose network is to be chosen."""

    @property
    def reporter(self) -> Reporter:
        """Hears what is dropped, and why."""

    def load(self, precision: Precision) -> Backbone:
        """Return the network in torch."""


def ready(
    work: FeatureWork, how: Mapping[str, Any], identity: Mapping[str, Any]
) -> Backbone | FeatureRuntime:
    """Return the network as it was decided before.

    Args:
        how: runtime and precision of the decision.
        identity: of the rows.
    """
    runtime = how.get("runtime", "torch")
    if runtime == "torch":
        return work.load(how["precision"])
    return _other(work, runtime, how["precision"], identity, lambda: work.load("fp32"))


def decide(
    work: FeatureWork, inputs: Callable[[], Floats], identity: Mapping[str, Any], planned: str
) -> Decided:
    """Return the network to be used, and what is to be noted of the choice.

    Args:
        inputs: makes the images of the check, (n, 3, S, S).
        identity: of the rows.
        planned: the runtime to be checked first; torch follows where it is off.

    Raises:
        PrecisionError: what was asked for by name does not agree with torch in float32.
        HeadToHeadError: a runtime asked for by name cannot take the network.
    """
    network = work.load("fp32")
    if planned == "torch":
        return _in_torch(work, network, inputs)
    images, tried = inputs(), []
    reference = _rows(forward_in_batches(network, images, work.options.kind, CHECK_BATCH))
    for precision in _arithmetics(work, planned):
        try:
            runtime = _other(work, planned, precision, identity, lambda: network)
        except HeadToHeadError as error:
            if work.options.runtime == planned:
                raise
            tried.append(f"{planned} in {precision}: {error}")
            continue
        rows = _rows(forward_in_batches(runtime, images, work.options.kind, work.batch))
        check = check_precision(reference, rows)
        note = f"{planned} in {precision} against torch in fp32: {check}"
        if check.holds_for(precision):
            return runtime, {
                **_facts(planned, precision, " ".join([*tried, note])),
                "check": check.model_dump(),
            }
        tried.append(_too_far(f"{work.record.name} by {planned}", precision, check))
    if work.options.runtime == planned:
        raise PrecisionError(f"{' '.join(tried)} Use --runtime torch or auto.")
    for line in tried:
        work.reporter.info(f"{line} Going on without it.")
    found, facts = _in_torch(work, network, lambda: images)
    return found, {**facts, "precision_note": " ".join([*tried, facts["precision_note"]])}


def _arithmetics(work: FeatureWork, runtime: str) -> tuple[Precision, ...]:
    """Return what to check, the fastest first."""
    asked = work.options.precision
    if runtime == "onnx":
        return ("fp32",)  # the file is written in float32
    if asked != "auto":
        return (asked,)
    return ("bf16", "fp32") if fast_precision(work.device) == "bf16" else ("fp32",)


def _other(
    work: FeatureWork, runtime: str, precision: str, identity: Mapping[str, Any], load: Callable[[], Backbone]
) -> FeatureRuntime:
    from headtohead.backbones.features import convert_network

    write = convert_network.write_openvino if runtime == "openvino" else convert_network.write_onnx
    # what decides the converted file: images and recipe do not, so studies share it
    kept = {
        key: identity[key] for key in ("architecture", "weights", "kind", "batch", "versions", "arithmetic")
    }
    facts = {**kept, "size": work.record.input_size, "model_args": work.record.model_args}
    path = converted(runtime, facts, lambda path: write(load(), work.options.kind, work.batch, path))
    return _opened(runtime, path, precision)


def _opened(runtime: str, path: Path, precision: str) -> FeatureRuntime:
    return OpenVinoFeatures(path, precision) if runtime == "openvino" else OnnxFeatures(path)


def _in_torch(work: FeatureWork, network: Backbone, inputs: Callable[[], Floats]) -> Decided:
    precision = work.options.precision
    wanted = fast_precision(work.device) if precision == "auto" else precision
    if wanted == "fp32":
        return network, {**_facts("torch", "fp32", _why_fp32(precision, work.device)), "check": None}
    images, kind = inputs(), work.options.kind
    reference = _rows(forward_in_batches(network, images, kind, CHECK_BATCH))
    network = network.to(dtype=dtype_of(wanted))
    check = check_precision(reference, _rows(forward_in_batches(network, images, kind, CHECK_BATCH)))
    facts = {"check": check.model_dump()}
    if check.holds_for(wanted):
        return network, {**_facts("torch", wanted, f"{wanted} against fp32: {check}"), **facts}
    note = _too_far(work.record.name, wanted, check)
    if precision != "auto":
        raise PrecisionError(f"{note} Use precision 'fp32' or 'auto'.")
    work.reporter.info(f"{note} Going on in fp32.")
    # loaded again, since `to` has rounded the weights in place
    return work.load("fp32"), {**_facts("torch", "fp32", note), **facts}


def _rows(found: Floats) -> Floats:
    return found.reshape(len(found), -1)


def _facts(runtime: str, precision: str, note: str) -> dict[str, Any]:
    return {"runtime": runtime, "precision": precision, "precision_note": note}


def _why_fp32(asked: Precision, device: torch.device) -> str:
    return "asked for" if asked == "fp32" else f"{device.type} has no faster arithmetic that is worth it here"


def _too_far(what: str, wanted: str, check: PrecisionCheck) -> str:
    return f"{what} in {wanted} does not agree with fp32 ({check}; allowed are {limits(wanted)})."
