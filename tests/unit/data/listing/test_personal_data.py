"""Patients are grouped and not named; columns that look like identifiers are left out."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset as DicomDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from headtohead.core.errors import DataError, ManifestError, NoEffectError
from headtohead.data.load import LoadOptions, load
from headtohead.data.readers import read_image

Tree = Callable[[dict[str, bytes]], Path]


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


def test_patients_of_dicom_are_groups_without_their_names(tree: Tree) -> None:
    root = tree(
        {
            "yes/1": dicom(1, "anna"),
            "yes/2": dicom(2, "anna"),
            "no/3.dcm": dicom(3, "berta"),
            "no/4": dicom(4, ""),
        }
    )
    data = load(str(root))
    by_id = {s.id: s for s in data.samples}
    assert by_id["yes/1"].group == by_id["yes/2"].group != by_id["no/3.dcm"].group
    assert by_id["yes/1"].group.startswith("patient ") and by_id["no/4"].group == "no/4"
    written = data.frame().to_csv() + " ".join(data.notes)
    assert not any(word in written for word in ("anna", "berta", "Planted"))
    assert any("3 of 4 samples" in note and "2 patients" in note for note in data.notes)


def test_names_of_patients_come_from_their_files(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in every process, whatever secret it drew; nothing in them to try ids against."""
    hers = {f"yes/{i}": dicom(i, "anna") for i in range(6)}
    files = {**hers, "no/3": dicom(9, "berta")}
    root = tree(files)
    before = load(str(root)).groups().tolist()
    monkeypatch.setattr("headtohead.data.readers.read._SECRET", b"another")
    assert load(str(root)).groups().tolist() == before
    contents = sorted(hashlib.sha256(content).hexdigest() for content in hers.values())
    name = hashlib.sha256("\n".join(["patient", *contents]).encode()).hexdigest()[:16]
    assert set(before[1:]) == {f"patient {name}"}
    assert read_image(files["no/3"]).facts["patient"] not in before[0]
    code = "import sys; from headtohead.data.load import load; print(load(sys.argv[1]).groups().tolist())"
    other = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == str(before)


def test_a_group_that_is_given_wins_over_the_patient(tree: Tree) -> None:
    root = tree({"yes/p1_1": dicom(1, "anna"), "no/p2_1": dicom(2, "anna")})
    data = load(str(root), LoadOptions(group_from=r"(p\d)_"))
    assert data.groups().tolist() == ["p2", "p1"]


Image = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, image: Image) -> Path:
    for i in range(4):
        (tmp_path / "img").mkdir(exist_ok=True)
        (tmp_path / "img" / f"{i}.png").write_bytes(image(i))
    return tmp_path


def write(folder: Path, text: str, name: str = "m.csv", encoding: str = "utf-8") -> str:
    (folder / name).write_text(text, encoding=encoding)
    return str(folder / name)


PERSONAL = """path,label,sex,Patient Name,DOB,mrn,scanner
img/0.png,no,F,Jane,1963-05-04,4711,a
img/1.png,yes,M,John,1963-05-04,4712,b
"""


def test_columns_that_look_like_identifiers_are_left_out_and_told(folder: Path) -> None:
    source = write(folder, PERSONAL)
    data = load(source)
    assert data.samples[0].extra == {"sex": "F", "scanner": "a"}
    (note,) = [note for note in data.notes if "like identifiers" in note]
    assert "3 columns" in note and "Patient Name, DOB, mrn" in note and "Jane" not in note
    asked = load(source, LoadOptions(keep_columns=("DOB",), by=("mrn", "sex")))
    assert set(asked.samples[0].extra) == {"sex", "scanner", "DOB", "mrn"}
    assert data.digest() == asked.digest()


def test_columns_to_keep_must_be_there(folder: Path) -> None:
    with pytest.raises(ManifestError, match=r"no column \['dob'\] to keep"):
        load(write(folder, PERSONAL), LoadOptions(keep_columns=("dob",)))
    with pytest.raises(NoEffectError, match="keep_columns"):
        load(str(folder), LoadOptions(keep_columns=("DOB",)))
    with pytest.raises(DataError):  # --by of a folder is judged where subgroups are made, not here
        load(str(folder), LoadOptions(by=("DOB",)))
