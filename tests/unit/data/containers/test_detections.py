"""COCO and YOLO annotations as classes of images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import HeadToHeadError
from headtohead.data.load import load, source_digest
from headtohead.data.options import LoadOptions

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def coco(n: int, front: str = "") -> bytes:
    return json.dumps(
        {
            "images": [{"id": i, "file_name": f"{front}{i}.png"} for i in range(n)],
            "categories": [
                {"id": 1, "name": "benign"},
                {"id": 2, "name": "malignant"},
                {"id": 0, "name": "all"},
            ],
            "annotations": [{"image_id": i, "category_id": 1 + i % 2, "bbox": [1, 1, 5, 5]} for i in range(n)]
            * 2,
        }
    ).encode()


def test_coco_beside_the_images_of_each_split(tree: Tree, image: Image) -> None:
    files = {
        f"{part}/{i}.png": image(10 * k + i) for k, part in enumerate(("train", "valid")) for i in range(4)
    }
    root = tree(files | {f"{part}/_annotations.coco.json": coco(4) for part in ("train", "valid")})
    data = load(str(root))
    assert data.classes == ("benign", "malignant") and len(data) == 8
    assert {s.split for s in data.samples} == {"train", "val"}
    assert any("COCO" in note for note in data.notes) and source_digest(str(root)) == data.digest()


def test_coco_in_a_folder_of_its_own(tree: Tree, image: Image) -> None:
    files = {f"train2017/{i}.png": image(i) for i in range(4)}
    root = tree(files | {"annotations/instances_train2017.json": coco(4)})
    assert load(str(root)).classes == ("benign", "malignant")


def test_yolo_with_names(tree: Tree, image: Image) -> None:
    files: dict[str, bytes] = {"data.yaml": b"train: ../train/images\nnames: [benign, malignant]\n"}
    for k, part in enumerate(("train", "valid")):
        for i in range(4):
            files[f"{part}/images/x{i}.png"] = image(10 * k + i)
            files[f"{part}/labels/x{i}.txt"] = f"{i % 2} 0.5 0.5 0.2 0.2\n".encode() * 2
    data = load(str(tree(files)))
    assert data.classes == ("benign", "malignant") and len(data) == 8
    assert {s.split for s in data.samples} == {"train", "val"} and any("YOLO" in note for note in data.notes)


@pytest.mark.parametrize("text", [b"0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n", b""])
def test_several_or_no_classes_are_asked_about(tree: Tree, image: Image, text: bytes) -> None:
    files = {f"images/{i}.png": image(i) for i in range(4)}
    files |= {f"labels/{i}.txt": f"{i % 2} 0.5 0.5 0.2 0.2".encode() for i in range(3)} | {
        "labels/3.txt": text
    }
    with pytest.raises(HeadToHeadError, match=r"several labels|no label"):
        load(str(tree(files)))


def test_notes_beside_images_are_no_yolo(tree: Tree, image: Image) -> None:
    files = {f"{c}/{i}.png": image(i) for i, c in enumerate("aabb")}
    root = tree(files | {f"{c}/{i}.txt": b"taken on monday" for i, c in enumerate("aabb")})
    assert load(str(root)).classes == ("a", "b")


def test_excluded_images_stay_out_though_an_annotation_names_them(tree: Tree, image: Image) -> None:
    files = {f"train2017/{i}.png": image(i) for i in range(6)}
    root = tree(files | {"annotations/instances_train2017.json": coco(6)})
    data = load(str(root), LoadOptions(exclude=("4.png", "5.png")))
    assert [sample.id for sample in data.samples] == [f"train2017/{i}.png" for i in range(4)]


def test_excluded_images_stay_out_though_a_table_beside_them_names_them(tree: Tree, image: Image) -> None:
    rows = "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(6))
    root = tree({f"{i}.png": image(i) for i in range(6)} | {"labels.csv": f"file,label\n{rows}".encode()})
    assert len(load(str(root))) == 6
    data = load(str(root), LoadOptions(exclude=("5.png",)))
    assert [sample.id for sample in data.samples] == [f"{i}.png" for i in range(5)]
    assert len(load(str(root), LoadOptions(include=("[0-3].png",)))) == 4
