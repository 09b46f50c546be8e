"""What a listing leaves out, and why: masks, what headtohead wrote itself, formats that are not read."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from headtohead.core.data_record import count_left_out
from headtohead.data.entry import Entry
from headtohead.data.file_problems import truncate_list

__all__ = [
    "DATA_FILES",
    "EXCLUDED",
    "MASKS_BY_PIXELS",
    "NOT_IMAGES",
    "NOT_IN_TABLE",
    "UNANSWERED",
    "UNLABELLED",
    "UNREADABLE",
    "WITHOUT_CLASS",
    "LeftOut",
    "by_format",
    "count_classes",
    "foreign_format",
    "one_sided",
    "own_outputs",
]

FORMATS: Mapping[str, str] = {
    ".heic": "HEIC", ".heif": "HEIC",
    ".tfrec": "TFRecord", ".tfrecord": "TFRecord", ".tfrecords": "TFRecord", ".zip": "zip archive",
    ".tar": "tar archive", ".rar": "RAR archive", ".7z": "7z archive", ".svs": "whole-slide", ".ndpi": "whole-slide",
    ".mrxs": "whole-slide", ".svg": "SVG", ".pdf": "PDF",
}  # fmt: skip
"""Suffixes of formats that hold images and are not supported."""

_ADVICE: Mapping[str, str] = {
    "HEIC": "pip install pillow-heif, which is no extra here since its wheels hold LGPL and GPL parts; or convert them "
    "to PNG, all classes in the same way",
    "TFRecord": "write each image to a file in a folder per class with tf.data",
    "zip archive": "unpack it, or point at it",
    "tar archive": "unpack it, or point at it",
    "RAR archive": "unpack it",
    "7z archive": "unpack it",
    "whole-slide": "export a level of at most 64 megapixels, or tiles, with openslide",
}


_NOT_READ = "which are not read"
NOT_IMAGES = "files that are not images"
DATA_FILES = "data files of the headers beside them"
UNREADABLE = "files that could not be read"
WITHOUT_CLASS = "images without a class"
UNLABELLED = "images without a label"
UNANSWERED = "images that do not answer {}"
"""Images of which a table does not say what `--label-has` asks, or that are of neither class."""
NOT_IN_TABLE = "images that the table does not name"
MASKS_BY_PIXELS = "masks, by their few grey values and the names of images beside them"
EXCLUDED = "files that --include or --exclude leaves out"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Files that are left out for one reason.

    Attributes:
        why: a short phrase. paths: of the files. per_class: how many, by the class of their folder, where it is known.
    """

    why: str
    paths: tuple[str, ...]
    per_class: Mapping[str, int]

    @property
    def n(self) -> int:
        """Number of files."""
        return len(self.paths)

    @property
    def counts_as_loss(self) -> bool:
        """Whether these are images that could have been samples."""
        return any(word in self.why for word in (_NOT_READ, UNREADABLE))

    @property
    def counted(self) -> str:
        """The count with the reason, in the singular for one file."""
        return count_left_out(self.n, self.why)

    def record(self) -> dict[str, object]:
        """Return it as plain values for JSON."""
        return {"why": self.why, "n": self.n, "per_class": dict(self.per_class)}

    def __str__(self) -> str:
        classes = ", ".join(f"{name} {count}" for name, count in self.per_class.items())
        return self.counted + (f" ({classes})" if classes else "") + f": {truncate_list(self.paths, 3)}"


def foreign_format(path: str) -> str:
    """Return the name of an image format that is not supported, by the suffix, or "".

    >>> foreign_format("a/b.HEIC"), foreign_format("notes.txt")
    ('HEIC', '')
    """
    return FORMATS.get(PurePosixPath(path).suffix.casefold(), "")


def by_format(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return why -> paths for files that are not images that are read here."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        name = foreign_format(path)
        advice = _ADVICE.get(name, "convert them to PNG")
        found[f"{name} files, {_NOT_READ} ({advice})" if name else NOT_IMAGES].append(path)
    return found


def own_outputs(paths: Iterable[str]) -> set[str]:
    """Return the files that headtohead wrote: all that lies in the folder of an audit, a run or contact sheets."""
    paths = list(paths)
    names: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        folder, _, name = path.rpartition("/")
        names[folder].add(name)
    # two files tell each kind, since one name alone may be anybody's
    own = {
        folder
        for folder, inside in names.items()
        if inside >= {"audit.json", "thumbs.json"}
        or inside >= {"study.toml", "provenance.json"}
        or ("boxes.csv" in inside and "sheet-001.png" in inside)
    }
    return {path for path in paths if own and _inside(path, own)}


def _inside(path: str, own: set[str]) -> bool:
    """Tell whether a file lies in one of the folders, at any depth; of the top, only right in it."""
    folder, _, _ = path.rpartition("/")
    # results written into the folder of the data must not take all images below it along
    if not folder:
        return "" in own
    while folder:
        if folder in own:
            return True
        folder, _, _ = folder.rpartition("/")
    return False


def count_classes(found: Mapping[str, Iterable[str]], entries: Iterable[Entry]) -> tuple[LeftOut, ...]:
    """Return files left out with the classes of the folders that they lie in.

    Args:
        found: why -> paths.
        entries: what was listed; a folder whose images are of one class has that class.
    """
    held: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        held[posixpath.dirname(entry.path)].add(entry.label)
    label_of = {folder: next(iter(labels)) for folder, labels in held.items() if len(labels) == 1}
    beside: dict[str, set[str]] = defaultdict(set)
    for folder, label in label_of.items():
        if folder != posixpath.dirname(folder):  # the top lies beside nothing
            beside[posixpath.dirname(folder)].add(label)
    result = []
    for why, paths in found.items():
        files = tuple(paths)
        counts = Counter(label for path in files if (label := _label(path, label_of, beside)))
        if files:
            result.append(LeftOut(why, files, dict(sorted(counts.items()))))
    return tuple(result)


def _label(path: str, label_of: Mapping[str, str], beside: Mapping[str, set[str]]) -> str:
    """Return the class of the nearest folder with a known one; of a folder `masks`, that of its neighbour."""
    folder = posixpath.dirname(path)
    if folder in label_of:
        return label_of[folder]
    parent = posixpath.dirname(folder)
    labels = beside.get(parent, set())
    return next(iter(labels)) if parent and len(labels) == 1 else ""


def one_sided(left: LeftOut) -> str:
    """Return the class that most of the lost images belong to, "" where no class stands out."""
    if left.n < 3 or len(left.per_class) == 0:
        return ""
    name, most = max(left.per_class.items(), key=lambda item: item[1])
    return name if most >= 0.8 * sum(left.per_class.values()) else ""
