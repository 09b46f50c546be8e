"""Classes of images from annotations made for detection: COCO `.json` and YOLO `labels/*.txt`."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from headtohead.core.errors import UnreadableError
from headtohead.data.entry import SPLIT_WORDS
from headtohead.data.storage.store import Store
from headtohead.data.tables.records import Rows

__all__ = ["coco_rows", "yolo_rows"]

_MAX_COCO = 256 << 20
_MAX_TEXT = 1 << 20


def coco_rows(store: Store, others: Iterable[str]) -> Rows | None:
    """Return a table of the images that COCO files name, or None where there is no such file.

    The label is the one category of an image's boxes; several are joined as `A|B`, and an image without boxes has none.

    Args:
        others: paths of the files that are no images.
    """
    rows: list[tuple[str, ...]] = []
    for path in sorted(path for path in others if path.lower().endswith(".json")):
        found = _json(store, path)
        if not isinstance(found, dict) or not all(
            isinstance(found.get(key), list) for key in ("images", "annotations", "categories")
        ):
            continue
        names = {_id(c): str(c["name"]) for c in found["categories"] if isinstance(c, dict) and "name" in c}
        labels: dict[str, set[str]] = defaultdict(set)
        for note in found["annotations"]:
            if isinstance(note, dict) and str(note.get("category_id")) in names:
                labels[str(note.get("image_id"))].add(names[str(note["category_id"])])
        folder = posixpath.dirname(path)
        for image in found["images"]:
            if isinstance(image, dict) and isinstance(image.get("file_name"), str):
                place = posixpath.normpath(posixpath.join(folder, image["file_name"].replace("\\", "/")))
                rows.append((place, "|".join(sorted(labels[_id(image)])), _split_of(path)))
    return _table(rows)


def yolo_rows(store: Store, images: Iterable[str], others: Iterable[str]) -> Rows | None:
    """Return a table of images with the classes of the YOLO label files of the same name, or None where there are none.

    `train/images/a.jpg` has `train/labels/a.txt`; the first number of each line is a class, named by `data.yaml` or
    `classes.txt`.

    Args:
        images: paths of the images. others: of all other files.
    """
    shown, rest = sorted(images), set(others)
    pairs = {path: place for path in shown if (place := _label_file(path)) in rest}
    if not pairs or 2 * len(pairs) < len(shown):  # text files beside a few images are notes
        return None
    names = _yolo_names(store, rest)
    rows: list[tuple[str, ...]] = []
    for path in shown:
        # an image without boxes may have no label file
        numbers = _classes_of(store, pairs[path]) if path in pairs else set()
        if numbers is None:
            return None
        label = "|".join(names.get(number, str(number)) for number in sorted(numbers))
        rows.append((path, label, _split_of(path)))
    return _table(rows)


def _table(rows: list[tuple[str, ...]]) -> Rows | None:
    if not any(row[1] for row in rows):
        return None
    if all(row[2] for row in rows):
        return ["path", "label", "split"], rows
    return ["path", "label"], [row[:2] for row in rows]


def _json(store: Store, path: str) -> Any:
    try:
        content = store.read(path)
        return json.loads(content) if len(content) <= _MAX_COCO else None
    except (UnreadableError, ValueError, RecursionError):
        return None


def _id(record: dict[str, Any]) -> str:
    return str(record.get("id"))


def _label_file(path: str) -> str:
    """Return where YOLO keeps the classes of an image.

    >>> _label_file("train/images/a.jpg"), _label_file("a.jpg")
    ('train/labels/a.txt', 'a.txt')
    """
    front, images, rest = f"/{path}".rpartition("/images/")  # the slash finds images/ at the top
    place = f"{front}/labels/{rest}" if images else f"/{path}"
    return f"{posixpath.splitext(place)[0]}.txt".removeprefix("/")


def _classes_of(store: Store, path: str) -> set[int] | None:
    """Return the classes of a label file; None where a line is not YOLO's (a class and at least four numbers)."""
    try:
        text = store.read(path)[:_MAX_TEXT].decode("utf-8-sig")
    except (UnreadableError, ValueError):
        return None
    found = set()
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            return None
        if len(numbers) < 5 or numbers[0] != int(numbers[0]) or numbers[0] < 0:
            return None
        found.add(int(numbers[0]))
    return found


def _yolo_names(store: Store, others: set[str]) -> dict[int, str]:
    """Return the names of the classes, as the nearest `data.yaml` or `classes.txt` gives them."""
    import yaml

    for path in sorted(others, key=lambda path: (path.count("/"), path)):
        name = posixpath.basename(path).lower()
        if not name.endswith((".yaml", ".yml")) and name not in ("classes.txt", "obj.names"):
            continue
        try:
            text = store.read(path)[:_MAX_TEXT].decode("utf-8-sig")
            if name in ("classes.txt", "obj.names"):
                return dict(enumerate(line.strip() for line in text.splitlines() if line.strip()))
            found = yaml.safe_load(text)
        except (UnreadableError, ValueError, yaml.YAMLError):
            continue
        names = found.get("names") if isinstance(found, dict) else None
        if isinstance(names, list):
            return {i: str(word) for i, word in enumerate(names)}
        if isinstance(names, dict) and all(isinstance(key, int) for key in names):
            return {key: str(word) for key, word in names.items()}
    return {}


def _split_of(path: str) -> str:
    """Return the split that a folder or a file's name tells: `train/_annotations.coco.json`, `instances_val2017.json`.

    >>> _split_of("train/_annotations.coco.json"), _split_of("annotations/instances_val2017.json"), _split_of("a.json")
    ('train', 'val', '')
    """
    stem = posixpath.splitext(posixpath.basename(path))[0].lower()
    words = [part.lower() for part in path.split("/")[:-1]]
    words += [word.rstrip("0123456789") for word in stem.replace("-", "_").split("_")]
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "")
