"""What is served is what was loaded: a file that changes while its bundle is loaded is no part of the digest."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.serve.conftest import FakeModel

from headtohead.core.errors import BundleError, UsageError
from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.hosting.registry import load_registry
from headtohead.serve.settings import ServeSettings

SETTINGS = ServeSettings()


@dataclass
class FakeBundle(FakeModel):
    """A model that tells the hashes of what it read."""

    files: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle of two files."""
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text(name)
    return tmp_path


def read(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("states", [True, False])
def test_a_file_that_changes_after_it_was_read_is_not_served(folder: Path, states: bool) -> None:
    def load(path: Path) -> FakeModel:
        model = FakeBundle(files=read(path)) if states else FakeModel()
        (path / "model.safetensors").write_text("of somebody else")
        return model

    with pytest.raises(BundleError, match=r"model\.safetensors .* changed while it was loaded"):
        load_registry([folder], SETTINGS, load)


def test_a_file_that_changes_before_it_is_read_is_served(folder: Path) -> None:
    def load(path: Path) -> FakeModel:
        (path / "model.safetensors").write_text("new")
        return FakeBundle(files=read(path))

    (served,) = load_registry([folder], SETTINGS, load).served.values()
    (folder / "model.safetensors").write_text("old")
    served.look()
    assert served.changed == "model.safetensors"


def test_the_weights_beside_an_exported_file_are_watched(folder: Path) -> None:
    for name in ("m.xml", "m.bin"):
        (folder / name).write_text(name)
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("m.xml", "m.bin")}
    (served,) = load_registry(
        [folder / "m.xml"], SETTINGS, lambda _: FakeBundle(files=hashes)
    ).served.values()
    (folder / "config.json").write_text("of another model")
    served.look()
    assert served.changed == ""
    (folder / "m.bin").write_text("other")
    served.look()
    assert served.changed == "m.bin"


class ThreadNames(FakeModel):
    """A model that tells in which threads it computed."""

    threads: set[threading.Thread]

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        """Return one result per item."""
        self.threads.add(threading.current_thread())
        return super().predict_bytes(items)


def test_one_thread_loads_warms_up_and_computes_for_all_models(folder: Path) -> None:
    """Each thread that ever computed has threads of OpenMP; more of those than cores are slow to wake."""
    loaded: set[threading.Thread] = set()

    def load(path: Path) -> ThreadNames:
        loaded.add(threading.current_thread())
        model = ThreadNames(name=path.name, digest=path.name)
        model.threads = set()
        return model

    (folder / "a").mkdir()
    (folder / "b").mkdir()
    registry = load_registry([folder / "a", folder / "b"], SETTINGS, load)

    async def ask() -> None:
        registry.start()
        await asyncio.gather(*(one.queue.submit([("x", b"", 1)] * 3) for one in registry.served.values()))
        await registry.stop()

    asyncio.run(ask())
    (thread,) = loaded
    for served in registry.served.values():
        assert isinstance(served.model, ThreadNames)
        assert served.model.threads == {thread}
    assert thread.name == "h2h-model-0"
    thread.join(60)
    assert not thread.is_alive()  # it ends with the server


def test_a_registry_that_cannot_be_made_leaves_no_thread(folder: Path) -> None:
    def load(path: Path) -> FakeModel:
        threads.append(threading.current_thread())
        return FakeModel()

    threads: list[threading.Thread] = []
    with pytest.raises(UsageError, match="was given twice"):
        load_registry([folder, folder], SETTINGS, load)
    threads[0].join(60)
    assert not threads[0].is_alive()
