"""What is served is what was loaded: a file that changes while its bundle is loaded is no part of the digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.serve.conftest import FakeModel

from headtohead.core.errors import BundleError
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
