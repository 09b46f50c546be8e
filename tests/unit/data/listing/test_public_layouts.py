"""Layouts and tables of public data sets as they are shipped: the right classes, or a refusal that says what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import HeadToHeadError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]
Layout = tuple[list[str], dict[str, str]]
"""Paths of images, and text files by path."""


def _each(*folders: str, n: int = 3, name: str = "{}.png") -> list[str]:
    return [f"{folder}/{name.format(i)}" for folder in folders for i in range(n)]


def _table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


READ: dict[str, tuple[Layout, dict[str, int], str]] = {
    "runs beside splits": (
        (_each("train/a", "train/b", "test/a", "test/b", "runs/classify/x"), {}),
        {"a": 6, "b": 6},
        "'runs' (3 images)",
    ),
    "a second test folder beside splits": (
        (_each("d/train/a", "d/train/b", "d/val/a", "d/val/b", "d/TEST_SIMPLE"), {}),
        {"a": 6, "b": 6},
        "'TEST_SIMPLE'",
    ),
    "splits inside class folders": (
        (_each("a/train", "a/test", "b/train", "b/test"), {}),
        {"a": 6, "b": 6},
        "6 train, 0 val, 6 test",
    ),
    "classes that differ between splits": (
        (_each("train/cancer_left", "train/normal", "test/cancer", "test/normal"), {}),
        {"cancer_left": 3, "normal": 6, "cancer": 3},
        "--map-labels 'cancer_left=cancer'",
    ),
    "patients over classes": (
        (_each(*(f"{p}/{c}" for p in (8863, 8900, 8937) for c in (0, 1))), {}),
        {"0": 9, "1": 9},
        "are patients",
    ),
    "parts over classes": (
        (_each("part_1/no", "part_1/yes", "part_2/no", "part_2/yes"), {}),
        {"no": 6, "yes": 6},
        "parts of the set",
    ),
    "cases inside classes": (
        (_each(*(f"{c}/case_{c}0{i}" for c in ("HGG", "LGG") for i in range(4)), n=1), {}),
        {"HGG": 4, "LGG": 4},
        "",
    ),
    "folders of images to be predicted": (
        (_each("no", "yes", "pred"), {}),
        {"no": 3, "yes": 3},
        "'pred' (3 images)",
    ),
    "masks beside images": (
        (_each("a", "b", name="x ({}).png") + _each("a", "b", name="x ({})_mask.png"), {}),
        {"a": 3, "b": 3},
        "6 masks of other images (a 3, b 3)",
    ),
    "masks in a folder": (
        (_each("a/images", "a/masks", "b/images", "b/masks"), {}),
        {"a": 3, "b": 3},
        "6 masks of other images (a 3, b 3)",
    ),
    "label maps of cases": (
        ([f"{c}/case_{i}000/case_{i}000_{k}.png" for c in "ab" for i in range(3) for k in ("t1", "seg")], {}),
        {"a": 3, "b": 3},
        "6 masks",
    ),
    "what headtohead wrote": (
        (_each("a", "b", "look", name="sheet-00{}.png"), {"look/boxes.csv": "path\n"}),
        {"a": 3, "b": 3},
        "files that headtohead wrote",
    ),
    "HAM10000": (
        (
            [f"HAM10000_images_part_{1 + i % 2}/ISIC_00{i}.jpg" for i in range(4)],
            {
                "HAM10000_metadata.csv": _table(
                    "lesion_id,image_id,dx",
                    [f"L{i // 2},ISIC_00{i},{'mel' if i > 1 else 'nv'}" for i in range(4)],
                )
            },
        ),
        {"mel": 2, "nv": 2},
        "parts of one set",
    ),
    "APTOS": (
        (_each("train_images"), {"train.csv": _table("id_code,diagnosis", ["0,0", "1,0", "2,1"])}),
        {"0": 2, "1": 1},
        "train.csv names these images and is used",
    ),
    "ISIC one-hot": (
        (
            _each("ISIC_Input"),
            {"truth.csv": _table("image,MEL,NV,UNK", ["0,1.0,0.0,0.0", "1,0.0,1.0,0.0", "2,1.0,0.0,0.0"])},
        ),
        {"MEL": 2, "NV": 1},
        "the name of the column that is 1",
    ),
    "CBIS-DDSM": (
        (
            [f"Mass_P_0000{i}_LEFT/1.{i}/000.png" for i in range(4)],
            {
                "mass.csv": _table(
                    "patient_id,pathology,image file path",
                    [
                        f"P_{i},{'BENIGN' if i else 'MALIGNANT'},Mass_P_0000{i}_LEFT/1.{i}/000.png"
                        for i in range(4)
                    ],
                )
            },
        ),
        {"BENIGN": 3, "MALIGNANT": 1},
        "number patients or cases",
    ),
    "BIDS": (
        (
            [f"sub-CL000{i}/ses-M00/anat/scan.png" for i in range(4)],
            {
                "participants.tsv": _table(
                    "participant_id\tdiagnosis",
                    [f"sub-CL000{i}\t{'AD' if i % 2 else 'CN'}" for i in range(4)],
                )
            },
        ),
        {"AD": 2, "CN": 2},
        "name folders",
    ),
}  # fmt: skip

REFUSED: dict[str, tuple[Layout, str]] = {
    "two levels of classes": (
        (_each("lung/lung_n", "lung/lung_aca", "colon/colon_n", "colon/colon_aca"), {}),
        r"2 classes, colon \(6\), lung \(6\): --label-from .*Or 4 classes, colon_aca \(3\)",
    ),
    "one class with folders inside": (
        (_each("cancer/benign", "cancer/malignant", "normal"), {}),
        r"2 classes, cancer \(6\), normal \(3\).*Or 3 classes",
    ),
    "the same folders in each": (
        (_each("yes/siteA", "yes/siteB", "no/siteA", "no/siteB"), {}),
        "folders of the same names.*Or 2 classes, siteA",
    ),
    "parts without classes": ((_each("images_001/images", "images_002/images"), {}), "parts of one set"),
    "patients without classes": ((_each("patient1", "patient2", "patient3"), {}), "number patients or cases"),
    "several questions": (
        (
            _each("train/patient1/study1", "train/patient2/study1", "train/patient3/study1", n=1),
            {
                "train.csv": _table(
                    "Path,Edema,Effusion",
                    [
                        f"set/train/patient{i}/study1/0.png,1.0,{v}"
                        for i, v in ((1, "1.0"), (2, "-1.0"), (3, ""))
                    ],
                )
            },
        ),
        "train.csv names these images.*several questions.*--columns 'label=Edema'",
    ),
    "two tables": (
        (_each("images"), {f"{n}.csv": _table("image,label", ["0,a", "1,b", "2,b"]) for n in "xy"}),
        "2 tables name these images",
    ),
    "MATLAB": (
        ([], {f"{c}/{i}.mat": "MATLAB 5.0" for c in "ab" for i in range(2)}),
        "4 files were left out: a/0.mat, a/1.mat, b/0.mat and 1 more: its content is no image format",
    ),
}  # fmt: skip


def opened(layout: Layout, tree: Tree, image: Image, **options: object) -> Dataset:
    paths, texts = layout
    files = {path: image(seed) for seed, path in enumerate(paths)}
    source = tree(files | {path: text.encode() for path, text in texts.items()})
    return load(str(source), LoadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(READ))
def test_classes_are_those_that_are_meant(kind: str, tree: Tree, image: Image) -> None:
    layout, counts, words = READ[kind]
    data = opened(layout, tree, image)
    assert Counter(sample.label for sample in data.samples) == counts
    assert words in " ".join(data.notes)
    record = data_record(data)
    assert record["classes"] == counts and record["n_samples"] == sum(counts.values())


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_what_is_not_clear_is_asked_for(kind: str, tree: Tree, image: Image) -> None:
    layout, words = REFUSED[kind]
    with pytest.raises(HeadToHeadError, match=words):
        opened(layout, tree, image)


def test_patients_that_hold_the_class_folders_are_groups(tree: Tree, image: Image) -> None:
    data = opened(READ["patients over classes"][0], tree, image)
    assert set(data.groups()) == {"8863", "8900", "8937"}


def test_splits_below_a_label_from_survive(tree: Tree, image: Image) -> None:
    paths = [f"d/{split}/{c}-{i}.png" for split in ("train", "test") for c in "ab" for i in range(2)]
    data = opened((paths, {}), tree, image, label_from="/([ab])-")
    assert Counter((sample.label, sample.split) for sample in data.samples) == {
        (c, split): 2 for c in "ab" for split in ("train", "test")
    }


def test_the_advice_of_a_refusal_works(tree: Tree, image: Image) -> None:
    layout = REFUSED["one class with folders inside"][0]
    assert opened(layout, tree, image, label_from="^([^/]+)/").classes == ("normal", "cancer")
    data = opened(layout, tree, image, label_from="([^/]+)/[^/]+$")
    assert data.classes == ("benign", "malignant", "normal")


def test_images_lost_from_one_class_are_told_by_class(tree: Tree, image: Image) -> None:
    layout = (_each("a", "b"), {f"b/{i}.HEIC": "heic" for i in range(4)})
    assert "4 HEIC files, which are not read" in (notes := " ".join(opened(layout, tree, image).notes))
    assert "(b 4)" in notes
