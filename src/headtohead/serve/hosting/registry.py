"""The models of a server: load them, look whether their files have changed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headtohead.core.errors import BundleError, UsageError, unknown_name
from headtohead.deploy.prediction import ImagePredictor
from headtohead.serve.hosting.batching import BatchQueue, QueueLimits
from headtohead.serve.hosting.preparing import stages_of
from headtohead.serve.hosting.threads import DaemonThreads
from headtohead.serve.hosting.warm_up import WarmUp, warm_up
from headtohead.serve.problems import ProblemError
from headtohead.serve.settings import ServeSettings

__all__ = ["ModelRegistry", "ServedModel", "load_registry"]

Loader = Callable[[Path], ImagePredictor]
FileFacts = tuple[int, int, str]  # size, time of the last change in ns, sha256
STUCK_SECONDS = (
    300  # a batch takes seconds; after five minutes the decoder hangs and the process must be replaced
)


@dataclass(slots=True)
class ServedModel:
    """One bundle in service.

    Attributes:
        name: as it stands in addresses (letters, digits, `.`, `_`, `-`).
        model: the loaded bundle.
        queue: images that wait for it.
        path: where its files lie, or None if it was built in this process.
        changed: name of the first file that differs from what was loaded, or "".
        files: of each file as it was loaded.
    """

    name: str
    model: ImagePredictor
    queue: BatchQueue
    warm: WarmUp
    path: Path | None = None
    changed: str = ""
    files: dict[str, FileFacts] = field(default_factory=dict)

    def check_unchanged(self) -> None:
        """Refuse to answer once a file of the bundle differs from what was loaded.

        Raises:
            ProblemError: 503, with the file.
        """
        if self.changed:
            raise ProblemError(
                503,
                f"The bundle of {self.name} changed on disk after it was loaded ({self.changed}), so the digest of "
                "its answers would no longer tell what is there. Check the bundle and restart the server.",
            )

    def look(self) -> None:
        """Compare the files of the bundle with what was loaded; reads only those whose size or time differ."""
        if self.path is None or self.changed:
            return
        seen = _files(self.path, self.files)
        for name in sorted(seen.keys() | self.files.keys()):
            was, now = self.files.get(name), seen.get(name)
            if was is None or now is None:
                self.changed = name
                return
            if was[:2] == _stat(now):
                continue
            try:
                digest = _sha256(now)
            except OSError:
                digest = "unreadable"
            if digest != was[2]:
                self.changed = name
                return
            self.files[name] = (*_stat(now), digest)  # touched or copied, with the same bytes: not read again


class ModelRegistry:
    """The models of a server by name, in the order given.

    Args:
        served: the models.
        thread: the one in which all of them are loaded and compute.
    """

    def __init__(self, served: Sequence[ServedModel], thread: DaemonThreads) -> None:
        self.served = {item.name: item for item in served}
        self._thread = thread

    def start(self) -> None:
        """Begin to compute; call it inside the running event loop."""
        for item in self.served.values():
            item.queue.start()

    async def stop(self) -> None:
        """Stop; what waits is refused with 503."""
        for item in self.served.values():
            await item.queue.stop()
        self._thread.shutdown()

    def get(self, name: str | None) -> ServedModel:
        """Return a model by name; None is the only one.

        Raises:
            ProblemError: 404 for an unknown name, 422 if several are served and none was named.
        """
        if name is None:
            if len(self.served) == 1:
                return next(iter(self.served.values()))
            names = ", ".join(self.served)
            raise ProblemError(
                422,
                f"{len(self.served)} models are served and none was named; add ?model=NAME (one of: {names}), or "
                "ask all of them at /v1/compare.",
            )
        if name not in self.served:
            raise ProblemError(404, str(unknown_name("model", name[:80], self.served)))
        return self.served[name]

    @property
    def not_ready(self) -> str:
        """Why the server should get no requests now, or ""."""
        for item in self.served.values():
            if item.changed:
                return f"The bundle of {item.name} changed on disk after it was loaded ({item.changed})."
        return ""

    @property
    def stuck(self) -> str:
        """Name of a model whose computation hangs, or ""."""
        hanging = (item.name for item in self.served.values() if item.queue.busy_seconds > STUCK_SECONDS)
        return next(hanging, "")


def load_registry(
    sources: Sequence[Path | ImagePredictor], settings: ServeSettings, load: Loader
) -> ModelRegistry:
    """Load bundles, warm them up, and put a queue in front of each.

    All of it happens in the one thread that computes for all of them later: OpenMP gives each thread that computes a
    pool of its own, and once there are more threads in pools than cores, those that wait between layers sleep at once
    and are slow to wake. On two cores a lone image then took 42 ms in place of 24.

    Args:
        sources: folders or files of bundles, or models that are loaded already.
        settings: limits of the queues.
        load: reads one bundle and checks its hashes.

    Raises:
        UsageError: no bundle, or the same one twice.
        BundleError: a file changed while its bundle was loaded.
        HeadToHeadError: whatever `load` finds wrong with a bundle.
    """
    if not sources:
        raise UsageError("No model was given; expected at least one bundle (headtohead serve MODEL).")
    thread = DaemonThreads(1, "h2h-model")
    try:
        served = _load_all(sources, settings, load, thread)
    except BaseException:
        thread.shutdown()
        raise
    return ModelRegistry(served, thread)


def _load_all(
    sources: Sequence[Path | ImagePredictor], settings: ServeSettings, load: Loader, thread: DaemonThreads
) -> list[ServedModel]:
    loaded = [thread.submit(_load, source, load).result() for source in sources]
    names = _names([one.model for one in loaded])
    served = []
    for name, one in zip(names, loaded, strict=True):
        warm = thread.submit(warm_up, one.model, settings.max_batch).result()
        limits = QueueLimits(
            waiting=settings.max_queue,
            batch=settings.max_batch if warm.pays else 1,
            pixels=settings.max_pixels,
            seconds=settings.answer_seconds,
        )
        queue = BatchQueue(one.model.predict_bytes, limits, stages=stages_of(one.model), thread=thread)
        item = ServedModel(name, one.model, queue, warm, one.path, files=one.files())
        item.look()
        if item.changed:
            raise BundleError(
                f"{item.changed} of the bundle {one.path} changed while it was loaded; start the server again."
            )
        served.append(item)
    return served


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model, where it comes from, and size and time of each file before it was loaded."""

    model: ImagePredictor
    path: Path | None = None
    before: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def files(self) -> dict[str, FileFacts]:
        """Return size, time and sha256 of each file as loaded.

        The sha256 is the one that the model states of what it read. Of a model that states none, or of a file that it
        did not read, it is that of now, unless the file changed meanwhile.
        """
        if self.path is None:
            return {}
        stated: Mapping[str, str] = getattr(self.model, "files", {})
        found: dict[str, FileFacts] = {name: (-1, -1, digest) for name, digest in stated.items()}
        for name, file in _files(self.path, stated).items():
            was = self.before.get(name, (-1, -1))
            digest = stated.get(name) or (_sha256(file) if was == _stat(file) else "of a changed file")
            found[name] = (*was, digest)
        return found


def _load(source: Path | ImagePredictor, load: Loader) -> _Loaded:
    if not isinstance(source, Path):
        return _Loaded(source)
    before = {name: _stat(file) for name, file in _files(source).items()}
    return _Loaded(load(source), source, before)


def _names(models: Sequence[ImagePredictor]) -> list[str]:
    """Return a name fit for addresses for each model; equal names get the first digits of their digest."""
    plain = [re.sub(r"[^A-Za-z0-9._-]+", "-", model.name).strip("-.") or "model" for model in models]
    counts = Counter(plain)
    names = [
        f"{name}-{model.digest[:8]}" if counts[name] > 1 else name
        for name, model in zip(plain, models, strict=True)
    ]
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise UsageError(f"The bundle {twice[0]} was given twice; give each bundle once.")
    return names


def _files(path: Path, more: Iterable[str] = ()) -> dict[str, Path]:
    """Return the files of a bundle by name; of an exported file itself, and `more` beside it."""
    try:
        if path.is_file():
            beside = {name: path.with_name(name) for name in more}
            return {path.name: path} | {name: file for name, file in beside.items() if file.is_file()}
        return {str(f.relative_to(path)): f for f in path.rglob("*") if f.is_file()}
    except OSError:
        return {}


def _stat(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (-1, -1)  # of no file, so that it differs
    return stat.st_size, stat.st_mtime_ns


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
