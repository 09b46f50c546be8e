"""Masks that say where in an image the finding lies: found by name in a folder, read, and joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError, UsageError
from headtohead.core.records import Sample
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.mask_files import image_name_of
from headtohead.data.readers.read import read_image

__all__ = ["find_masks", "read_mask"]

Mask = npt.NDArray[np.bool_]
HALF = 0.5  # of the greatest value: what JPEG leaves around the edge of a mask is no part of it


def find_masks(folder: Path, samples: Sequence[Sample]) -> dict[str, tuple[Path, ...]]:
    """Return sample id -> its masks in a folder, of the samples that have one.

    A mask is called like its image, whatever the suffix, also with `_mask`, `_mask_1`, `_seg` or the like behind; its
    folder below `folder` is that of the image, or the name is that of one image alone. The folder may be that of the
    images: files that are images of the run themselves are no masks.

    Args:
        folder: where masks lie, at any depth.
        samples: of the run.

    Raises:
        UsageError: no such folder, no mask in it, or a name that fits several images.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder of masks at {folder}.")
    whole: dict[tuple[str, str], str] = {}
    alone: dict[str, list[str]] = defaultdict(list)
    for sample in samples:
        place = _image_place(sample.path)
        whole[place] = sample.id
        alone[place[1]].append(sample.id)
    own = {sample.path: sample.sha256 for sample in samples}
    found: dict[str, list[Path]] = defaultdict(list)
    doubtful = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."):
        relative = path.relative_to(folder).as_posix()
        if relative in own and sha256(path.read_bytes()).hexdigest() == own[relative]:
            continue
        place = image_name_of(relative)
        exact = whole.get((place[0].casefold(), place[1]))
        fits = [exact] if exact is not None else alone.get(place[1], [])
        if len(fits) == 1:
            found[fits[0]].append(path)
        elif fits:
            doubtful.append(f"{relative} (of {truncate_list(fits, 3)})")
    if doubtful:
        raise UsageError(
            f"{len(doubtful)} masks fit several images: {truncate_list(doubtful, 3)}. Put them into folders named like "
            "those of the images."
        )
    if not found:
        raise UsageError(
            f"No file in {folder} is called like an image of the run, such as {samples[0].path} -> "
            f"{Path(samples[0].path).stem}_mask.png."
        )
    return {name: tuple(paths) for name, paths in found.items()}


def read_mask(paths: Sequence[Path], size: tuple[int, int]) -> Mask:
    """Return the union (H, W) of an image's masks: where a value is greater than half of the mask's greatest.

    Args:
        paths: of the masks.
        size: (H, W) of the image.

    Raises:
        DataError: a mask of another size.
        UnreadableError: a file that is no image.
    """
    whole = np.zeros(size, bool)
    for path in paths:
        pixels = read_image(path.read_bytes(), name=path.name).pixels
        values = pixels if pixels.ndim == 2 else pixels.max(axis=2)
        if values.shape != size:
            raise DataError(
                f"The mask {path.name} is {values.shape[1]} x {values.shape[0]} pixels, "
                f"its image {size[1]} x {size[0]}."
            )
        whole |= values > HALF * float(values.max()) if values.max() > 0 else False
    return whole


def _image_place(path: str) -> tuple[str, str]:
    """Return the folder and the name without suffix of an image, in lower case."""
    parent, _, name = path.casefold().rpartition("/")
    return parent, Path(name.removesuffix(".gz")).stem  # of x.nii.gz it is x
