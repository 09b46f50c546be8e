"""Files that a table names without saying where they lie, and the tables that name the images of a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import PurePosixPath

from headtohead.core.errors import DataError
from headtohead.data.listing.mask_files import mask_files
from headtohead.data.listing.table_reader import TABLES, SourceTable
from headtohead.data.readers.sniff import SUFFIXES
from headtohead.data.storage.store import Store

__all__ = ["FileFinder", "exists", "tables_naming"]

# The longest name that file systems take, in bytes.
_LONGEST_NAME = 255
# Beside images there are a few tables; hundreds are per-image annotations.
_MOST_TABLES = 20
# Enough for a million rows; what is larger is no list of the images next to it.
_LARGEST_TABLE = 256 << 20


def exists(store: Store, path: str) -> bool:
    """Tell whether a store holds a path; a cell that no file can be called by names none."""
    # names that are no Unicode come with lone surrogates, which UTF-8 refuses
    if any(len(part.encode("utf-8", "surrogatepass")) > _LONGEST_NAME for part in path.split("/")):
        return False
    return "\0" not in path and store.exists(path)


class FileFinder:
    """Finds the one file of a store that a cell means.

    The store is listed at the first question. Masks are no candidates, since they share the names of their images.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_name: dict[str, list[str]] | None = None
        self._folders: dict[str, list[str]] = defaultdict(list)

    def find(self, cell: str) -> str | None:
        """Return the path of the file that a cell means, None where there is none or more than one.

        Args:
            cell: an id, a name or a path, as a table has it.
        """
        plain = cell.replace("\\", "/").strip("/")
        name = PurePosixPath(plain).name.casefold()
        found = self._index().get(name, [])
        if len(found) < 2:
            return found[0] if found else None
        parts = plain.casefold().split("/")
        shared = {path: _shared_tail(path.casefold().split("/"), parts) for path in found}
        most = max(shared.values())
        best = [path for path, count in shared.items() if count == most]
        return best[0] if len(best) == 1 else None

    def folder(self, cell: str) -> list[str]:
        """Return the images below the folder that a cell names, sorted."""
        self._index()
        return self._folders.get(cell.replace("\\", "/").strip("/"), [])

    def is_folder(self, cell: str) -> bool:
        """Tell whether a cell names a folder that holds images."""
        return PurePosixPath(cell).suffix.casefold() not in SUFFIXES and bool(self.folder(cell))

    def __len__(self) -> int:
        """Return how many images the store holds, by their suffixes."""
        return len({path for paths in self._index().values() for path in paths})

    def _index(self) -> dict[str, list[str]]:
        if self._by_name is None:
            paths = sorted(file.path for file in self._store.files() if _is_image(file.path))
            masks = mask_files(paths)
            by_name: dict[str, list[str]] = defaultdict(list)
            for path in (path for path in paths if path not in masks):
                name = PurePosixPath(path).name.casefold()
                for key in dict.fromkeys((name, _stem(name))):  # many tables list ids without a suffix
                    by_name[key].append(path)
                for parent in list(PurePosixPath(path).parents)[:-1]:  # less the last parent, "."
                    self._folders[parent.as_posix()].append(path)
            self._by_name = dict(by_name)
        return self._by_name


def _is_image(path: str) -> bool:
    last = path.casefold()
    return PurePosixPath(last).suffix in SUFFIXES or last.endswith(".nii.gz")


def _stem(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[0]


def _shared_tail(path: list[str], cell: list[str]) -> int:
    """Return how many folders two paths share, counted from their ends."""
    count = 0
    for one, other in zip(reversed(path[:-1]), reversed(cell[:-1]), strict=False):
        if one != other:
            break
        count += 1
    return count


def tables_naming(
    store: Store, images: Collection[str], parse: Callable[[Store, str], SourceTable]
) -> list[str]:
    """Return the tables of a folder that name at least half of the images, or images in at least half of their rows."""
    # the nearest to the top first, as only the first few are looked into
    names = sorted(
        (entry.path.count("/"), entry.path)
        for entry in store.files()
        if PurePosixPath(entry.path).suffix.casefold() in TABLES and entry.n_bytes <= _LARGEST_TABLE
    )
    known = {key for path in images for key in _keys(path)}
    folders = {part for path in images for part in path.split("/")[:-1]}
    found = []
    for _, name in names[:_MOST_TABLES]:
        try:
            table = parse(store, name)
        except DataError:
            continue
        if any(
            _names_images(table.column(column), known, folders, len(images)) for column in table.columns[:50]
        ):
            found.append(name)
    return found


def _keys(path: str) -> tuple[str, str]:
    name = PurePosixPath(path).name.casefold()
    return name, _stem(name) or name


def _names_images(cells: list[str], known: Collection[str], folders: Collection[str], n_images: int) -> bool:
    """Tell whether the cells of a column name images (or the folders of cases) often enough to be no accident."""
    named = {cell for cell in cells if _keys(cell.replace("\\", "/"))[0] in known or cell in folders}
    if not named:
        # One row per image and question: ID_0_epidural.
        cells = [cell.rpartition("_")[0] for cell in cells]
        named = {cell for cell in cells if cell and cell.casefold() in known}
    distinct = len(set(cells))
    return len(named) > 2 and (2 * len(named) >= distinct) and (2 * len(named) >= min(n_images, distinct))
