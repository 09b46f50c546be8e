"""Which arithmetic a device offers, and whether the fast one agrees with fp32 on real images."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from headtohead.core.errors import UsageError
from headtohead.core.formatting import format_percent
from headtohead.core.records import Record

__all__ = [
    "MAX_CENTRED_ERROR",
    "MAX_RELATIVE_ERROR",
    "MIN_AGREEMENT",
    "Precision",
    "PrecisionCheck",
    "check_precision",
    "dtype_of",
    "fast_precision",
    "has_amx",
    "limits",
    "pick_device",
]

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Floats = npt.NDArray[np.float32]

MAX_RELATIVE_ERROR = 0.05
MAX_CENTRED_ERROR = 0.25  # three quarters of the differences between images are kept
MIN_AGREEMENT = 0.75  # share of images that keep their nearest neighbour; ties fall either way
MAX_FLIPS = 0.02
SAME_ARITHMETIC = 1e-3  # largest error, of either kind, of another runtime in fp32
NEARLY = 1.1  # a neighbour at most a tenth farther than the nearest is as good
RIDGE = 0.1  # of the check's probe, as a share of the mean square of centred rows


class PrecisionCheck(Record):
    """How far features in a fast arithmetic are from those in fp32, on the same images.

    Attributes:
        relative_error: largest over images of |fast - fp32| / |fp32| (Euclidean norms).
        centred_error: the same over all images after taking the mean row from each side: what is
            lost of the differences between images, on which a probe lives; an offset that all images
            share makes the relative error small and tells nothing.
        flips: share of the answers of regularised linear probes that change; each probe parts one image
            from the others, is fitted on fp32 rows and asked about both.
        neighbours: share of images whose nearest other image in the fast features is also (up to
            a tenth of the distance) the nearest in fp32.
    """

    n_images: int = Field(ge=1)
    relative_error: float | None
    centred_error: float | None
    neighbours: float | None
    flips: float | None = None

    @property
    def holds(self) -> bool:
        """Return whether the fast arithmetic may be used."""
        return self._within(MAX_RELATIVE_ERROR, MAX_CENTRED_ERROR)

    def holds_for(self, precision: str) -> bool:
        """Return whether rows of a runtime in a precision may be used; in fp32 they must be all but equal."""
        return self._within(SAME_ARITHMETIC, SAME_ARITHMETIC) if precision == "fp32" else self.holds

    def _within(self, relative: float, centred: float) -> bool:
        if self.relative_error is None or self.relative_error > relative:
            return False
        return (
            (self.centred_error is None or self.centred_error <= centred)
            and (self.flips is None or self.flips <= MAX_FLIPS)
            and (self.neighbours is None or self.neighbours >= MIN_AGREEMENT)
        )

    def __str__(self) -> str:
        if self.relative_error is None:
            return f"not finite on {self.n_images} images"
        apart = (
            ""
            if self.centred_error is None
            else f", {self.centred_error:.3f} of the differences between images"
        )
        near = (
            ""
            if self.neighbours is None
            else f", nearest neighbours agree for {format_percent(self.neighbours)}"
        )
        flips = "" if not self.flips else f", {format_percent(self.flips)} of a probe's answers flip"
        return f"relative error {self.relative_error:.4f}{apart}{flips}{near}, on {self.n_images} images"


def limits(precision: str) -> str:
    """Say what is allowed."""
    if precision == "fp32":
        return f"errors of {SAME_ARITHMETIC:g}"
    return (
        f"a relative error of {MAX_RELATIVE_ERROR}, {MAX_CENTRED_ERROR} of the differences between images, "
        f"{format_percent(MAX_FLIPS)} of answers, and agreement of at least {format_percent(MIN_AGREEMENT)}"
    )


def check_precision(reference: Floats, fast: Floats) -> PrecisionCheck:
    """Compare features (n, D) of the same n images in fp32 and in a faster arithmetic.

    >>> check_precision(np.eye(3, dtype="f4"), np.eye(3, dtype="f4")).relative_error
    0.0
    """
    n = len(reference)
    if not np.isfinite(fast).all():
        return PrecisionCheck(n_images=n, relative_error=None, centred_error=None, neighbours=None)
    truth, got = reference.astype(np.float64), fast.astype(np.float64)
    gap = np.linalg.norm(got - truth, axis=1)
    size = np.maximum(np.linalg.norm(truth, axis=1), np.finfo(np.float64).tiny)
    centred = truth - truth.mean(axis=0)
    spread = float(np.linalg.norm(centred))
    moved = float(np.linalg.norm(got - got.mean(axis=0) - centred))
    return PrecisionCheck(
        n_images=n,
        relative_error=float((gap / size).max()),
        centred_error=moved / spread if spread > 0 else None,
        neighbours=_neighbours(truth, got) if n > 2 else None,
        flips=_flips(truth, got) if n > 2 else None,
    )


def _flips(truth: npt.NDArray[np.float64], got: npt.NDArray[np.float64]) -> float:
    """Return the share of changed answers of n ridge probes, in the span of the n rows."""
    n, centre = len(truth), truth.mean(axis=0)
    rows, moved = truth - centre, got - centre
    inner = rows @ rows.T
    targets = 2 * np.eye(n) - 1
    # 1e-300: where all rows are equal the ridge is 0, and the system would be singular
    weights = np.linalg.solve(
        inner + (RIDGE * np.trace(inner) / n + 1e-300) * np.eye(n), targets - targets.mean(axis=0)
    )
    offset = targets.mean(axis=0)
    return float(((inner @ weights + offset > 0) != (moved @ rows.T @ weights + offset > 0)).mean())


def _neighbours(truth: npt.NDArray[np.float64], got: npt.NDArray[np.float64]) -> float:
    true_distance, fast_distance = _distances(truth), _distances(got)
    chosen = fast_distance.argmin(axis=1)
    of_chosen = true_distance[np.arange(len(truth)), chosen]
    return float((of_chosen <= NEARLY * true_distance.min(axis=1)).mean())


def _distances(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    distance: npt.NDArray[np.float64] = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return distance


def pick_device(device: str) -> torch.device:
    """Return the device asked for; "auto" takes CUDA, then MPS, then the processor.

    Raises:
        UsageError: the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"Unknown device {device!r}; expected auto, cpu, cuda, cuda:<n> or mps.") from error
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if not here.get(chosen.type, False):
        raise UsageError(
            f"Device {device!r} is not here; available: {[name for name, yes in here.items() if yes]}."
        )
    return chosen


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def fast_precision(device: torch.device) -> Precision:
    """Return the fastest arithmetic worth checking on a device: "bf16", "fp16" or "fp32".

    On processors bf16 pays where the instructions exist (AVX512-BF16 or AMX; elsewhere it is
    emulated and slower than fp32), on CUDA from compute capability 8 on; MPS has fp16.
    """
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device)[0] >= 8 else "fp32"
    if device.type == "mps":
        return "fp16"
    has = torch.cpu.get_capabilities()
    return "bf16" if has.get("avx512_bf16") or has.get("amx_bf16") else "fp32"


def has_amx() -> bool:
    """Return whether the processor has the matrix instructions AMX for bf16."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def dtype_of(precision: Precision) -> torch.dtype:
    """Return torch's dtype for a precision other than "auto".

    Raises:
        UsageError: the name is unknown.
    """
    table = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in table:
        raise UsageError(f"Unknown precision {precision!r}; expected {', '.join(get_args(Precision))}.")
    return table[precision]
