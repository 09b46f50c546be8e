"""Masks that no name gives away: images of few grey values, of the size of others.

Where each has an image of the same class, size and name next to it, they are left out with a message; otherwise there
is a warning.
"""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from headtohead.core.records import Image, Sample

__all__ = ["FEW_VALUES", "has_few_values", "mask_warning", "masks_of_images"]

FEW_VALUES = "headtohead:few_values"
"""The name in `Sample.extra` that marks an image of few grey values."""

# Background and up to three structures; a real image posterised so far shows nothing.
_MOST_VALUES = 4
_FEWEST_MASKS = 3
_PROBED = 4096


def has_few_values(image: Image) -> bool:
    """Tell whether an image has two to four grey values, as masks and label maps do."""
    pixels = image.pixels.reshape(-1)
    # A look at some pixels settles it for nearly all images without sorting every pixel.
    probed = pixels[:: max(1, len(pixels) // _PROBED)]
    counts = np.bincount(probed) if probed.dtype == np.uint8 else None
    if (len(np.unique(probed)) if counts is None else np.count_nonzero(counts)) > _MOST_VALUES:
        return False
    return 2 <= len(np.unique(pixels)) <= _MOST_VALUES


def masks_of_images(samples: Sequence[Sample]) -> list[Sample]:
    """Return the images that are surely masks of others: each has its image, and one pattern fits their names alone.

    The image is of the same class and size, and its name is that of the mask or what that begins with. So a class of
    drawings stays a class.
    """
    masks, rich = _suspects(samples)
    if not masks or not (_folder(masks, rich) or _ending(masks, rich)):
        return []
    names = {(s.label, s.width, s.height, PurePosixPath(s.path).name.split(".")[0]) for s in rich}
    return masks if all(_has_image(mask, names) for mask in masks) else []


def _has_image(mask: Sample, names: set[tuple[str, int, int, str]]) -> bool:
    """Tell whether an image has the mask's name, or what it begins with up to a sign that is no digit or letter."""
    stem = PurePosixPath(mask.path).name.split(".")[0]
    fronts = [stem, *(stem[: found.start()] for found in re.finditer(r"[^0-9A-Za-z]", stem))]
    return any((mask.label, mask.width, mask.height, front) in names for front in fronts)


def _suspects(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Return the images that look like masks of others (none where they are too few, or most), and the rich ones."""
    few = [sample for sample in samples if FEW_VALUES in sample.extra]
    rich = [sample for sample in samples if FEW_VALUES not in sample.extra]
    sizes = {(sample.width, sample.height) for sample in rich}
    masks = [sample for sample in few if (sample.width, sample.height) in sizes]
    # where most images are of few values they are drawings, and not masks of the others
    enough = len(masks) >= _FEWEST_MASKS and 2 * len(masks) <= len(samples)
    return (masks if enough else []), rich


def mask_warning(samples: Sequence[Sample]) -> str:
    """Return a warning where images look like masks of the others, with the option that leaves them out; else ""."""
    masks, rich = _suspects(samples)
    if not masks:
        return ""
    pattern = _folder(masks, rich) or _ending(masks, rich)
    way = f"If they are masks, leave them out: --exclude '{pattern}'." if pattern else ""
    return (
        f"{len(masks)} images have at most {_MOST_VALUES} grey values and the sizes of other images, such as "
        f"{masks[0].path}: they look like masks or label maps. "
        f"{way or 'If they are masks, leave them out with --exclude.'}"
    )


def _folder(masks: Sequence[Sample], rich: Sequence[Sample]) -> str:
    """Return the name of the folder that holds the masks and nothing else, "" where there is none."""
    names = {PurePosixPath(sample.path).parent.name for sample in masks}
    others = {part for sample in rich for part in PurePosixPath(sample.path).parts[:-1]}
    return next(iter(names)) if len(names) == 1 and names - others - {""} else ""


def _ending(masks: Sequence[Sample], rich: Sequence[Sample]) -> str:
    """Return the pattern of what the names of the masks add to those of their images, "" where they differ."""
    stems: dict[str, list[str]] = defaultdict(list)
    for sample in rich:
        stem = PurePosixPath(sample.path).name.split(".")[0]
        stems[stem[:1]].append(stem)  # so that no mask is compared with every image
    endings = set()
    for sample in masks:
        name = PurePosixPath(sample.path).name.split(".")[0]
        found = [stem for stem in stems[name[:1]] if name.startswith(stem) and name != stem]
        endings.add(re.sub(r"\d+$", "*", name[len(max(found, key=len)) :]) if found else "")
    pattern = f"*{next(iter(endings))}.*" if len(endings) == 1 else ""
    if pattern in ("", "*.*") or any(fnmatch.fnmatch(PurePosixPath(s.path).name, pattern) for s in rich):
        return ""
    return pattern
