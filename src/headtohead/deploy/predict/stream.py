"""Files, folders and archives to predictions: in order, in batches, with bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from headtohead.core.errors import DataError, UnreadableError, UsageError
from headtohead.core.progress import Reporter
from headtohead.data.storage.store import HEAD
from headtohead.deploy.prediction import ImagePrediction

if TYPE_CHECKING:
    from headtohead.data.storage.store import Store
    from headtohead.deploy.predict.prepare import PreparedImage

__all__ = ["FilePredictor", "FileRequest", "list_files", "predict_files", "prepare_file"]

READERS = 4  # threads that decode while the network computes; decoding is faster than any network here
READ_AHEAD = 2  # batches that wait for the network
STORES = 64  # folders and archives that stay open; a list may name files of a hundred thousand folders


class FilePredictor(Protocol):
    """What prepares files and predicts batches of them: `DeployedModel`."""

    def try_prepare(self, name: str, content: bytes) -> PreparedImage | ImagePrediction:
        """Prepare a file, or say why that cannot be."""

    def predict_prepared(
        self, items: Sequence[PreparedImage | ImagePrediction], threshold: str | float | None = None
    ) -> list[ImagePrediction]:
        """Return predictions of one batch."""


@dataclass(frozen=True)
class FileRequest:
    """One file to predict: its name in the answer, where it is, or why it is not available."""

    name: str
    root: str = ""
    member: str = ""
    problem: str = ""


def list_files(given: Iterable[str | os.PathLike[str]]) -> Iterator[FileRequest]:
    """Yield the files that paths stand for: a file itself, the images of a folder or an archive by name.

    A file that was named is always yielded, whatever it is; of a folder or archive what is, or promises to
    be, an image.
    """
    for item in given:
        path = Path(item)
        if path.is_dir() or (path.is_file() and _is_archive(path)):
            yield from _members(path)
        elif path.is_file():
            yield FileRequest(str(item), str(path.parent), path.name)
        else:
            yield FileRequest(str(item), problem="there is no such file")


def predict_files(
    model: FilePredictor,
    given: Iterable[str | os.PathLike[str]],
    threshold: str | float | None,
    batch_size: int,
    progress: Reporter,
) -> Iterator[ImagePrediction]:
    """Yield one prediction per file, in order.

    Raises:
        UsageError: a batch size below 1.
    """
    if batch_size < 1:
        raise UsageError(f"Got a batch size of {batch_size}; expected at least 1.")
    requests = iter(progress.progress(list_files(given), "predicting"))
    waiting: deque[Future[PreparedImage | ImagePrediction]] = deque()
    with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
        try:
            while True:
                missing = (1 + READ_AHEAD) * batch_size - len(waiting)
                waiting.extend(pool.submit(prepare_file, model, one) for one in islice(requests, missing))
                if not waiting:
                    return
                batch = [waiting.popleft().result() for _ in range(min(batch_size, len(waiting)))]
                yield from model.predict_prepared(batch, threshold)
        finally:
            # A caller that stops early waits for no further file.
            for future in waiting:
                future.cancel()


def prepare_file(model: FilePredictor, request: FileRequest) -> PreparedImage | ImagePrediction:
    """Read and prepare a file, or return the prediction that says why that cannot be."""
    if request.problem:
        return ImagePrediction(path=request.name, flags=("unreadable",), error=request.problem)
    try:
        content = _store(request.root).content(request.member)
    except (UnreadableError, DataError) as error:
        return ImagePrediction(path=request.name, flags=("unreadable",), error=str(error))
    return model.try_prepare(request.name, content)


def _store(root: str) -> Store:
    try:
        now = Path(root).stat()
    except OSError:  # opening it says why
        return _opened(root, 0, 0, 0)
    return _opened(root, now.st_ino, now.st_mtime_ns, now.st_size)


@lru_cache(STORES)
def _opened(root: str, *_state: int) -> Store:
    """Return a store; reopened when its archive has been replaced."""
    from headtohead.data.storage.open import open_store

    return open_store(root)


def _is_archive(path: Path) -> bool:
    from headtohead.data.readers import sniff
    from headtohead.data.storage.archives import is_tar

    with path.open("rb") as file:
        head = file.read(HEAD)
    # Images first: a packed NIfTI volume begins like a .tar.gz.
    if sniff(head):
        return False
    return head[:4] == b"PK\x03\x04" or is_tar(path)


def _members(path: Path) -> Iterator[FileRequest]:
    from headtohead.data.listing.selection.image_files import is_system_file
    from headtohead.data.readers import is_candidate

    try:
        store = _store(str(path))
        names = sorted(entry.path for entry in store.files() if not is_system_file(entry.path))
    except DataError as error:
        yield FileRequest(str(path), problem=str(error))
        return
    for name in names:
        try:
            head = store.read_prefix(name)
        except UnreadableError:
            head = b""  # its name decides; its prediction will say why it cannot be read
        if is_candidate(name, head):
            yield FileRequest(f"{path}/{name}", str(path), name)
