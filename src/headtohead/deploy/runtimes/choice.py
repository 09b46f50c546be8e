"""Which runtime answers: the fastest of those that agree with torch in float32, checked at every load."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError, PrecisionError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Record

__all__ = ["RUNTIMES", "NetworkRuntime", "RuntimeChoice", "RuntimeFacts", "choose_runtime", "sample_inputs"]

Floats = npt.NDArray[np.float32]
RuntimeName = Literal["auto", "torch", "openvino", "onnxruntime"]
RUNTIMES: tuple[RuntimeName, ...] = ("auto", "torch", "openvino", "onnxruntime")

# As for exports (`deploy.export.parity`): far below what a probability is read to.
MAX_DIFFERENCE = 1e-3
SAMPLES = 4  # images of the check: the arithmetic of a network is right or wrong on all of them
REPEATS = 3  # passes that are timed, after one that warms up


class NetworkRuntime(Protocol):
    """What runs the network.

    A runtime may also have `forward_features`, which returns logits and the features that the guard compares with
    those of the training images; without it that one check is off.
    """

    name: str

    def forward(self, *inputs: Floats) -> Floats:
        """Return logits (n, k) of prepared inputs, one (n, 3, S, S) for each input of the bundle."""


class RuntimeFacts(Record):
    """What the check found of one runtime.

    Attributes:
        difference: largest difference of a softmax probability to torch in float32.
        milliseconds: of one image alone.
        note: why it was not taken, or "".
    """

    name: str
    difference: float | None = None
    milliseconds: float | None = None
    note: str = ""


class RuntimeChoice(Record):
    """The runtime taken, and what was found of each."""

    name: str
    checked: tuple[RuntimeFacts, ...]


def choose_runtime(
    reference: NetworkRuntime,
    others: Mapping[str, Callable[[], NetworkRuntime]],
    inputs: Sequence[Floats],
    *,
    wanted: str = "auto",
    reporter: Reporter = QUIET,
) -> tuple[NetworkRuntime, RuntimeChoice]:
    """Return the runtime to use.

    Args:
        reference: torch in float32.
        others: name -> what builds that runtime; called only where it may be taken.
        inputs: of the network, one (n, 3, S, S) each, on which the others are checked.
        wanted: "auto" for the fastest that agrees, or a name.

    Raises:
        PrecisionError: the runtime asked for does not agree with torch.
        MissingExtraError: the runtime asked for is not installed.
        UnknownNameError: no runtime of that name.
    """
    if wanted not in RUNTIMES:
        raise unknown_name("runtime", wanted, RUNTIMES)
    if wanted == "torch":
        return reference, RuntimeChoice(name=reference.name, checked=())
    truth = _softmax(reference.forward(*inputs))
    facts = [RuntimeFacts(name=reference.name, difference=0.0, milliseconds=_time(reference, inputs))]
    usable: list[tuple[float, NetworkRuntime]] = [(facts[0].milliseconds or 0.0, reference)]
    for name, build in others.items():
        if wanted in ("auto", name):
            found, runtime = _check(name, build, truth, inputs, strict=wanted == name)
            facts.append(found)
            if runtime is not None and found.milliseconds is not None:
                usable.append((found.milliseconds, runtime))
            # A runtime that gives other answers is worth a warning, one that is not installed is not.
            elif found.difference is not None:
                reporter.warning(f"{name} is not used: {found.note}")
            else:
                reporter.info(f"{name} is not used: {found.note}")
    # Of a runtime that was named, either it comes last or an error was raised.
    _, taken = usable[-1] if wanted != "auto" else min(usable, key=lambda pair: pair[0])
    times = ", ".join(f"{one.name} {one.milliseconds:.1f}" for one in facts if one.milliseconds is not None)
    reporter.info(f"Runtime: {taken.name} (milliseconds an image: {times}).")
    return taken, RuntimeChoice(name=taken.name, checked=tuple(facts))


def _check(
    name: str, build: Callable[[], NetworkRuntime], truth: Floats, inputs: Sequence[Floats], *, strict: bool
) -> tuple[RuntimeFacts, NetworkRuntime | None]:
    try:
        runtime = build()
    except HeadToHeadError as error:
        if strict:
            raise
        return RuntimeFacts(name=name, note=str(error)), None
    gap = np.abs(_softmax(runtime.forward(*inputs)) - truth).max()
    difference = float(gap) if np.isfinite(gap) else float("inf")
    if difference <= MAX_DIFFERENCE:
        return RuntimeFacts(name=name, difference=difference, milliseconds=_time(runtime, inputs)), runtime
    note = (
        f"its probabilities differ from torch's in float32 by up to {difference:.2g} on {len(inputs[0])} images; "
        f"allowed is {MAX_DIFFERENCE:g}"
    )
    if strict:
        raise PrecisionError(f"{name} cannot be used: {note}. Use --runtime torch or auto.")
    return RuntimeFacts(name=name, difference=difference, note=note), None


def _time(runtime: NetworkRuntime, inputs: Sequence[Floats]) -> float:
    one = [batch[:1] for batch in inputs]
    runtime.forward(*one)
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        runtime.forward(*one)
        seconds.append(time.perf_counter() - began)
    return round(1000 * statistics.median(seconds), 3)


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def sample_inputs(side: int, n: int = SAMPLES) -> Floats:
    """Return (n, 3, side, side) smooth shapes on a dark background, in the range of normalised images."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    images = []
    for _ in range(n):
        inside = (y / rng.uniform(0.6, 0.9)) ** 2 + (x / rng.uniform(0.5, 0.8)) ** 2 < 1
        waves = sum(
            rng.uniform(0.05, 0.2)
            * np.sin(rng.uniform(2, 25) * (y * np.cos(a) + x * np.sin(a)) + rng.uniform(0, 6))
            for a in rng.uniform(0, np.pi, 6)
        )
        plane = np.where(inside, 0.5 + waves, 0.02) + rng.normal(0, 0.01, y.shape)
        # near ImageNet's mean and deviation
        images.append(np.repeat((np.clip(plane, 0, 1)[None] - 0.45) / 0.25, 3, axis=0))
    return np.asarray(images, np.float32)
