"""Remote folders and archives, on fsspec's filesystem in memory: the same samples as on disk."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from headtohead.core.errors import (
    ChangedDataError,
    DataError,
    MissingExtraError,
    NoEffectError,
    UnreadableError,
    UsageError,
)
from headtohead.data.load import LoadOptions, load, source_digest
from headtohead.data.readers import Limits
from headtohead.data.storage.archives import ZipStore
from headtohead.data.storage.open import open_store
from headtohead.data.storage.remote import RemoteStore

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


@pytest.fixture
def memory() -> Iterator[Any]:
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


@pytest.fixture
def files(image: Image) -> dict[str, bytes]:
    return {f"{name}/{i}.png": image(i + 10 * (name == "yes")) for name in ("yes", "no") for i in range(3)}


def put(memory: Any, folder: str, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        memory.pipe(f"/{folder}/{name}", content)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_remote_folder_is_the_folder(memory: Any, files: dict[str, bytes], tree: Tree) -> None:
    put(memory, "bucket/scans", files)
    folder, data = load(str(tree(files))), load("memory://bucket/scans")
    assert data.samples == folder.samples and data.root == "memory://bucket/scans"
    assert data.digest() == folder.digest() == source_digest("memory://bucket/scans")
    assert np.array_equal(data.read(data.samples[0]).pixels, folder.read(folder.samples[0]).pixels)


def test_a_remote_zip_is_the_folder(memory: Any, files: dict[str, bytes], tree: Tree) -> None:
    put(memory, "bucket", {"scans.zip": zipped(files)})
    folder, data = load(str(tree(files))), load("memory://bucket/scans.zip")
    assert data.samples == folder.samples and data.root == "memory://bucket/scans.zip"
    assert np.array_equal(data.read(data.samples[0]).pixels, folder.read(folder.samples[0]).pixels)
    assert isinstance(open_store(data.root), ZipStore)


def test_remote_npz(memory: Any) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, images=np.arange(48, dtype=np.uint8).reshape(3, 4, 4), labels=np.array([0, 1, 1]))
    put(memory, "bucket", {"set.npz": buffer.getvalue()})
    assert len(load("memory://bucket/set.npz")) == 3


TABLE = b"path,label\nyes/0.png,a\nyes/1.png,b\nno/2.png,a\n"


def test_tables_beside_their_images_and_in_a_zip(memory: Any, files: dict[str, bytes]) -> None:
    put(memory, "bucket/scans", files | {"labels.csv": TABLE})
    put(memory, "bucket", {"scans.zip": zipped(files | {"labels.csv": TABLE})})
    for source in (
        "memory://bucket/scans/labels.csv",
        "memory://bucket/scans.zip",
        "memory://bucket/scans.zip/labels.csv",
    ):
        data = load(source)
        assert {s.id: s.label for s in data.samples} == {"yes/0.png": "a", "yes/1.png": "b", "no/2.png": "a"}
    with pytest.raises(NoEffectError, match="label_from"):
        load("memory://bucket/scans/labels.csv", LoadOptions(label_from="(a)"))


def test_changed_data_are_seen_and_named(memory: Any, files: dict[str, bytes], image: Image) -> None:
    put(memory, "bucket", {"scans.zip": zipped(files)})
    put(memory, "bucket/scans", files)
    before = [source_digest("memory://bucket/scans.zip"), source_digest("memory://bucket/scans")]
    data = load("memory://bucket/scans")
    changed = files | {"yes/0.png": image(99)}
    put(memory, "bucket", {"scans.zip": zipped(changed)})
    put(memory, "bucket/scans", changed)
    after = [source_digest("memory://bucket/scans.zip"), source_digest("memory://bucket/scans")]
    assert before[0] != after[0] and before[1] != after[1] and after[0] == after[1]
    with pytest.raises(ChangedDataError, match="not the file that was listed"):
        data.read(next(s for s in data.samples if s.id == "yes/0.png"))


def test_hostile_members_of_a_remote_zip_are_refused(memory: Any, files: dict[str, bytes]) -> None:
    put(memory, "bucket", {"scans.zip": zipped(files | {"../evil.png": b"x"})})
    with pytest.raises(DataError, match=r"scans\.zip is refused as unsafe.*leads out of the archive"):
        load("memory://bucket/scans.zip")


def test_large_files_are_refused_before_they_are_fetched(
    memory: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(memory, "bucket/scans", files)
    store = open_store("memory://bucket/scans", refresh=True)
    monkeypatch.setattr("headtohead.data.readers.DEFAULT_LIMITS", Limits(bytes=10))
    with pytest.raises(UnreadableError, match="the limit is 10"):
        store.read("yes/0.png")
    assert isinstance(store, RemoteStore) and len(store.read_prefix("yes/0.png")) > 10


def test_a_copy_stays_within_the_limit_and_is_removed(
    memory: Any, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headtohead.data.storage import remote
    from headtohead.data.storage.archive.members import ArchiveLimits

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(remote, "ARCHIVE_LIMITS", ArchiveLimits(total_bytes=100))
    put(memory, "bucket", {"big.zip": zipped(files)})
    with pytest.raises(DataError, match="more than 100 bytes, the limit"):
        load("memory://bucket/big.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "error", "reason"),
    [
        ("memory://bucket/nothing", DataError, "No such file or folder: memory://bucket/nothing"),
        ("ftp://host/scans", UsageError, "expected a path or one of s3://, gs://"),
        ("memory://bucket/nothing/labels.csv", DataError, "No such file or folder"),
    ],
)
def test_what_cannot_be_opened_is_explained(
    memory: Any, url: str, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        load(url)


@pytest.mark.parametrize(("url", "extra"), [("s3://bucket/scans", "s3"), ("gs://bucket/scans", "gs")])
def test_a_missing_package_is_named_with_its_extra(
    url: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingExtraError, match=rf"pip install 'headtohead\[{extra}\]'"):
        load(url)


def test_errors_of_the_storage_are_told_without_a_traceback(
    memory: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(memory, "bucket/scans", files)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError("Forbidden")

    monkeypatch.setattr(type(memory), "find", denied)
    with pytest.raises(DataError, match=r"PermissionError: Forbidden\. Check the address, the network"):
        load("memory://bucket/scans")
