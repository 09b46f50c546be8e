"""Files with several images: pages of TIFF, frames of DICOM, slices of NIfTI."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as PillowImage
from pydicom.dataset import Dataset as DicomDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from headtohead.core.errors import LeakageError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.listing.groups_csv import read_groups
from headtohead.data.load import LoadOptions, load, source_digest
from headtohead.data.splits.folds import Fold

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


def tiff(seed: int, pages: int = 3) -> bytes:
    rng = np.random.default_rng(seed)
    images = [PillowImage.fromarray(rng.integers(0, 256, (6, 5), dtype=np.uint8)) for _ in range(pages)]
    file = io.BytesIO()
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:])
    return file.getvalue()


def nifti(seed: int, shape: tuple[int, int, int] = (6, 7, 8)) -> bytes:
    volume = np.random.default_rng(seed).integers(0, 900, shape).astype(np.int16)
    return bytes(nibabel.Nifti1Image(volume, np.eye(4)).to_bytes())  # type: ignore[no-untyped-call]


def dicom(seed: int, patient: str) -> bytes:
    made = DicomDataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID
    made.PatientID, made.PatientName, made.Modality = patient, "Planted^Name", "OT"
    made.Rows, made.Columns, made.SamplesPerPixel = 6, 5, 1
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = np.random.default_rng(seed).integers(0, 4096, (6, 5)).astype("<u2").tobytes()
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


def names(data: Dataset) -> list[str]:
    return [sample.id for sample in data.samples]


def test_pages_of_tiff(tree: Tree) -> None:
    root = str(tree({"yes/a.tif": tiff(1), "no/b.tif": tiff(2), "no/c.tif": tiff(3, pages=1)}))
    first = load(root)
    assert names(first) == ["no/b.tif#0", "no/c.tif", "yes/a.tif#0"]
    assert any("2 files with several pages or frames: 2 of 6 frames" in note for note in first.notes)
    whole = load(root, LoadOptions(pages="all"))
    assert names(whole) == [
        *(f"no/b.tif#{i}" for i in range(3)),
        "no/c.tif",
        *(f"yes/a.tif#{i}" for i in range(3)),
    ]
    assert whole.groups().tolist() == ["no/b.tif"] * 3 + ["no/c.tif"] + ["yes/a.tif"] * 3
    assert len({s.sha256 for s in whole.samples}) == len({s.pixel_hash for s in whole.samples}) == 7
    assert source_digest(root, LoadOptions(pages="all")) == whole.digest() != first.digest()
    assert not (whole.read(whole.samples[0]).pixels == whole.read(whole.samples[1]).pixels).all()
    second = load(root, LoadOptions(pages=1, drop=frozenset()))
    assert names(second) == ["no/b.tif#1", "no/c.tif", "yes/a.tif#1"]
    with pytest.raises(UsageError, match="Got frames"):
        load(root, LoadOptions(pages="some"))


def test_a_page_that_is_not_there_is_a_problem(tree: Tree) -> None:
    root = str(tree({"yes/a.tif": tiff(1, 4), "no/b.tif": tiff(2, 2), "no/c.tif": tiff(3, 4)}))
    data = load(root, LoadOptions(pages=3))
    assert names(data) == ["no/c.tif#3", "yes/a.tif#3"] and data.problems[0].path == "no/b.tif"
    assert source_digest(root, LoadOptions(pages=3)) == data.digest()


def test_frames_of_one_file_may_not_be_split(tree: Tree) -> None:
    data = load(str(tree({"yes/a.tif": tiff(1), "no/b.tif": tiff(2)})), LoadOptions(pages="all"))
    apart = data.with_groups({s.id: s.id for s in data.samples})
    with pytest.raises(LeakageError, match="share path"):
        Fold.checked(apart, repeat=0, fold=0, train=np.array([0, 3]), test=np.array([1, 2, 4, 5]))


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        (None, ["3"]),
        ("middle:2", ["3", "4"]),
        ("count:2", ["2", "6"]),
        ("all", [str(i) for i in range(8)]),
        (5, ["5"]),
        ("coronal", ["coronal3"]),
        ("sagittal:middle:2", ["sagittal2", "sagittal3"]),
    ],
)
def test_slices_of_nifti(tree: Tree, slices: str | int | None, expected: list[str]) -> None:
    root = str(tree({"yes/a.nii": nifti(1), "no/b.nii": nifti(2)}))
    options = LoadOptions(slices=slices)
    data = load(root, options)
    assert names(data) == [f"{file}#{name}" for file in ("no/b.nii", "yes/a.nii") for name in expected]
    assert set(data.groups()) == {"no/b.nii", "yes/a.nii"}
    assert source_digest(root, options) == data.digest()
    shape = {"c": {6, 8}, "s": {7, 8}}.get(expected[0][0], {6, 7})
    assert all(set(data.read(s).size) == shape == {s.height, s.width} for s in data.samples)


def test_groups_given_back_by_path_take_the_place_of_patients(tree: Tree) -> None:
    root = tree({"yes/1": dicom(1, "anna"), "yes/2": dicom(2, "anna"), "no/3": dicom(3, "berta")})
    data = load(str(root))
    table = root.parent / "groups.csv"
    table.write_text("path,group\n" + "".join(f"{s.path},{s.group}\n" for s in data.samples))
    assert data.with_groups(read_groups(table, data)).groups().tolist() == data.groups().tolist()


def test_frames_named_in_a_table(tree: Tree) -> None:
    root = tree({"a.tif": tiff(1), "b.tif": tiff(2)})
    (root / "m.csv").write_text("path,label,frame\na.tif,no,0\na.tif,yes,2\nb.tif,no,1\nb.tif,yes,7\n")
    data = load(str(root / "m.csv"))
    assert names(data) == ["a.tif#0", "a.tif#2", "b.tif#1"]
    assert data.groups().tolist() == ["a.tif", "a.tif", "b.tif"]
    assert data.problems[0].path == "b.tif" and "7" in data.problems[0].reason
    assert source_digest(str(root / "m.csv")) == data.digest()
