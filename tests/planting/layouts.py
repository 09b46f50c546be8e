"""Layouts and tables of public data sets as they are shipped, in small: image paths, text files, and what is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["FAMOUS", "READ", "REFUSED", "Famous", "Layout", "each"]

Layout = tuple[list[str], dict[str, str]]
"""Paths of images, and text files by path."""


def each(*folders: str, n: int = 3, name: str = "{}.png") -> list[str]:
    """Return n names in each folder."""
    return [f"{folder}/{name.format(i)}" for folder in folders for i in range(n)]


def _table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


READ: dict[str, tuple[Layout, dict[str, int], str]] = {
    "runs beside splits": (
        (each("train/a", "train/b", "test/a", "test/b", "runs/classify/x"), {}),
        {"a": 6, "b": 6},
        "'runs' (3 images)",
    ),
    "a second test folder beside splits": (
        (each("d/train/a", "d/train/b", "d/val/a", "d/val/b", "d/TEST_SIMPLE"), {}),
        {"a": 6, "b": 6},
        "'TEST_SIMPLE'",
    ),
    "splits inside class folders": (
        (each("a/train", "a/test", "b/train", "b/test"), {}),
        {"a": 6, "b": 6},
        "6 train, 0 val, 6 test",
    ),
    "classes that differ between splits": (
        (each("train/cancer_left", "train/normal", "test/cancer", "test/normal"), {}),
        {"cancer_left": 3, "normal": 6, "cancer": 3},
        "--map-labels 'cancer_left=cancer'",
    ),
    "patients over classes": (
        (each(*(f"{p}/{c}" for p in (8863, 8900, 8937) for c in (0, 1))), {}),
        {"0": 9, "1": 9},
        "are patients",
    ),
    "parts over classes": (
        (each("part_1/no", "part_1/yes", "part_2/no", "part_2/yes"), {}),
        {"no": 6, "yes": 6},
        "parts of the set",
    ),
    "cases inside classes": (
        (each(*(f"{c}/case_{c}0{i}" for c in ("HGG", "LGG") for i in range(4)), n=1), {}),
        {"HGG": 4, "LGG": 4},
        "",
    ),
    "folders of images to be predicted": (
        (each("no", "yes", "pred"), {}),
        {"no": 3, "yes": 3},
        "'pred' (3 images)",
    ),
    "masks beside images": (
        (each("a", "b", name="x ({}).png") + each("a", "b", name="x ({})_mask.png"), {}),
        {"a": 3, "b": 3},
        "6 masks of other images (a 3, b 3)",
    ),
    "masks in a folder": (
        (each("a/images", "a/masks", "b/images", "b/masks"), {}),
        {"a": 3, "b": 3},
        "6 masks of other images (a 3, b 3)",
    ),
    "label maps of cases": (
        ([f"{c}/case_{i}000/case_{i}000_{k}.png" for c in "ab" for i in range(3) for k in ("t1", "seg")], {}),
        {"a": 3, "b": 3},
        "6 masks",
    ),
    "what headtohead wrote": (
        (each("a", "b", "look", name="sheet-00{}.png"), {"look/boxes.csv": "path\n"}),
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
        (each("train_images"), {"train.csv": _table("id_code,diagnosis", ["0,0", "1,0", "2,1"])}),
        {"0": 2, "1": 1},
        "train.csv names these images and is used",
    ),
    "ISIC one-hot": (
        (
            each("ISIC_Input"),
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
        (each("lung/lung_n", "lung/lung_aca", "colon/colon_n", "colon/colon_aca"), {}),
        r"2 classes, colon \(6\), lung \(6\): --label-from .*Or 4 classes, colon_aca \(3\)",
    ),
    "one class with folders inside": (
        (each("cancer/benign", "cancer/malignant", "normal"), {}),
        r"2 classes, cancer \(6\), normal \(3\).*Or 3 classes",
    ),
    "the same folders in each": (
        (each("yes/siteA", "yes/siteB", "no/siteA", "no/siteB"), {}),
        "folders of the same names.*Or 2 classes, siteA",
    ),
    "parts without classes": ((each("images_001/images", "images_002/images"), {}), "parts of one set"),
    "patients without classes": ((each("patient1", "patient2", "patient3"), {}), "number patients or cases"),
    "several questions": (
        (
            each("train/patient1/study1", "train/patient2/study1", "train/patient3/study1", n=1),
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
        "train.csv names these images.*several questions.*--label-has E",
    ),
    "two tables": (
        (each("images"), {f"{n}.csv": _table("image,label", ["0,a", "1,b", "2,b"]) for n in "xy"}),
        "2 tables name these images",
    ),
    "MATLAB": (
        ([], {f"{c}/{i}.mat": "MATLAB 5.0" for c in "ab" for i in range(2)}),
        "4 files were left out: a/0.mat, a/1.mat, b/0.mat and 1 more: its content is no image format",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Famous:
    """A public data set: its files, the table that a user points at, and what is right.

    Attributes:
        paths: of images. texts: text files by path; the first is the table.
        counts: class -> images. groups: how many. positive: of two classes.
        asks: the option that the refusal names, "" where the table loads as it is. options: the same as arguments.
    """

    paths: list[str]
    texts: dict[str, str]
    counts: dict[str, int]
    groups: int
    positive: str | None = None
    asks: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def _rows(header: str, n: int, row: str) -> str:
    """Return a table of n rows; `row` is an expression in `i`, written as a format string of computed names."""
    names = [
        {
            "i": i,
            "half": i // 2,
            "one": 1 + i % 2,
            "side": ("left", "right")[i % 2],
            "dx": ("nv", "mel", "bkl")[i % 3],
            "bit": i % 2,
            "bits": ("1.0,0.0,0.0", "0.0,1.0,0.0", "0.0,0.0,1.0")[i % 3],
            "finding": ("Effusion", "No Finding", "Effusion|Mass", "Mass")[i % 4],
            "reader": ("Cardiomegaly", "No finding")[i % 2],
            "word": ("BENIGN", "MALIGNANT", "BENIGN_WITHOUT_CALLBACK")[i % 3],
            "chex": ("1.0,,0.0", ",1.0,1.0", "1.0,,", ",-1.0,1.0")[i % 4],
        }
        for i in range(n)
    ]
    return _table(header, [row.format(**values) for values in names])


FAMOUS: dict[str, Famous] = {
    "HAM10000": Famous(
        [f"HAM10000_images_part_{1 + i % 2}/ISIC_00243{i:02d}.jpg" for i in range(12)],
        {"HAM10000_metadata.csv": _rows("lesion_id,image_id,dx,dx_type,age,sex", 12,
            "HAM_{half},ISIC_00243{i:02d},{dx},histo,60,male")},
        {"nv": 4, "mel": 4, "bkl": 4}, 6,
    ),
    "ISIC 2019": Famous(
        [f"ISIC_2019_Training_Input/ISIC_{i:07d}.jpg" for i in range(12)],
        {"ISIC_2019_Training_GroundTruth.csv": _rows("image,MEL,NV,UNK", 12, "ISIC_{i:07d},{bits}")},
        {"MEL": 4, "NV": 4, "UNK": 4}, 12,
    ),
    "APTOS 2019": Famous(
        [f"train_images/{i:012x}.png" for i in range(12)],
        {"train.csv": _rows("id_code,diagnosis", 12, "{i:012x},{bit}")},
        {"0": 6, "1": 6}, 12, "1",
    ),
    "EyePACS": Famous(
        [f"train/{i}_{side}.jpeg" for i in range(6) for side in ("left", "right")],
        {"trainLabels.csv": _rows("image,level", 12, "{half}_{side},{bit}")},
        {"0": 6, "1": 6}, 6, "1",
    ),
    "RSNA pneumonia": Famous(
        [f"stage_2_train_images/0004cfab-{i:02d}.png" for i in range(12)],
        {"stage_2_train_labels.csv": _rows("patientId,x,y,width,height,Target", 12, "0004cfab-{i:02d},1,2,3,4,{bit}")
            + "".join(f"0004cfab-{i:02d},9,9,3,4,1\n" for i in range(1, 12, 2))},
        {"0": 6, "1": 6}, 12, "1",
    ),
    "SIIM-ISIC 2020": Famous(
        [f"jpeg/train/ISIC_{i:07d}.jpg" for i in range(12)],
        {"train.csv": _rows("image_name,patient_id,sex,age_approx,diagnosis,benign_malignant,target", 12,
            "ISIC_{i:07d},IP_{half},male,45,unknown,benign,{bit}")},
        {"0": 6, "1": 6}, 6, "1", options={"columns": {"label": "target"}},
    ),
    "PatchCamelyon (Kaggle)": Famous(
        [f"train/{i:040x}.png" for i in range(12)],
        {"train_labels.csv": _rows("id,label", 12, "{i:040x},{bit}")},
        {"0": 6, "1": 6}, 12, "1",
    ),
    "PAD-UFES-20": Famous(
        [f"imgs_part_{1 + i % 3}/PAT_{i // 2}_{i // 2}_{i}.png" for i in range(12)],
        {"metadata.csv": _rows("patient_id,lesion_id,smoke,age,diagnostic,img_id", 12,
            "PAT_{half},{half},False,55,{word},PAT_{half}_{half}_{i}.png")},
        {"BENIGN": 4, "MALIGNANT": 4, "BENIGN_WITHOUT_CALLBACK": 4}, 6,
    ),
    "CBIS-DDSM": Famous(
        [f"Mass-Training_P_{i // 2:05d}_LEFT_CC/1.3.{i}/000000.png" for i in range(12)],
        {"mass_case_description_train_set.csv": _rows("patient_id,breast_density,pathology,image file path", 12,
            "P_{half:05d},3,{word},\"Mass-Training_P_{half:05d}_LEFT_CC/1.3.{i}/000000.png\n\"")},
        {"BENIGN": 4, "MALIGNANT": 4, "BENIGN_WITHOUT_CALLBACK": 4}, 6,
    ),
    "NIH ChestX-ray14": Famous(
        [f"images_00{1 + i % 2}/images/{i // 2:08d}_00{i % 2}.png" for i in range(12)],
        {"Data_Entry_2017.csv": _rows("Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,", 12,
            "{half:08d}_00{bit}.png,{finding},0,{half},41,")},
        {"Effusion": 6, "No Finding": 3}, 6, "Effusion", "--label-has Effusion --against 'No Finding'",
        {"label_has": "Effusion", "against": "No Finding"},
    ),
    "CheXpert": Famous(
        [f"train/patient{i // 2:05d}/study1/view{1 + i % 2}_frontal.jpg" for i in range(12)],
        {"train.csv": _rows("Path,Sex,No Finding,Edema,Pleural Effusion", 12,
            "CheXpert-v1.0-small/train/patient{half:05d}/study1/view{one}_frontal.jpg,Male,{chex}")},
        {"No Finding": 6, "Pleural Effusion": 6}, 6, "Pleural Effusion",
        "--label-has 'Pleural Effusion' --against 'No Finding'",
        {"label_has": "Pleural Effusion", "against": "No Finding"},
    ),
    "VinDr-CXR": Famous(
        [f"train/{i:032x}.png" for i in range(12)],
        {"train.csv": _rows("image_id,class_name,class_id,rad_id", 12, "{i:032x},{reader},0,R8")
            + "".join(f"{i:032x},Aortic enlargement,0,R9\n" for i in range(0, 12, 2))},
        {"Cardiomegaly": 6, "No finding": 6}, 12, "Cardiomegaly", "--label-has",
        {"label_has": "Cardiomegaly", "against": "No finding"},
    ),
}  # fmt: skip
"""Twelve data sets of medicine and their tables, column for column as they are published."""
