"""Masks and label maps beside the images they belong to, recognised by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

__all__ = ["image_name_of", "mask_files"]

# A separator or closing bracket must stand before the word, so that "unmasked" is no mask.
_MASK_NAME = re.compile(
    r"(?P<base>.+?)[ _.-]*(?:[_.-]|(?<=\)))(?:masks?|seg|segmentation|gt|groundtruth|labelmap|roi)(?:[ _-]?\d+)?$"
)
_MASK_FOLDERS = frozenset(
    """
    mask masks segmentation segmentations seg gt ground_truth groundtruth labelmaps lesion_masks
    """.split()  # noqa: SIM905 - reads better than a list
)
_IMAGE_FOLDERS = frozenset({"image", "images", "img", "imgs", "picture", "pictures", "scans"})


def mask_files(paths: Iterable[str]) -> dict[str, str]:
    """Return path -> the image that it is the mask of.

    A mask is called like an image next to it with a word such as `_mask` behind, or lies in a folder such as `masks`
    under the name of a file in a folder next to it.

    >>> mask_files(["a/x.png", "a/x_mask_1.png", "a/unmasked.png"])
    {'a/x_mask_1.png': 'a/x.png'}
    >>> mask_files(["a/images/1.png", "a/masks/1.png"])
    {'a/masks/1.png': 'a/images/1.png'}
    """
    paths = sorted(paths)
    stems: dict[tuple[str, str], str] = {}
    below: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for path in paths:
        parent, stem = _split(path)
        stems.setdefault((parent, stem), path)
        grand, _, folder = parent.rpartition("/")
        below[grand, stem][folder] = path
    found = {}
    for path in paths:
        parent, stem = _split(path)
        match = _MASK_NAME.match(stem)
        if match and (image := _image_of(match["base"], parent, stems)):
            found[path] = image
            continue
        grand, _, folder = parent.rpartition("/")
        if folder.casefold() in _MASK_FOLDERS:
            twins = {
                name: twin
                for name, twin in below[grand, stem].items()
                if name.casefold() not in _MASK_FOLDERS
            }
            if match:
                twins |= below.get((grand, match["base"]), {})
            # of several neighbours, only one with a name for images is surely the image
            images = [
                twin for name, twin in twins.items() if name.casefold() in _IMAGE_FOLDERS or len(twins) == 1
            ]
            if images:
                found[path] = images[0]
    return found


def image_name_of(path: str) -> tuple[str, str]:
    """Return the folder of a mask and the name, in lower case and without suffix, of the image that it belongs to.

    >>> image_name_of("masks/Case 7_mask_1.png"), image_name_of("masks/x.png")
    (('masks', 'case 7'), ('masks', 'x'))
    """
    parent, stem = _split(path)
    match = _MASK_NAME.match(stem)
    return parent, match["base"].rstrip() if match else stem


def _image_of(base: str, parent: str, stems: dict[tuple[str, str], str]) -> str | None:
    """Return the image of a mask in its folder: of the same name, or another file of the case (`x_t1` of `x_seg`)."""
    exact = stems.get((parent, base))
    if exact is not None:
        return exact
    for kind in ("t1", "t1ce", "t2", "flair", "ct", "pet", "image", "img"):  # sequences of BraTS; CT, PET
        found = stems.get((parent, f"{base}_{kind}"))
        if found is not None:
            return found
    return None


def _split(path: str) -> tuple[str, str]:
    """Return the folder of a path and its name less the suffix, in lower case."""
    parent, _, name = path.rpartition("/")
    plain = name.casefold().removesuffix(".gz")
    return parent, PurePosixPath(plain).stem if "." in plain[1:] else plain
