"""Options that pick the slices of a volume, and their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headtohead.core.errors import NoEffectError, UsageError

__all__ = ["AXES", "VOLUMES", "SliceOptions", "choose"]

VOLUMES = frozenset({"NIFTI", "NRRD", "METAIMAGE", "MGH", "NPY", "MAT", "HDF5", "NPZ"})
"""Kinds of files whose frames are slices of a volume, to which the option `slices` belongs."""

AXES = {"sagittal": 0, "coronal": 1, "axial": 2}
"""The canonical axis (RAS: right, anterior, superior) that each kind of slice is cut across."""


@dataclass(frozen=True, slots=True)
class SliceOptions:
    """How a volume (NIfTI) is cut into images.

    Attributes:
        axis: "axial", "coronal" or "sagittal", or the canonical axis 0 (sagittal), 1 (coronal),
            2 (axial).
        count: this many slices, evenly spread over the whole extent; None for all.
        middle: this many neighbouring slices around the middle; None for all.

    Raises:
        UsageError: an axis or number that does not exist.
        NoEffectError: `count` and `middle` at once.

    >>> SliceOptions("coronal").number
    1
    """

    axis: Literal["axial", "coronal", "sagittal", 0, 1, 2] = "axial"
    count: int | None = None
    middle: int | None = None

    def __post_init__(self) -> None:
        if self.axis not in AXES and (isinstance(self.axis, bool) or self.axis not in (0, 1, 2)):
            raise UsageError(
                f"got the slice axis {self.axis!r}; expected one of {', '.join(sorted(AXES))} or 0, 1, 2"
            )
        for name, value in (("count", self.count), ("middle", self.middle)):
            if value is not None and value < 1:
                raise UsageError(f"got {name} = {value} slices; expected at least 1")
        if self.count is not None and self.middle is not None:
            raise NoEffectError(
                f"got count = {self.count} and middle = {self.middle}; give one: evenly spread or around the middle"
            )

    @property
    def number(self) -> int:
        """The canonical axis: 0 sagittal, 1 coronal, 2 axial."""
        return AXES[self.axis] if isinstance(self.axis, str) else int(self.axis)


def choose(total: int, options: SliceOptions) -> list[int]:
    """Return the slice numbers, ascending, that the options pick out of `total`.

    Evenly spread slices are the centres of equal parts, so the empty ends are left out. Asking for
    more than there are gives all.

    >>> choose(10, SliceOptions(count=2)), choose(10, SliceOptions(middle=3)), choose(2, SliceOptions())
    ([2, 7], [3, 4, 5], [0, 1])
    """
    if options.middle is not None:
        n = min(options.middle, total)
        start = (total - n) // 2
        return list(range(start, start + n))
    n = total if options.count is None else min(options.count, total)
    return [(2 * i + 1) * total // (2 * n) for i in range(n)]
