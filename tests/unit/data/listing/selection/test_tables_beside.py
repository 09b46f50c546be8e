"""Tables beside the images: used where the folders name no classes, read together from the parts of a split."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import ManifestError
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def test_metadata_of_each_part_is_read_together(tree: Tree, image: Image) -> None:
    """As Hugging Face's image folders: `train/metadata.csv` and `test/metadata.jsonl`."""
    files = {
        f"{part}/{i}.png": image(i + 9 * (part == "test")) for part in ("train", "test") for i in range(4)
    }
    rows = [{"file_name": f"{i}.png", "label": i % 2} for i in range(4)]
    files["train/metadata.csv"] = b"file_name,label\n" + b"".join(
        f"{i}.png,{i % 2}\n".encode() for i in range(4)
    )
    files["test/metadata.jsonl"] = "\n".join(map(json.dumps, rows)).encode()
    record = data_record(load(str(tree(files))))
    assert record["classes"] == {"0": 4, "1": 4}
    assert record["split"] == {"test": 4, "train": 4}


def test_a_table_in_an_archive_finds_its_images_below(tmp_path: Path, image: Image) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(4):
            archive.writestr(f"train/{i}.png", image(i))
        archive.writestr("train.csv", "id,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(4)))
    (tmp_path / "set.zip").write_bytes(packed.getvalue())
    assert data_record(load(str(tmp_path / "set.zip")))["classes"] == {"a": 2, "b": 2}


def test_options_for_a_table_take_the_one_beside_class_folders(tree: Tree, image: Image) -> None:
    files = {f"{c}/{c}{i}.png": image(i + 9 * (c == "b")) for c in "ab" for i in range(4)}
    files["t.csv"] = b"file,stage\n" + b"".join(
        f"{c}{i}.png,{i % 2}\n".encode() for c in "ab" for i in range(4)
    )
    source = str(tree(files))
    assert data_record(load(source))["classes"] == {"a": 4, "b": 4}
    record = data_record(load(source, LoadOptions(columns={"label": "stage"})))
    assert record["classes"] == {"0": 4, "1": 4}


def test_two_tables_in_one_place_are_asked_for(tree: Tree, image: Image) -> None:
    table = b"image,label\n0,a\n1,b\n2,b\n"
    files = {f"train/{i}.png": image(i) for i in range(3)} | {"train/x.csv": table, "train/y.csv": table}
    with pytest.raises(ManifestError, match="2 tables name these images"):
        load(str(tree(files)))
