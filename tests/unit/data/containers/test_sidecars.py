"""WebDataset shards: labels in files of the same key."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import HeadToHeadError
from headtohead.data.load import load, source_digest

Image = Callable[..., bytes]


def shard(path: Path, members: dict[str, bytes], mode: str = "w") -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def members(image: Image, n: int, start: int = 0, kind: str = "cls") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for i in range(start, start + n):
        record = {"label": i % 2, "patient_id": f"p{i // 2}", "age": 40.0, "nested": {"a": 1}}
        found[f"{i:06d}.png"] = image(i)
        found[f"{i:06d}.{kind}"] = str(i % 2).encode() if kind == "cls" else json.dumps(record).encode()
    return found


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_one_shard_with_classes(tmp_path: Path, image: Image, mode: str) -> None:
    shard(tmp_path / "a.tar", members(image, 6), mode)
    data = load(str(tmp_path / "a.tar"))
    assert data.classes == ("0", "1") and len(data) == 6
    assert source_digest(str(tmp_path / "a.tar")) == data.digest()


def test_records_give_labels_and_patients(tmp_path: Path, image: Image) -> None:
    shard(tmp_path / "a.tar", members(image, 6, kind="json"))
    data = load(str(tmp_path / "a.tar"))
    assert data.classes == ("0", "1") and {s.group for s in data.samples} == {"p0", "p1", "p2"}
    assert data.samples[0].extra["age"] == "40"


def test_a_folder_of_shards_with_a_split(tmp_path: Path, image: Image) -> None:
    shard(tmp_path / "train-000.tar", members(image, 4))
    shard(tmp_path / "train-001.tar", members(image, 4, 4))
    shard(tmp_path / "val-000.tar", members(image, 4, 8))
    data = load(str(tmp_path))
    assert [s.split for s in data.samples].count("train") == 8 and len(data) == 12
    assert data.samples[0].path == "train-000.tar/000000.png"
    assert (data.read(data.samples[5]).pixels).size and source_digest(str(tmp_path)) == data.digest()


def test_shards_unpacked_into_a_folder(tmp_path: Path, image: Image) -> None:
    for name, content in members(image, 4).items():
        (tmp_path / name).write_bytes(content)
    assert load(str(tmp_path)).classes == ("0", "1")


def test_records_without_a_label_do_not_hide_class_folders(tmp_path: Path, image: Image) -> None:
    for i in range(4):
        folder = tmp_path / ("no", "yes")[i % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{i}.png").write_bytes(image(i))
        (folder / f"{i}.json").write_text(json.dumps({"EchoTime": 0.03, "label": "x"}))
    assert load(str(tmp_path)).classes == ("no", "yes")


def test_a_shard_without_labels_says_what_is_expected(tmp_path: Path, image: Image) -> None:
    shard(tmp_path / "a.tar", {f"{i}.png": image(i) for i in range(3)})
    with pytest.raises(HeadToHeadError, match=r"\.cls"):
        load(str(tmp_path / "a.tar"))
