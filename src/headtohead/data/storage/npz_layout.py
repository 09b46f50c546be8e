"""The layout of an `.npz` of images: which arrays belong together, and what labels and groups they hold."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError
from headtohead.core.safety.limits import limit, raise_hint
from headtohead.data.entry import GROUP_NAMES

__all__ = ["ArrayHeader", "Part", "check_images", "find_parts", "group_names", "label_names"]

Array = npt.NDArray[Any]

_NAME = re.compile(r"^(?:(?P<before>[a-z]+)_)?(?P<what>images?|labels?|x|y)(?:_(?P<after>[a-z]+))?$")


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """The header of a `.npy` member: shape, memory order and type of its array."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The names of the arrays of one part ("train", "all", …); `groups` is None where none gives them."""

    images: str
    labels: str
    groups: str | None = None

    @property
    def arrays(self) -> tuple[str, ...]:
        """Return the names of all arrays of the part."""
        return (self.images, self.labels) if self.groups is None else (self.images, self.labels, self.groups)


def find_parts(names: list[str], file: str) -> dict[str, Part]:
    """Return the parts of a file by name.

    Args:
        names: of all its arrays.
        file: its name, for messages.

    Raises:
        DataError: no part has both images and labels, one lacks the other, or only some have groups.
    """
    names_of: dict[str, dict[str, str]] = {}
    for name in sorted(names):
        match = _NAME.match(name.lower())
        if match:
            part = match["before"] or match["after"] or "all"
            names_of.setdefault(part, {})["images" if match["what"][0] in "ix" else "labels"] = name
    complete = {part: pair for part, pair in names_of.items() if len(pair) == 2}
    if not complete or len(complete) < len(names_of):
        raise DataError(
            f"{file} holds the arrays {names}; expected pairs such as train_images and train_labels, val_…, "
            "test_… (or images and labels)."
        )
    groups = {part: _group_array(names, part) for part in complete}
    without = [part for part, name in groups.items() if name is None]
    example = next((name for name in groups.values() if name is not None), None) or _group_array(names, "all")
    if without and example is not None:
        raise DataError(
            f"{file} has groups in {example!r}, but none for {', '.join(without)}; expected one array of groups "
            f"for each part, such as {without[0]}_patient_ids. Add them, or take {example!r} out."
        )
    return {part: Part(pair["images"], pair["labels"], groups[part]) for part, pair in complete.items()}


def _group_array(names: list[str], part: str) -> str | None:
    """Return the likeliest array of the groups of a part, such as train_patient_ids, or None."""
    bare = {name: name.lower() for name in names}
    if part != "all":
        ends = (f"{part}_", f"_{part}")
        bare = {n: w.removeprefix(ends[0]).removesuffix(ends[1]) for n, w in bare.items()}
        bare = {name: word for name, word in bare.items() if word != name.lower()}
    for known in GROUP_NAMES:
        for name, word in bare.items():
            if word in (known, f"{known}s"):
                return name
    return None


def check_images(file: str, part: str, name: str, header: ArrayHeader) -> None:
    """Refuse arrays that are not (N, H, W), (N, H, W, 1 or 3) or volumes (N, D, H, W) of numbers."""
    from headtohead.data.readers import DEFAULT_LIMITS

    shape = header.shape
    # 2 or 4 channels, or channels first, would pass for volumes: they are refused and not sliced
    flat = len(shape) == 3 or (len(shape) == 4 and shape[-1] not in (2, 4) and shape[1] not in (2, 3, 4))
    if header.dtype.kind not in "buif" or not flat or min(shape[1:], default=0) < 1:
        raise DataError(
            f"{file}: {name!r} ({part}) has shape {shape} and type {header.dtype}; expected numbers of shape "
            "(N, H, W), (N, H, W, 3) or volumes (N, D, H, W)."
        )
    if shape[0] > limit("archive-members"):
        raise DataError(
            f"{file}: {name!r} ({part}) holds {shape[0]:,} images; {raise_hint('archive-members')}."
        )
    if shape[1] * shape[2] > DEFAULT_LIMITS.pixels or math.prod(shape[1:]) > DEFAULT_LIMITS.voxels:
        raise DataError(
            f"{file}: images of {shape[1]} x {shape[2]} are over the limit of {DEFAULT_LIMITS.pixels:,}."
        )


NO_FINDING = "none"
"""The label of an image of which every column of several labels is 0."""


def label_names(name: str, labels: Array, n_images: int) -> list[str]:
    """Return one class name per image, of several labels their columns with bars between ("2|5").

    Args:
        name: of the array, for messages.
        labels: (N,), (N, 1), one-hot (N, k), or (N, k) of 0 and 1 with several labels per image.
        n_images: N.

    Raises:
        DataError: several labels per image, another number of labels than of images, or fractions.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if (
        labels.ndim == 2
        and labels.dtype.kind in "buif"
        and np.isin(labels, (0, 1)).all()
        and (labels.sum(1) == 1).all()
    ):
        labels = labels.argmax(axis=1)  # one-hot rows
    if (
        labels.ndim == 2
        and labels.dtype.kind in "buif"
        and np.isin(labels, (0, 1)).all()
        and len(labels) == n_images
    ):
        return ["|".join(map(str, np.flatnonzero(row))) or NO_FINDING for row in labels]
    if labels.ndim != 1:
        raise DataError(
            f"{name!r} has shape {labels.shape}: several labels per image. One label per image is "
            "expected, shape (N,) or (N, 1). Choose one column (or, for one-hot rows, the arg max) and save "
            "it as the labels."
        )
    if len(labels) != n_images:
        raise DataError(f"{name!r} has {len(labels)} labels for {n_images} images; expected one each.")
    if labels.dtype.kind == "f":
        if not np.all(labels == np.floor(labels)):
            raise DataError(f"{name!r} holds fractions; expected class numbers or names.")
        labels = labels.astype(np.int64)
    return _as_text(labels)


def group_names(name: str, groups: Array, n_images: int) -> list[str | None]:
    """Return the group of each image, None where its id is blank or not a number.

    Args:
        name: of the array, for messages.
        groups: (N,) or (N, 1), of numbers or text.
        n_images: N.

    Raises:
        DataError: another number of ids than of images, or fractions.
    """
    ids = groups[:, 0] if groups.ndim == 2 and groups.shape[1] == 1 else groups
    if ids.ndim != 1 or len(ids) != n_images:
        raise DataError(
            f"{name!r} has shape {groups.shape} for {n_images} images; expected the id of one group (patient) for "
            "each image."
        )
    if ids.dtype.kind != "f":
        return [text.strip() or None for text in _as_text(ids)]
    known = np.isfinite(ids)
    if not np.all(ids[known] == np.floor(ids[known])):
        raise DataError(f"{name!r} holds fractions; expected ids of groups (patients), numbers or text.")
    texts = iter(_as_text(ids[known].astype(np.int64)))
    return [next(texts) if is_known else None for is_known in known]


def _as_text(values: Array) -> list[str]:
    if values.dtype.kind == "S":
        return [bytes(value).decode("utf-8", "replace") for value in values]
    return [str(int(value)) if values.dtype.kind in "bui" else str(value) for value in values]
