"""Headers as a report needs them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.planting.dicom_objects import STUDY, mr_bytes

from headtohead.core.errors import UnreadableError
from headtohead.deploy.dicom.headers import read_header


def test_names_the_study_the_object_and_the_patient() -> None:
    header = read_header(mr_bytes())
    assert (header.study, header.patient, header.n_frames) == (STUDY, "P1", 1)
    assert "PixelData" not in header.dataset


def test_counts_frames() -> None:
    assert read_header(mr_bytes(np.zeros((3, 8, 8)))).n_frames == 3


def test_elements_that_every_report_has_are_there_though_empty() -> None:
    header = read_header(mr_bytes(PatientName=None, StudyTime=None, PatientID=None))
    assert header.dataset.PatientName == "" and header.dataset.StudyTime == "" and header.patient == ""


@pytest.mark.filterwarnings("ignore:.*Invalid value for VR UI")
@pytest.mark.parametrize("bad", [None, "../../etc", "1." * 40, ""])
def test_refuses_what_a_report_cannot_refer_to(bad: str | None) -> None:
    with pytest.raises(UnreadableError, match="StudyInstanceUID"):
        read_header(mr_bytes(StudyInstanceUID=bad))


@pytest.mark.parametrize("content", [b"", b"no dicom at all", mr_bytes()[:150]])
def test_refuses_what_is_no_dicom_file(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_header(content)
