"""From files to one report per study, with a model whose answers are known."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.planting.dicom_objects import STUDY, mr_bytes

from headtohead.core.errors import UnreadableError, UsageError
from headtohead.deploy.dicom.studies import ReportedStudy, report_study, reporting, write_reports
from headtohead.deploy.prediction import ImagePrediction

hd = pytest.importorskip("highdicom")


class KnownModel:
    """Says 0.75 of every file but those whose name starts with "bad"."""

    name, contender, digest, classes, positive = "known", "probe", "ef" * 32, ("no", "yes"), "yes"
    estimate: Mapping[str, Any] = {
        "n_samples": 60,
        "n_groups": 50,
        "scores": [1],
        "caveats": ["One scanner."],
    }

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        good = {"probabilities": {"no": 0.25, "yes": 0.75}, "predicted": "yes", "set": ("yes",)}
        bad = {"error": "its pixels are damaged"}
        return [
            ImagePrediction.model_validate({"path": n, **(bad if n.startswith("bad") else good)})
            for n, _ in items
        ]


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / name.replace("__", "/")).parent.mkdir(exist_ok=True)
        (folder / name.replace("__", "/")).write_bytes(content)


def test_one_report_per_study_whatever_the_folders(tmp_path: Path) -> None:
    other = f"{STUDY}.99"
    write(tmp_path, a=mr_bytes(), sub__b=mr_bytes(), c=mr_bytes(StudyInstanceUID=other, PatientID="P2"))
    rows = write_reports(KnownModel(), tmp_path, tmp_path / "out")
    assert [(row.n_images, row.failed) for row in rows] == [(2, ()), (1, ())]
    studies = {str(hd.sr.srread(row.report).StudyInstanceUID) for row in rows if row.report}
    assert studies == {STUDY, other}


def test_an_image_that_cannot_be_judged_is_told_and_makes_the_report_partial(tmp_path: Path) -> None:
    write(tmp_path, bad1=mr_bytes(), good=mr_bytes())
    (row,) = write_reports(KnownModel(), tmp_path, tmp_path / "out")
    assert (row.n_images, row.failed[0].file, row.failed[0].reason) == (1, "bad1", "its pixels are damaged")
    assert row.report is not None and hd.sr.srread(row.report).CompletionFlag == "PARTIAL"


def test_files_that_are_no_dicom_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, good=mr_bytes(), note=b"a text file")
    rows = write_reports(KnownModel(), tmp_path, tmp_path / "out")
    assert [row.report is None for row in rows] == [False, True]
    assert rows[1].failed[0].file.endswith("note")


def test_a_study_of_two_patients_has_no_report_and_says_why(tmp_path: Path) -> None:
    write(tmp_path, a=mr_bytes(), b=mr_bytes(PatientID="P2"))
    (row,) = write_reports(KnownModel(), tmp_path, tmp_path / "out")
    assert row.report is None and {one.file for one in row.failed} == {"a", "b"}
    assert "several patients" in row.failed[0].reason


def test_the_report_says_what_the_model_was_tested_on(tmp_path: Path) -> None:
    write(tmp_path, a=mr_bytes())
    judged = report_study(KnownModel(), [tmp_path / "a"])
    assert judged.report is not None
    back = hd.sr.srread(io.BytesIO(judged.report.content))
    (group,) = back.content.get_image_measurement_groups()
    told = {item.value for item in group[0].ContentSequence if item.ValueType == "TEXT"}
    assert {"estimated by cross-validation on 60 images of 50 groups", "One scanner."} <= told


def test_an_empty_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no file"):
        write_reports(KnownModel(), tmp_path, tmp_path / "out")


def test_a_receivers_study_is_written_and_told(tmp_path: Path) -> None:
    told: list[ReportedStudy] = []
    write(tmp_path, a=mr_bytes(), bad=mr_bytes())
    report = reporting(KnownModel(), tmp_path / "out", told.append)
    report([tmp_path / "a"])
    assert told[0].report is not None and Path(told[0].report).is_file()
    with pytest.raises(UnreadableError, match="damaged"):
        report([tmp_path / "bad"])
