"""No planted name, id, date or address comes out of anything that a command writes or says."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from headtohead.cli.app import main

SECRETS = (
    "ZZPATIENT", "ZZID4711", "19630504", "1963-05-04", "1.2.826.777", "ZZHOSPITAL", "ZZSTREET", "555-0199",
    "zz@planted.example", "ZZACCESSION",
)  # fmt: skip
PER_CLASS = 16


def scan(rng: np.random.Generator, spotted: bool, patient: int) -> bytes:
    """A DICOM file whose elements hold all that must not come out."""
    side = 48
    y, x = np.mgrid[:side, :side] / side
    waves = sum(rng.normal() * np.cos(2 * np.pi * (u * x + v * y)) for u, v in rng.uniform(-3, 3, (6, 2)))
    field = 2000 + 400 * waves + 300 * spotted * ((np.add.outer(np.arange(side), np.arange(side)) // 3) % 2)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.826.777.9"
    made.PatientID, made.PatientName = f"ZZID4711-{patient}", f"ZZPATIENT^{patient}"
    made.PatientBirthDate = made.StudyDate = "19630504"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.826.777.1", f"1.2.826.777.2.{patient}"
    made.InstitutionName, made.AccessionNumber, made.Modality = "ZZHOSPITAL", "ZZACCESSION", "MR"
    made.Rows = made.Columns = side
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = np.clip(field + rng.normal(0, 30, field.shape), 0, 4095).astype("<u2").tobytes()
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scans, two of each patient, and a table that says far too much about them."""
    folder = tmp_path_factory.mktemp("scans")
    rng = np.random.default_rng(3)
    rows = []
    for i in range(2 * PER_CLASS):
        (folder / f"scan{i}.dcm").write_bytes(scan(rng, i % 2 == 0, i // 4 * 2 + i % 2))
        rows.append(
            {
                "file": f"scan{i}.dcm", "dx": "yes" if i % 2 == 0 else "no", "sex": "FM"[i % 3 == 0],
                "scanner": f"s{i % 2}", "PatientName": f"ZZPATIENT {i}", "birth_date": "1963-05-04",
                "MRN": "ZZID4711", "home address": "ZZSTREET 7", "Phone": "555-0199",
                "e-mail": "zz@planted.example", "accession_number": "ZZACCESSION",
            }
        )  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def found(folder: Path, secrets: Sequence[str] = SECRETS) -> list[str]:
    """Return the secrets that any file below a folder holds, packed or not, and in any name of a file."""
    hits = []
    for path in folder.rglob("*"):
        texts = [str(path.relative_to(folder)), *(_texts(path) if path.is_file() else ())]
        hits += [f"{path.name}: {secret}" for secret in secrets if any(secret in text for text in texts)]
    return hits


def _texts(path: Path) -> list[str]:
    content = path.read_bytes()
    texts = [content.decode("latin-1")]
    if path.suffix == ".parquet":
        texts.append(pd.read_parquet(path).to_csv())
    if content[:2] == b"\x1f\x8b":
        texts.append(gzip.decompress(content).decode("latin-1"))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            texts += [archive.read(name).decode("latin-1") for name in archive.namelist()]
    return texts


def test_the_search_would_find_them(table: Path, tmp_path: Path) -> None:
    assert {hit.partition(": ")[2] for hit in found(table.parent)} == set(SECRETS)
    pd.DataFrame({"extra": [json.dumps({"a": "ZZSTREET"})]}).to_parquet(tmp_path / "t.parquet")
    assert found(tmp_path) == ["t.parquet: ZZSTREET"]


def test_a_whole_run_holds_none(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    call = ["compare", str(table), "-c", "scratch:test_efficientnet", "--out", str(out)]
    call += ["--folds", "2", "--repeats", "1", "--by", "sex,scanner"]
    assert main(call) == 0
    said = capsys.readouterr()
    assert found(out) == []
    assert not [secret for secret in SECRETS if secret in said.out + said.err]
    extra = [json.loads(text) for text in pd.read_parquet(out / "samples.parquet")["extra"]]
    assert {name for row in extra for name in row if not name.startswith("headtohead:")} == {"sex", "scanner"}
    groups = pd.read_parquet(out / "samples.parquet")["group"]
    assert groups.str.startswith("patient ").all() and groups.nunique() == PER_CLASS
    assert main(call) == 0  # finished: the same groups again, although the secret of a process differs


def test_audit_clean_and_sheets_hold_none(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["audit", str(table), "--out", str(out / "audit")]) == 0
    assert main(["clean", str(table), "--out", str(out / "clean.csv")]) == 0
    assert main(["preprocess", str(table), "--out", str(out / "sheets")]) == 0
    said = capsys.readouterr()
    assert found(out) == []
    assert not [secret for secret in SECRETS if secret in said.out + said.err]
    again = ["audit", str(table), "--out", str(out / "again"), "--groups", str(out / "audit" / "groups.csv")]
    assert main(again) == 0
    first, second = (pd.read_csv(out / name / "groups.csv") for name in ("audit", "again"))
    assert first[["path", "group"]].equals(second[["path", "group"]])
