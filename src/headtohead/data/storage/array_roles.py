"""Which arrays of a file, or of several files, are images, labels and groups: by their names, else by their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from headtohead.core.errors import DataError, UsageError
from headtohead.data.entry import GROUP_NAMES, SPLIT_WORDS
from headtohead.data.readers.array_files.array_file import ArrayInFile
from headtohead.data.storage.npz_layout import Part

__all__ = ["class_name_array", "find_array_parts", "images_alone", "is_array_set", "named_parts"]

Shapes = Mapping[str, ArrayInFile]
"""Name -> shape and type of an array, entries first."""

_IMAGE_WORDS = "images image imgs img x data pixels slices scans patches tiles volumes"
_IMAGES = frozenset(_IMAGE_WORDS.split())
_LABELS = frozenset({"labels", "label", "y", "target", "targets", "lbl", "class"})
_CLASS_NAMES = re.compile(r"(list_?classes|(class|label|target)_?names|classes|categories)$", re.IGNORECASE)
_ROLES = ("path", "label", "group")


def is_array_set(stems: list[str]) -> bool:
    """Tell whether files of these names are arrays of images with arrays of labels beside them.

    >>> is_array_set(["X_train", "y_train"]), is_array_set(["001", "002"]), is_array_set(["train_x", "test_x"])
    (True, False, False)
    """
    roles = [_role(stem) for stem in stems]
    return "images" in roles and "labels" in roles


def images_alone(stem: str) -> bool:
    """Tell whether a file's name says that it holds images and not their labels.

    >>> images_alone("split_train_x"), images_alone("labels"), images_alone("012")
    (True, False, False)
    """
    return _role(stem) == "images"


def find_array_parts(arrays: Shapes, source: str) -> dict[str, Part]:
    """Return the parts ("train", "all", …) of arrays that belong together.

    Args:
        arrays: name -> shape; names of arrays in several files begin with the file's name.
        source: what is read, for messages.

    Raises:
        DataError: no pair of images and labels, or several that could be meant.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name, stored in arrays.items():
        role = _role(name)
        fits = {"images": _could_be_images(stored), "labels": _could_be_labels(stored, arrays)}
        if role == "groups" or (role and fits[role]):
            found.setdefault(_part(name), {}).setdefault(role, []).append(name)
    parts = {}
    for part, roles in found.items():
        images, labels = roles.get("images", []), roles.get("labels", [])
        if len(images) == 1 and len(labels) == 1:
            parts[part] = Part(images[0], labels[0], next(iter(roles.get("groups", [])), None))
        elif images and labels:
            raise _ask(arrays, source, f"several could be the images or labels of {part!r}")
    return parts or _by_shape(arrays, source)


def named_parts(arrays: Shapes, columns: Mapping[str, str], source: str) -> dict[str, Part]:
    """Return the one part whose arrays were named.

    Args:
        columns: role ("path", "label", "group") -> array.

    Raises:
        UsageError: another role, or one of images and labels lacks.
        DataError: there is no such array.
    """
    unknown = sorted(set(columns) - set(_ROLES))
    if unknown or not {"path", "label"} <= set(columns):
        raise UsageError(
            f"Got columns={dict(columns)} for the arrays of {source}; expected the arrays of images and labels, such "
            "as --columns 'path=scans,label=dx' (and group=…)."
        )
    for name in columns.values():
        if name not in arrays:
            raise DataError(f"{source} holds no array {name!r}; it holds {_listed(arrays)}.")
    return {columns["path"]: Part(columns["path"], columns["label"], columns.get("group"))}


def class_name_array(arrays: Shapes) -> str | None:
    """Return the array that holds the names of the classes, if there is just one."""
    found = [name for name, stored in arrays.items() if stored.is_text and _CLASS_NAMES.search(name)]
    return found[0] if len(found) == 1 else None


def _tokens(text: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def _role(name: str) -> str:
    """Return "images", "labels", "groups" or "" for an array's name; its last part decides first."""
    if _CLASS_NAMES.search(name):  # first: "class" in it would make it an array of labels
        return ""
    last = PurePosixPath(name).name
    if "_".join(word for word in _tokens(last) if word not in SPLIT_WORDS) in (
        *GROUP_NAMES,
        *(f"{word}s" for word in GROUP_NAMES),
    ):
        return "groups"
    for words in (_tokens(last), _tokens(name)):
        is_images, is_labels = not _IMAGES.isdisjoint(words), not _LABELS.isdisjoint(words)
        if is_labels:
            return "labels"
        if is_images and not {"mask", "masks", "seg"} & set(words):
            return "images"
    return ""


def _part(name: str) -> str:
    found = [SPLIT_WORDS[word] for word in _tokens(name) if word in SPLIT_WORDS]
    return found[-1] if found else "all"


def _could_be_images(stored: ArrayInFile) -> bool:
    return stored.is_numeric and len(stored.shape) in (3, 4) and min(stored.shape) >= 1


def _could_be_labels(stored: ArrayInFile, arrays: Shapes) -> bool:
    """Tell whether an array has one label for each entry of some array of images."""
    n_entries = {other.shape[0] for other in arrays.values() if _could_be_images(other)}
    return bool(stored.shape) and stored.shape[0] in n_entries and not _could_be_images(_bare(stored))


def _bare(stored: ArrayInFile) -> ArrayInFile:
    """Return an array's shape without trailing axes of length 1, as PatchCamelyon's labels have."""
    shape = stored.shape
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return ArrayInFile(shape, stored.dtype, stored.is_text)


def _by_shape(arrays: Shapes, source: str) -> dict[str, Part]:
    """Return the only array of images with the only array of as many labels."""
    images = [
        name for name, stored in arrays.items() if _could_be_images(_bare(stored)) and stored.shape[0] > 1
    ]
    pairs = [
        (image, label)
        for image in images
        for label, stored in arrays.items()
        if label != image and len(_bare(stored).shape) == 1 and stored.shape[:1] == arrays[image].shape[:1]
        and (stored.is_text or stored.dtype.kind in "bui")
    ]  # fmt: skip
    if len(pairs) == 1:
        return {"all": Part(*pairs[0])}
    why = (
        "several pairs could be images and labels" if pairs else "none is an array of images with its labels"
    )
    raise _ask(arrays, source, why)


def _ask(arrays: Shapes, source: str, why: str) -> DataError:
    images = next((name for name, stored in arrays.items() if _could_be_images(stored)), "scans")
    labels = next((name for name, s in arrays.items() if name != images and len(_bare(s).shape) == 1), "dx")
    return DataError(
        f"{source} holds the arrays {_listed(arrays)}; {why}. Expected names such as images and labels, or x_train and "
        f"y_train. Name them: --columns 'path={images},label={labels}'."
    )


def _listed(arrays: Shapes) -> str:
    shown = [f"{name} {stored.shape}" for name, stored in list(arrays.items())[:12]]
    more = f" and {len(arrays) - 12} more" if len(arrays) > 12 else ""
    return (", ".join(shown) or "none") + more
